"""The row of a run, from its folder and from what its phases measured."""

from collections.abc import Sequence

from sweeper.evaluation.measure import Evaluated
from sweeper.host.machine import Device, code_digest, device_name, git_state, hostname, versions
from sweeper.job.phases import Measured
from sweeper.rows.counts import evaluated_tokens, scores
from sweeper.rows.curve import read_curve
from sweeper.rows.curve_point import CurvePoint
from sweeper.rows.flops import Tokens, training_flops
from sweeper.rows.groups import Discarded
from sweeper.rows.late_verdicts import of_steps
from sweeper.rows.problems_seen import seen_of
from sweeper.rows.row import (
    SCHEMA_VERSION,
    Failure,
    Flops,
    Provenance,
    ResultRow,
    Status,
    Timing,
)
from sweeper.rows.score import ScoresAfter
from sweeper.rows.trajectories import Trajectories
from sweeper.runs import adjustment
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.training.context import JobContext, now, stamp
from sweeper.training.lost_samples import lost_samples
from sweeper.training.overrides import other_sampler
from sweeper.training.validation import validation_tokens


def row_of(job: JobContext, measured: Measured, failure: Failure | None) -> ResultRow:
    """The row of an attempt that ends now.

    Args:
        job: The attempt; its curve and times, and those of the attempts before it, are read from their files.
        measured: What the phases returned; all of it unless there is a `failure`.
        failure: Why the run has no result; None: it has one.
    """
    spec, timing = job.spec, _timing(job, measured)  # before the time that the rest takes
    curve = read_curve(item.metrics for item in job.run_dir.attempts())
    points = [point for point in curve if point.reward is not None]
    steps, lost = len(points), lost_samples(job.run_dir.attempts())
    architecture, kl = spec.model.architecture, spec.algorithm.kl
    base, tuned, evaluated = measured.base, measured.fine_tuned, measured.evaluated
    verdicts, verdicts_missing = of_steps([point.verdicts for point in points], other_sampler(spec))
    problems_seen, reuse = seen_of(measured.n_unique, _drawn(spec, points))
    return ResultRow(
        schema_version=SCHEMA_VERSION,
        run_id=job.run_dir.run_id,
        group_id=spec.group_id,
        status=Status.completed if failure is None else Status.failed,
        failure=failure,
        model=spec.model.name,
        family=spec.model.family,
        n_params=architecture.n_params,
        n_params_non_embedding=architecture.n_params_non_embedding,
        n_params_head=architecture.n_params_head,
        n_params_active=architecture.n_params_active,
        algorithm=spec.algorithm.name,
        domain_mix=spec.domain_mix.name,
        data_scale=spec.data_scale.name,
        n_unique=spec.n_unique if measured.n_unique is None else measured.n_unique,
        n_sft=tuned.conversations if tuned else None,
        problems_seen=problems_seen,
        reuse=reuse,
        agent=spec.agent.name if spec.agent.acts else None,
        curriculum=spec.curriculum.name,
        rollout_n=spec.algorithm.rollout_n,
        lora_rank=spec.algorithm.lora.rank,
        kl_loss_coef=kl.loss_coef if kl.in_loss else 0.0,
        kl_reward_coef=kl.reward_coef if kl.in_reward else 0.0,
        seed=spec.seed,
        steps=steps,
        train_samples=steps * spec.training.train_batch_size * spec.algorithm.rollout_n - lost,
        lost_samples=lost,
        verdicts=verdicts,
        verdicts_missing=verdicts_missing,
        train_tokens=_tokens(points),
        timing=timing,
        provenance=_provenance(job, measured),
        gpu_seconds=_gpu_seconds(job.run_dir, points),
        flops=_flops(job, measured, points),
        base=scores(base.counts, spec.eval.ks) if base else (),
        trained=scores(evaluated.counts, spec.eval.ks) if evaluated else (),
        along=_along(spec, measured, failure),
        curve=tuple(curve),
        settings=spec.settings(),
    )


def _evaluations(measured: Measured) -> list[Evaluated]:
    """Of the trained model and its checkpoints; empty: none was made."""
    return [found for found in (measured.evaluated, *measured.along.values()) if found is not None]


def _along(spec: RunSpec, measured: Measured, failure: Failure | None) -> tuple[ScoresAfter, ...]:
    """Of every step that was to be evaluated, its scores or why there are none."""
    lost = "its weights were not there when the run had trained"
    before = f"the run failed in the phase {failure.phase}" if failure else lost
    return tuple(
        ScoresAfter(step=step, scores=scores(found.counts, spec.eval.ks))
        if (found := measured.along.get(step))
        else ScoresAfter(step=step, scores=(), missing=lost if step in measured.along else before)
        for step in spec.evaluated_steps
    )


def _tokens(points: Sequence[CurvePoint]) -> int | None:
    """Of all steps; None when a step's were not logged, or no step was made."""
    tokens = [point.tokens for point in points if point.tokens is not None]
    return sum(tokens) if points and len(tokens) == len(points) else None


def _flops(job: JobContext, measured: Measured, points: Sequence[CurvePoint]) -> Flops | None:
    """The ledger; None when the tokens are unknown."""
    tokens = _tokens(points)
    if tokens is None:
        return None
    per_step = job.spec.training.train_batch_size * job.spec.algorithm.rollout_n
    responses = [per_step * point.response_length for point in points if point.response_length is not None]
    gone = _discarded(points)
    evaluations = _evaluations(measured)
    tokenizer = measured.model.path / "tokenizer.json" if measured.model else None
    return training_flops(
        job.spec,
        steps=len(points),
        rollouts=Tokens(
            sequences=len(points) * per_step,
            total=tokens,
            response=sum(responses) if len(responses) == len(points) else None,
        ),
        validation=validation_tokens(job.run_dir.path / "val", tokenizer) if tokenizer else None,
        evaluation=evaluated_tokens([one for found in evaluations for one in found.counts]) if evaluations else None,
        fine_tuning=measured.fine_tuned.tokens if measured.fine_tuned else None,
        acted=_acted(points),
        discarded=Tokens(sequences=gone.responses, total=gone.tokens, response=gone.response_tokens) if gone else None,
    )


def _drawn(spec: RunSpec, points: Sequence[CurvePoint]) -> int | None:
    """Problems that the steps drew, those of discarded groups with them; None where those were not counted."""
    trained = len(points) * spec.training.train_batch_size
    if not spec.algorithm.filter_groups:
        return trained
    gone = _discarded(points)
    return None if gone is None else trained + gone.groups


def _discarded(points: Sequence[CurvePoint]) -> Discarded | None:
    """By all steps; None where one did not count."""
    known = [point.discarded for point in points if point.discarded is not None]
    return Discarded.total(known) if len(known) == len(points) else None


def _acted(points: Sequence[CurvePoint]) -> Trajectories | None:
    """Of all steps; None where there was no agent, or a step's trajectories were not logged."""
    known = [point.trajectories for point in points if point.trajectories is not None]
    return Trajectories.total(known) if len(known) == len(points) else None


def _gpu_seconds(run_dir: RunDir, points: Sequence[CurvePoint]) -> float | None:
    """Of all steps, each on the GPUs of the attempt that made it; None where one was made on none, or no step was."""
    gpus: dict[int, int] = {}
    frozen = RunSpec.read(run_dir.spec_path)
    for attempt in run_dir.attempts():
        on_gpus = (attempt.read("env") or {}).get("device") == Device.cuda
        gpus |= {step: devices if on_gpus else 0 for step, (_, devices) in _steps(frozen, attempt).items()}
    spent = [point.seconds * gpus[point.step] for point in points if point.seconds is not None]
    return sum(spent) if spent and all(gpus[point.step] for point in points) else None


def earlier_steps_s(run_dir: RunDir) -> float | None:
    """Wall seconds of the steps that attempts before the last made and it did not repeat; None as in `Timing`.

    0 where the last of several attempts began anew.
    """
    *earlier, last = run_dir.attempts()
    if not earlier:
        return None
    frozen = RunSpec.read(run_dir.spec_path)
    before = {step: made for attempt in earlier for step, made in _steps(frozen, attempt).items()}
    repeated, devices = _steps(frozen, last).keys(), _devices(frozen, last)
    kept = [made for step, made in before.items() if step not in repeated]
    known = [seconds for seconds, on in kept if seconds is not None and on == devices]
    return float(sum(known)) if len(known) == len(kept) else None


def _steps(frozen: RunSpec, attempt: Attempt) -> dict[int, tuple[float | None, int]]:
    """Wall seconds and devices of each training step that an attempt made."""
    devices = _devices(frozen, attempt)
    return {p.step: (p.seconds, devices) for p in read_curve([attempt.metrics]) if p.reward is not None}


def _devices(frozen: RunSpec, attempt: Attempt) -> int:
    changes = (attempt.read("env") or {}).get("adjustment", {})
    return adjustment.applied(frozen, changes).model.resources.devices


def _timing(job: JobContext, measured: Measured) -> Timing:
    return Timing(
        queued_at=stamp(job.run_dir.spec_path.stat().st_mtime),
        started_at=job.started_at,
        ended_at=now(),
        startup_s=measured.trained.startup_s if measured.trained else None,
        train_s=measured.trained.seconds if measured.trained else None,
        evaluate_s=sum(found.seconds for found in evaluations) if (evaluations := _evaluations(measured)) else None,
        total_s=job.seconds(),
        attempts=len(job.run_dir.attempts()),
        earlier_steps_s=earlier_steps_s(job.run_dir),
    )


def _provenance(job: JobContext, measured: Measured) -> Provenance:
    commit, dirty = git_state()
    return Provenance(
        git_commit=commit,
        git_dirty=dirty,
        host=hostname(),
        device=job.children.device,
        device_name=device_name(job.children.device),
        n_devices=job.spec.model.resources.devices,
        versions=versions(),
        data_digest=measured.data.manifest.parent.name if measured.data else None,
        model_digest=measured.model.digest if measured.model else None,
        code_digest=code_digest(),
    )
