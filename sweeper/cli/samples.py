"""What a model wrote: prompt, response, right and parsed answer, verdict (--diff: problems gained and lost).

RUN's evaluation, where it has one, else its last validation; --step N: the validation of that step; --base: its model
before RL. --diff base, or --diff RUN2, compares per-problem counts and shows a pair of samples of each problem that
changed.
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from sweeper.cli.verb import add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.errors import ConfigError
from sweeper.spec.bounds import Count, CountOrZero, argument

if TYPE_CHECKING:
    from sweeper.rows.sample import Wanted
    from sweeper.runs.folder import RunDir

LIMIT = 10


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    from sweeper.rows.sample import VERDICTS

    add_results(parser)
    parser.add_argument("which", metavar="run", nargs="?", help="the start or end of a run id")
    of = parser.add_mutually_exclusive_group()
    of.add_argument("--step", type=argument(CountOrZero), metavar="N", help="of the validation of this training step")
    of.add_argument("--base", action="store_true", help="of the model before RL")
    of.add_argument(
        "--diff", metavar="BASE|RUN", help="problems gained and lost against `base`, or against another run"
    )
    parser.add_argument("--outcome", choices=VERDICTS, help="only samples of this verdict")
    parser.add_argument("--problem", metavar="ID", help="only of the problem whose name starts or ends so")
    parser.add_argument("--source", metavar="S", help="only of this domain, or of data sources that start so")
    parser.add_argument("--search", metavar="TEXT", help="only with these words in prompt, response or an answer")
    parser.add_argument(
        "--limit", type=argument(Count), default=LIMIT, metavar="N", help=f"show at most this many (default: {LIMIT})"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.rows.sample import Wanted
    from sweeper.runs.folder import find_run

    wanted = Wanted(verdict=options.outcome, problem=options.problem, source=options.source, text=options.search)
    run_dir = find_run(results_folder(options), options.which)
    return _diff(options, run_dir, wanted) if options.diff is not None else _show(options, run_dir, wanted)


def _show(options: argparse.Namespace, run_dir: "RunDir", wanted: "Wanted") -> int:
    from sweeper.cli import sample_text
    from sweeper.rows.sample import Origin
    from sweeper.runs.samples import kept_samples

    kept = kept_samples(run_dir, Origin.base if options.base else None, options.step)
    coverage = kept.coverage()
    wanted.require_known(kept.about())
    fitting = list(wanted.among(kept))
    shown = fitting[: options.limit]

    def data() -> dict[str, Any]:
        return {
            "run_id": run_dir.run_id,
            "origin": str(kept.origin),
            "step": kept.step,
            "kept": coverage.kept,
            "drawn": coverage.drawn,
            "without_verdict": coverage.kept - coverage.judged,
            "damaged_lines": coverage.damaged,
            "fitting": len(fitting),
            "samples": [sample.as_dict() for sample in shown],
        }

    def text() -> str:
        what = str(kept.origin) if kept.step is None else f"{kept.origin} of step {kept.step}"
        head = sample_text.wrapped(f"{run_dir.run_id}, {what}: {coverage}")
        if not fitting:
            return f"{head}\n\nNone of them fits what was asked for."
        more = f"\n\n{len(fitting) - len(shown)} more fit; --limit shows more." if len(fitting) > len(shown) else ""
        return "\n\n".join([head, *map(sample_text.of_sample, shown)]) + more

    if options.json:
        answer(options, data, str)
    else:
        sample_text.show(text())
    return say_damaged(kept.damaged, what="the answer lacks what is not readable there")


def _diff(options: argparse.Namespace, run_dir: "RunDir", wanted: "Wanted") -> int:
    from sweeper.cli import sample_text
    from sweeper.rows.sample import Origin
    from sweeper.runs.folder import find_run
    from sweeper.runs.gained_lost import Changed, compared
    from sweeper.runs.samples import counts
    from sweeper.spec.run_id import handles

    if options.outcome is not None:
        raise ConfigError("--outcome is of samples, --diff of problems; leave one of them out")
    is_base = options.diff.lower() == "base"
    comparison = compared(run_dir, None if is_base else find_run(run_dir.results_dir, options.diff))
    short = handles([comparison.before, comparison.after])  # the ids are in the first line, and the handles in them
    sides = ("before", "after") if is_base else (short[comparison.before], short[comparison.after])
    wanted.require_known(counts(run_dir, Origin.evaluation))
    changed = [item for item in comparison.problems if item.has_changed]
    asks = (wanted.problem, wanted.source, wanted.text) != (None, None, None)

    def fits(item: Changed) -> bool:
        return not asks or any(sample is not None and wanted.fits(sample) for sample in item.samples)

    def fitting() -> Iterator[Changed]:
        return (item for item in changed if fits(item))

    def data() -> dict[str, Any]:
        shown = [item.as_dict() for item in islice(fitting(), options.limit)]
        return comparison.as_dict() | {"problems": shown}

    def text() -> str:
        shown = list(islice(fitting(), options.limit))
        parts = [sample_text.of_comparison(comparison), *(sample_text.of_change(item, sides) for item in shown)]
        left = sum(1 for _ in fitting()) - len(shown)
        return "\n\n".join([*parts, *([f"{left} more problems changed; --limit shows more."] if left else [])])

    if options.json:
        answer(options, data, str)
    else:
        sample_text.show(text())
    return say_damaged(comparison.damaged, what="the pairs lack the samples that are not readable there")
