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
# What of a cluster's settings cures a failure: another value counts as a fix, as other resources do.
_FIXES = (
    *("cluster.memory_gb_per_gpu", "cluster.cpus_per_gpu", "cluster.sbatch", "cluster.exclude", "cluster.setup"),
    *("cluster.python", "cluster.container", "cluster.partition", "cluster.environment", "cluster.secrets_file"),
)
# What jobs do not read: a launch, a plan or the next decision of `retry` does.
_OF_A_LAUNCH = (
    *("cluster.name", "cluster.check_memory", "cluster.confirm_gpu_hours", "cluster.price_per_gpu_hour"),
    *("cluster.currency", "cluster.gpu_type", "cluster.max_nodes", "cluster.max_parallel", "cluster.max_gpus"),
    *("cluster.arrays", "cluster.max_failures", "cluster.max_failed_gpu_hours", "logging.webhook_env"),
)


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
    from sweeper.launch.slurm.ledger import deaths, step_log

    scheduler = queue.endings.get(run_dir.run_id) if queue.error is None else None
    diagnosis = run_dir.diagnosis(scheduler)
    if scheduler and diagnosis and diagnosis.failure_class is FailureClass.unknown:
        place = queue.places.get(run_dir.run_id)
        diagnosis = run_dir.diagnosis(scheduler, step_log(run_dir.results_dir, run_dir.run_id, place))
    earlier = () if run_dir.attempts() else queue.earlier.get(run_dir.run_id, ())
    before = deaths(run_dir.results_dir, earlier)
    if diagnosis is None or not run_dir.spec_path.exists():
        return None
    own: adjustment.Changes = {} if now is None else restated(run_dir, now)
    spec = adjustment.applied(run_dir.spec(), own)
    pending = adjustment.last(run_dir.path)
    if any(key.startswith(_RESOURCES) or key in _FIXES for key in own):
        decision = Decision(retry=True, words="with the resources given now")
    elif pending and pending.get("attempt") == len(run_dir.attempts()) and pending["changes"]:
        changes = adjustment.text(RunSpec.read(run_dir.spec_path), pending["changes"])
        decision = Decision(retry=True, words=f"as changed after the last attempt, which was not tried yet: {changes}")
    else:
        decision = decide(_case(run_dir, spec, diagnosis, before, asked=diagnosis.failure_class in (asked or ())))
    return Considered(run_dir=run_dir, diagnosis=diagnosis, decision=decision, own=own)


def restated(run_dir: RunDir, now: RunSpec) -> adjustment.Changes:
    """What the configuration says `now` otherwise than at the launch before, outside the run's identity.

    What a failure made of a setting stays until the configuration says something new of it.
    """
    frozen, said = RunSpec.read(run_dir.spec_path), adjustment.configured(run_dir.path)
    if frozen == now and not said:
        return {}
    return adjustment.differing(adjustment.applied(frozen, said), now)


def unheard(run_dir: RunDir, now: RunSpec) -> str | None:
    """Of a run whose job waits: which settings that job would not hear, as its job has what it was submitted with.

    None: the configuration says what it said then, but for what a launch or `retry` alone reads.
    """
    if not run_dir.spec_path.exists():
        return None
    changes = {key: value for key, value in restated(run_dir, now).items() if key not in _OF_A_LAUNCH}
    if not changes:
        return None
    told = adjustment.text(RunSpec.read(run_dir.spec_path), changes)
    return (
        f"its job waits with other settings: {told}; first cancel it (python -m sweeper cancel), or state what it has"
    )


def _case(run_dir: RunDir, spec: RunSpec, diagnosis: Diagnosis, before: int, *, asked: bool) -> Case:
    """The case of a run of which `before` jobs ended before its first attempt."""
    attempts = run_dir.attempts()
    ends = [attempt.read("exit") for attempt in attempts]
    env, beat = (attempts[-1].read("env"), attempts[-1].heartbeat()) if attempts else (None, None)
    # An attempt without a record was killed: counted as the class of the last one, but for those after which SLURM
    # queued the same job again, as it does after a preemption or the loss of a node.
    jobs = [(attempt.read("env") or {}).get("job") for attempt in attempts]
    was_requeued = [job is not None and job == later for job, later in zip(jobs, [*jobs[1:], None], strict=False)]
    failed = [
        (attempt, end.get("class") if end else diagnosis.failure_class)
        for attempt, end, again in zip(attempts, ends, was_requeued, strict=True)
        if (end["status"] not in _ENDED_BY_SLURM if end else not again)
    ]
    is_slurms = diagnosis.failure_class in (FailureClass.preempted, FailureClass.cancelled)
    devices = spec.model.resources.devices
    node = env.get("node") if env else None
    return Case(
        spec=spec,
        failure_class=diagnosis.failure_class,
        evidence=diagnosis.evidence,
        phase=ends[-1]["phase"] if ends and ends[-1] else beat.phase if beat else None,
        nodes=(node,) if node else (),
        failures=0 if is_slurms else before + sum(kind == diagnosis.failure_class for _, kind in failed),
        gpu_hours=sum(attempt.seconds() for attempt, _ in failed) * devices / 3600,
        asked=asked,
    )
