"""`python -m data_prep annotate`: pass rates of a model on every problem it could train on, here or as a SLURM job."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rewards.bounded_file import last_bytes, lines
from rewards.program import EXIT_OK, Parser, guarded
from sweeper.evaluation.annotation import Annotated, Annotation, annotate, log_path
from sweeper.grid.expand import expand, results_dir_of
from sweeper.host.environment import for_job_here
from sweeper.host.errors import ConfigError
from sweeper.host.files import open_results
from sweeper.host.json_lines import MOST_BYTES
from sweeper.plan.plan import spec_from
from sweeper.plan.refusals import check
from sweeper.rows import passk
from sweeper.rows.counts import read_counts
from sweeper.spec.bounds import Count, argument
from sweeper.spec.cluster import Executor

_PROGRESS = re.compile(r"^evaluated (\d+)/(\d+) problems", re.MULTILINE)


def _progress(log: Path) -> Callable[[], None]:
    """What prints the last count of problems in an evaluation's log, if it is a new one."""
    shown, offset = [("", "")], log.stat().st_size if log.exists() else 0

    def show() -> None:
        found = _PROGRESS.findall(last_bytes(log, start=offset).decode(errors="replace"))
        if found and found[-1] != shown[-1]:
            shown.append(found[-1])
            print(f"{found[-1][0]} of {found[-1][1]} problems", file=sys.stderr, flush=True)

    return show


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m data_prep annotate",
        description="Measure a model's pass rate on every problem of a mix and scale. The file that comes out goes "
        "into data.annotations=[FILE], its column into data.filters, data.stratify_by or curriculum.order_by.",
    )
    parser.add_argument("overrides", nargs="*", help="as for a run: model=tiny-130k data_root=FOLDER data_scale=full")
    parser.add_argument("--n", type=argument(Count), default=16, help="samples per problem (default: 16)")
    parser.add_argument("--split", choices=("train", "evaluation"), default="train")
    parser.add_argument("--out", type=Path, help="parquet file to write (default: below results/annotations/)")
    parser.add_argument(
        "--solutions",
        type=Path,
        metavar="FILE.jsonl",
        help="also write the first correct answer of each solved problem, for data.sft_solutions (rejection sampling)",
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="with cluster=slurm: follow the job to its end; without, submit it, or say how far it is",
    )
    return parser


def _annotated(annotation: Annotation, results_dir: Path, *, wait: bool) -> Annotated | None:
    """The finished files; None where a job is on its way to them."""
    open_results(results_dir)
    if annotation.spec.cluster.executor is Executor.slurm:
        from sweeper.inputs.models import prepare_fetched
        from sweeper.launch.slurm import scheduler
        from sweeper.launch.slurm.annotation import submitted

        scheduler.require()
        say = partial(print, file=sys.stderr, flush=True)
        prepare_fetched([annotation.spec], results_dir, say=say)
        return submitted(annotation, results_dir, wait=wait, say=say)
    variables = for_job_here(os.environ, annotation.spec.cluster.environment)
    os.environ.clear()
    os.environ |= variables  # this process is the job
    return annotate(annotation, results_dir, on_tick=_progress(log_path(annotation, results_dir)))


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    return guarded(lambda: _run(_parser().parse_intermixed_args(arguments)))


def _run(options: argparse.Namespace) -> int:
    point = expand(options.overrides, multirun=False).points[0]
    spec = spec_from(point.config)
    check(spec, family=point.config["model_family"]["name"], trains=False)
    if options.solutions is not None and spec.agent.acts:
        raise ConfigError(
            f"--solutions with agent={spec.agent.name}: what an agent answers last teaches none of its calls, so there "
            "is nothing to fine-tune on; leave --solutions out, or set agent=none"
        )
    annotation = Annotation(
        spec=spec,
        n=options.n,
        split=options.split,
        out=None if options.out is None else options.out.resolve(),
        solutions=None if options.solutions is None else options.solutions.resolve(),
    )
    done = _annotated(annotation, results_dir_of(point.config), wait=options.wait)
    if done is not None:
        _report(annotation, done)
    return EXIT_OK


def _report(annotation: Annotation, done: Annotated) -> None:
    measured = [passk.Count(item.n, item.c) for item in read_counts(done.counts)]
    never, always = (sum(item.c == edge * item.n for item in measured) for edge in (0, 1))
    print(f"{len(measured)} problems x {annotation.n} samples: {never} never solved, {always} always")
    for k in (k for k in (2**i for i in range(20)) if k <= annotation.n):
        print(f"pass@{k} {passk.mean_pass_at_k(measured, k):.4f}")
    if annotation.solutions is not None:
        n = sum(1 for _ in lines(annotation.solutions, at_most=MOST_BYTES))
        print(f"{annotation.solutions}: a correct answer to {n} problems")
    print(f"{done.file}\nuse it: 'data.annotations=[{done.file}]', column {annotation.spec.model.name}_pass_rate")
