"""`sweeper retry`: run again what failed."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sweeper.host.errors import ConfigError
from sweeper.plan.retry import Considered, consider
from sweeper.rows.failure_class import FailureClass
from sweeper.runs.folder import RunDir, State
from sweeper.runs.triage import classes
from sweeper.spec.cluster import Executor


def main(arguments: Sequence[str]) -> int:
    """`python -m sweeper retry`; exit code 1: a run that was tried again here has no result."""
    from sweeper.launch.local import at_once, run_local
    from sweeper.launch.progress import reporter
    from sweeper.launch.slurm.queue import Queue
    from sweeper.oversight.status import chosen

    options = _options(arguments)
    results_dir = options.results.resolve()
    try:
        wanted = classes(options.classes.split(",")) if options.classes else None
    except ValueError:
        known = ", ".join(["oom", *FailureClass])
        raise ConfigError(f"--class {options.classes}: choose from {known}, joined by commas") from None
    queue, found = Queue.ask(results_dir), []
    if queue.error is not None:
        raise ConfigError(f"SLURM does not answer, so what failed is not known; try again later: {queue.error}")
    for run_id in chosen(results_dir, options.which):
        run_dir = RunDir(results_dir=results_dir, run_id=run_id)
        if queue.state(run_dir) in (State.failed, State.interrupted):
            considered = consider(run_dir, queue, asked=wanted)
            if considered is not None and (wanted is None or considered.diagnosis.failure_class in wanted):
                found.append(considered)
    for item in [] if options.json else found:
        print(f"{item.run_dir.run_id}: {item.text()}", flush=True)
    told: dict[str, Any] = {"runs": [_plain(item) for item in found], "submitted": {}}
    again = [item for item in found if item.decision.retry]
    specs = [] if options.dry_run else [item.prepare() for item in again]
    here = [spec for spec in specs if spec.cluster.executor is Executor.local]
    there = [spec for spec in specs if spec.cluster.executor is Executor.slurm]
    if there:
        from sweeper.launch.slurm.follow import submit_text
        from sweeper.launch.slurm.submit import submit

        done = submit(there, results_dir)
        told["submitted"] = done.submitted
        print(submit_text(done, results_dir), file=sys.stderr if options.json else sys.stdout, flush=True)
    if here:
        run_local(here, results_dir, max_parallel=at_once(here[0].cluster), reporter=reporter(len(here)))
    if options.json:
        import json

        print(json.dumps({"command": "retry", "data": told}, indent=1))
    else:
        print(f"{len(again)} of {len(found)} runs without a result are tried again{' (dry run)' * options.dry_run}")
    ended = [RunDir(results_dir=results_dir, run_id=spec.run_id).state() for spec in here]
    return 1 if any(state is not State.done for state in ended) else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sweeper retry",
        description="Run again what failed or was interrupted, by the policy of each failure's class. Says first what "
        "is done with each run. Changes only settings that cannot change the result's mathematics.",
    )
    parser.add_argument("which", nargs="?", help="a grid's name, or the start or end of a run id (default: all)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder (default: results)")
    parser.add_argument(
        "--class",
        dest="classes",
        metavar="CLASS,...",
        help="only these failures, e.g. oom,node; config, data and reward are tried again only if named, after a fix",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser.parse_args(arguments)


def _plain(item: Considered) -> dict[str, Any]:
    return {
        "run_id": item.run_dir.run_id,
        "class": item.diagnosis.failure_class,
        "evidence": item.diagnosis.evidence,
        "retry": item.decision.retry,
        "words": item.decision.words,
        "changes": dict(item.decision.changes),
    }
