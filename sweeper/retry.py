"""Runs again what failed or was interrupted, each by the policy of its failure's class (`sweeper.ladder`).

A launch of the same command does the same to the runs of its grid: there is one policy. `retry` asks it for what is in
a results folder, and can name classes: after a fix of the code, those that are not tried again by themselves.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper import adjustment
from sweeper.errors import ConfigError
from sweeper.ladder import Case, Decision, decide
from sweeper.runs import RunDir, State
from sweeper.spec import Executor, RunSpec
from sweeper.triage import Diagnosis, FailureClass, classes

if TYPE_CHECKING:
    from sweeper.slurm_queue import Queue

_ENDED_BY_SLURM = ("expired", "terminated")
_RESOURCES = "model.resources."


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A run that has no result, why, and what is done about it."""

    run_dir: RunDir
    diagnosis: Diagnosis
    decision: Decision
    own: adjustment.Changes  # what the configuration says now, and did not when the run was frozen

    def text(self) -> str:
        """One line: class, evidence, what is done."""
        told = f"{self.diagnosis.failure_class} ({self.diagnosis.evidence or 'nothing was said'})"
        if not self.decision.retry:
            return f"{told} -> not tried again: {self.decision.words}"
        own = {key: value for key, value in self.own.items() if key.startswith(_RESOURCES)}
        changes = adjustment.text(self.run_dir.spec(), {**own, **self.decision.changes})
        return f"{told} -> {self.decision.words}{': ' if changes else ''}{changes}"

    def prepare(self) -> RunSpec:
        """Let the changes apply from the next attempt on; returns the spec with which it will run."""
        if self.own:
            adjustment.add(self.run_dir.path, self.own, why={"configuration": "as of this launch"})
        if self.decision.changes:
            why = {"class": self.diagnosis.failure_class, "evidence": self.diagnosis.evidence}
            attempt = {"attempt": len(self.run_dir.attempts())}
            adjustment.add(self.run_dir.path, self.decision.changes, why=attempt | why)
        return self.run_dir.spec()


def consider(
    run_dir: RunDir, queue: "Queue", *, now: RunSpec | None = None, asked: set[FailureClass] | None = None
) -> Considered | None:
    """What the policy says of a run that failed or was interrupted; None: it never began, or its folder is gone.

    Args:
        run_dir: The run.
        queue: What SLURM says.
        now: The same run as the configuration describes it now. What it says otherwise than when the run was frozen
            is taken over; other resources count as a fix.
        asked: Classes that a person named, after a fix.
    """
    from sweeper.slurm.ledger import step_log

    scheduler = queue.endings.get(run_dir.run_id) if queue.error is None else None
    diagnosis = run_dir.diagnosis(scheduler)
    if scheduler and diagnosis and diagnosis.failure_class is FailureClass.unknown:
        # Read only where it is needed: to find a run's step log takes all arrays of the folder.
        diagnosis = run_dir.diagnosis(scheduler, step_log(run_dir.results_dir, run_dir.run_id))
    if diagnosis is None or not run_dir.spec_path.exists():
        return None
    current, own = adjustment.read(run_dir.path), {}
    if now is not None:
        found = adjustment.differing(RunSpec.read(run_dir.spec_path), now)
        own = {key: value for key, value in found.items() if current.get(key) != value}
    spec = adjustment.applied(run_dir.spec(), own)
    if any(key.startswith(_RESOURCES) for key in own):
        decision = Decision(retry=True, words="with the resources given now")
    else:
        decision = decide(_case(run_dir, spec, diagnosis, asked=diagnosis.failure_class in (asked or ())))
    return Considered(run_dir=run_dir, diagnosis=diagnosis, decision=decision, own=own)


def _case(run_dir: RunDir, spec: RunSpec, diagnosis: Diagnosis, *, asked: bool) -> Case:
    attempts = run_dir.attempts()
    ends = [attempt.read("exit") for attempt in attempts]
    env, beat = (attempts[-1].read("env"), attempts[-1].heartbeat()) if attempts else (None, None)
    # An attempt without a record was killed: counted as the class of the last one.
    failed = [
        (attempt, end.get("class") if end else diagnosis.failure_class)
        for attempt, end in zip(attempts, ends, strict=True)
        if end is None or end["status"] not in _ENDED_BY_SLURM
    ]
    devices = spec.model.resources.devices
    node = env.get("node") if env else None
    return Case(
        spec=spec,
        failure_class=diagnosis.failure_class,
        evidence=diagnosis.evidence,
        phase=ends[-1]["phase"] if ends and ends[-1] else beat.phase if beat else None,
        nodes=(node,) if node else (),
        failures=sum(kind == diagnosis.failure_class for _, kind in failed),
        gpu_hours=sum(attempt.seconds() for attempt, _ in failed) * devices / 3600,
        asked=asked,
    )


def main(arguments: Sequence[str]) -> int:
    """`python -m sweeper retry`; exit code 1: a run that was tried again here has no result."""
    from sweeper.launch import at_once, run_local
    from sweeper.progress import reporter
    from sweeper.slurm_queue import Queue
    from sweeper.status import chosen

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
        from sweeper.slurm.follow import submit_text
        from sweeper.slurm.submit import submit

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
