"""The verb `passk` of the command line."""

import argparse
import sys
from pathlib import Path
from typing import Any

from rewards.strict_json import json_text
from sweeper.host.errors import ResultsError
from sweeper.host.printed_table import Room, paragraph
from sweeper.rows.row import problems_path
from sweeper.runs.folder import find_run
from sweeper.spec.run_id import RunId

HELP = """\
pass@k with intervals from per-problem counts.

  python -m analysis passk counts.csv --ks 1,2,4            columns problem_id, n, c and optional group
  python -m analysis passk x_results.jsonl                  one sample a line: HumanEval, lm-eval; evalplus' JSON
  python -m analysis passk counts.csv --ks 1,8 --group-by difficulty --json
  python -m analysis passk RUN --results results            the counts of one run, by domain; its id, its start or end;
                                                            with its checkpoints where they were evaluated
  python -m analysis passk RUN --base BASE.csv              one run against counts on the same problems
  python -m analysis passk trained.csv --base base.csv      paired differences and the crossover, by group
  python -m analysis passk counts.csv --pair base trained   the same, of two groups of one file
  python -m analysis passk counts.csv --ks 128,1024 --beyond        extrapolated by two models, with their envelope
  python -m analysis passk --answers answers.csv --ks 4,16  maj@k; columns problem_id, answer, correct, count

A k above the samples of any problem is undefined (null with the reason), never 1. See docs/passk.md.
"""
RESULTS = Path("results")
_FILES = (".csv", ".jsonl", ".json")  # names of files, there or not; other names are those of runs


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    parser = verbs.add_parser(
        "passk",
        help="pass@k with intervals from per-problem counts",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("counts", nargs="?", help="CSV, or JSON lines (*.jsonl), or a run of the results folder")
    parser.add_argument("--results", type=Path, help="results folder of the run (default: results)")
    parser.add_argument(
        "--ks", type=_ks, help="values of k, such as 1,2,4 (default: powers of 2 up to the fewest samples)"
    )
    parser.add_argument("--group-by", metavar="COLUMN", help="column to group by (default: group, or domain)")
    parser.add_argument("--base", type=Path, help="counts of the base model on the same problems")
    parser.add_argument("--pair", nargs=2, metavar=("BASE", "TRAINED"), help="two groups of COUNTS to compare")
    parser.add_argument("--beyond", action="store_true", help="extrapolate to each k that is undefined")
    parser.add_argument("--answers", type=Path, help="CSV of answers, for maj@k")
    parser.add_argument("--level", type=_level, default=0.95, help="coverage of the intervals (default: 0.95)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(execute=run)


def run(options: argparse.Namespace) -> int:
    """Print what was asked for; returns the exit code.

    Raises:
        ResultsError: the files do not say what is needed.
    """
    from analysis.passk.along import along_json, along_text, read_along
    from analysis.passk.reading import read_answers, read_counts
    from analysis.passk.sample import Sample
    from analysis.passk.summary import Asked, group_json, group_text, majority_json, pair_json, pair_text, with_all

    if options.counts is None and options.answers is None:
        raise ResultsError("nothing to read: give a counts file or --answers FILE; see python -m analysis passk --help")
    if options.counts is None and (options.base or options.pair):
        raise ResultsError("--base and --pair compare counts: give a counts file")
    if options.counts is None and (options.group_by or options.beyond):
        raise ResultsError("--group-by and --beyond are of counts: give a counts file")
    place, run_id = _counts(options.counts, options.results)
    groups = with_all(read_counts(place, group=options.group_by)) if place else {}
    votes = read_answers(options.answers) if options.answers else {}
    drawn = [int(sample.n.min()) for sample in groups.values()]
    voted = [sum(one.count for one in answers) for group in votes.values() for answers in group.values()]
    fewest = min(drawn or voted, default=1)
    ks = options.ks or tuple(2**i for i in range(fewest.bit_length()))
    asked = Asked(ks=ks, beyond=options.beyond, level=options.level)
    found: dict[str, Any] = {
        "command": "passk",
        "level": options.level,
        "data": [group_json(name, sample, asked) for name, sample in groups.items()],
    }
    comparisons: list[tuple[str, Sample, Sample]] = []
    if options.pair:
        before, after = (_group(groups, name, place) for name in options.pair)
        comparisons.append((f"{options.pair[1]} against {options.pair[0]}", before, after))
    if options.base:
        bases = with_all(read_counts(options.base, group=options.group_by))
        comparisons += [(name, bases[name], sample) for name, sample in groups.items() if name in bases]
        if alone := groups.keys() ^ bases.keys():
            print(f"not compared, being in one of the two files alone: {', '.join(sorted(alone))}", file=sys.stderr)
        if not any(name in bases for name in groups):
            raise ResultsError(
                f"--base {options.base} has the groups {', '.join(bases)}, none of which is in {place} "
                f"({', '.join(groups)})"
            )
    if comparisons:
        found["paired"] = [pair_json(name, before, after, asked) for name, before, after in comparisons]
    along = read_along(options.results or RESULTS, run_id) if run_id else None
    if along is not None:
        found["along"] = along_json(along, asked)
    if options.answers:
        found["majority"] = [
            {"group": name, "n_problems": len(answers), "ks": majority_json(answers, asked)}
            for name, answers in votes.items()
        ]
    if options.json:
        print(json_text(found, indent=1))
    else:
        texts = [group_text(item) for item in found["data"]] + [pair_text(item) for item in found.get("paired", ())]
        texts += [along_text(found["along"])] if along else []
        texts += [_majority_text(item) for item in found.get("majority", ())]
        print(paragraph("\n\n".join(texts), Room.of_screen(), indent="  "))
    return 0


def _counts(said: str | None, results: Path | None) -> tuple[Path | None, RunId | None]:
    """The file of counts: the one that was named, or that of the run which was; and that run.

    Raises:
        ResultsError: a file is named and a results folder as well, or the run has no counts.
        RunFailedError: there is neither such a file nor such a run.
    """
    if said is None or Path(said).is_file() or Path(said).suffix in _FILES:
        if results is not None:
            raise ResultsError(f"passk {said or '--answers'} reads that file alone; leave --results out, or name a run")
        return None if said is None else Path(said), None
    folder = results or RESULTS
    run_id = find_run(folder, said).run_id
    path = problems_path(folder, run_id)
    if not path.exists():
        raise ResultsError(f"{run_id} has no counts: it has not ended, or was not evaluated ({path})")
    return path, run_id


def _majority_text(found: dict[str, Any]) -> str:
    lines = [f"{found['group']}: majority vote, {found['n_problems']} problems"]
    for item in found["ks"]:
        value = f"undefined: {item['reason']}"
        if item["maj@k"] is not None:
            low, high = item["low"], item["high"]
            ends = f"no interval: {item['reason']}" if low is None else f"[{low:.4f}, {high:.4f}]"
            value = f"{item['maj@k']:.4f}  other problems like these {ends}"
        error = f" (Monte Carlo error {item['monte_carlo_error']:.4f})" if item["monte_carlo_error"] else ""
        lines.append(f"  maj@{item['k']:<6} {value}{error}")
    return "\n".join(lines)


def _group(groups: dict[str, Any], name: str, path: Path | None) -> Any:
    if name not in groups:
        raise ResultsError(f"--pair: {path} has no group {name!r}; it has {', '.join(groups)}")
    return groups[name]


def _ks(text: str) -> tuple[int, ...]:
    try:
        ks = sorted({int(part) for part in text.split(",")})
    except ValueError:
        ks = []
    if not ks or ks[0] < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: write whole numbers of at least 1, such as 1,2,4")
    return tuple(ks)


def _level(text: str) -> float:
    value = float(text)
    if not 0.5 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text}: needs 0.5 <= level < 1")
    return value
