"""Runs again what failed or was interrupted, each by the policy of its failure's class (`sweeper.runs.retry_changes`).

A launch of the same command does the same to the runs of its grid: there is one policy. `retry` asks it for what is in
a results folder, and can name classes: after a fix of the code, those that are not tried again by themselves.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeper.rows.failure_class import FailureClass
from sweeper.runs import adjustment
from sweeper.runs.folder import RunDir
from sweeper.runs.retry_changes import Case, Decision, decide
from sweeper.runs.triage import Diagnosis
from sweeper.spec.run import RunSpec

if TYPE_CHECKING:
    from sweeper.launch.slurm.queue import Queue

_ENDED_BY_SLURM = ("expired", "terminated")
_RESOURCES = "model.resources."


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A run that has no result, why, and what is done about it."""

    run_dir: RunDir
    diagnosis: Diagnosis
    decision: Decision
    own: adjustment.Changes  # what the configuration says now, and did not at the launch before

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
            adjustment.add(self.run_dir.path, self.own, why=adjustment.CONFIGURATION)
        if self.decision.changes:
            why = {"class": self.diagnosis.failure_class, "evidence": self.diagnosis.evidence}
            attempt = {"attempt": len(self.run_dir.attempts())}
            adjustment.add(self.run_dir.path, self.decision.changes, why=attempt | why)
        return self.run_dir.spec()


def consider(
    run_dir: RunDir, queue: "Queue", *, now: RunSpec | None = None, asked: set[FailureClass] | None = None
) -> Considered | None:
    """What the policy says of a run that failed or was interrupted; None: it never began, or its folder is gone.

    What the configuration says `now` otherwise than at the launch before is taken over; other resources count as a fix,
    as do classes that a person `asked` for.
    """
    from sweeper.launch.slurm.ledger import step_log

    scheduler = queue.endings.get(run_dir.run_id) if queue.error is None else None
    diagnosis = run_dir.diagnosis(scheduler)
    if scheduler and diagnosis and diagnosis.failure_class is FailureClass.unknown:
        # Read only where it is needed: to find a run's step log takes all arrays of the folder.
        diagnosis = run_dir.diagnosis(scheduler, step_log(run_dir.results_dir, run_dir.run_id))
    if diagnosis is None or not run_dir.spec_path.exists():
        return None
    own: adjustment.Changes = {}
    if now is not None:
        # What a failure made of a setting stays until the configuration says something new of it.
        said = adjustment.applied(RunSpec.read(run_dir.spec_path), adjustment.configured(run_dir.path))
        own = adjustment.differing(said, now)
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
