"""One run, from its frozen spec to its row: `python -m sweeper.job.run RESULTS_DIR RUN_ID`.

The only code that runs on a compute node. It may be killed at any moment: finished phases leave files that are not
made twice, verl resumes from its last checkpoint, and the row appears whole or not at all.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType

from sweeper.evaluation.measure import measure, measure_base
from sweeper.evaluation.screen import screen
from sweeper.host.errors import ConfigError, RunFailedError, SweeperError
from sweeper.host.files import LockedError, locked, write_atomic
from sweeper.host.machine import Device, code_digest, device_name, git_state, hostname, resolve_device, versions
from sweeper.host.process import adopt_orphans, kill_descendants, run_child
from sweeper.inputs.data import prepared
from sweeper.inputs.models import fine_tuned, fine_tuning_tokens, prepare
from sweeper.rows.counts import ProblemCount, evaluated_tokens, read_counts, scores
from sweeper.rows.curve import read_curve
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.flops import Tokens, training_flops
from sweeper.rows.row import (
    SCHEMA_VERSION,
    CurvePoint,
    Failure,
    Flops,
    Provenance,
    ResultRow,
    Status,
    Timing,
    base_problems_path,
    problems_path,
    read_row,
    row_path,
    write_row,
)
from sweeper.runs import adjustment
from sweeper.runs.folder import Attempt, RunDir
from sweeper.runs.triage import Diagnosis, Ending, classify, of_exception, tail
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from sweeper.training import checkpoint, ray_nodes
from sweeper.training.ray_nodes import Node
from sweeper.training.train import Watch, share_of_node, train
from sweeper.training.validation import validation_tokens

EXIT_FAILED, EXIT_LOCKED, EXIT_EXPIRED, EXIT_TERMINATED = 1, 75, 85, 143


@dataclass(slots=True, kw_only=True)
class Measured:
    """What the phases have produced so far; what is missing stays None."""

    started_at: str
    device: Device
    data_digest: str | None = None
    model_digest: str | None = None
    n_unique: int | None = None
    n_sft: int | None = None
    fine_tuning: Tokens | None = None
    tokenizer: Path | None = None
    startup_s: float | None = None
    train_s: float | None = None
    evaluate_s: float | None = None
    base: list[ProblemCount] | None = None
    trained: list[ProblemCount] | None = None
    phase: str = "data"


class Terminated(BaseException):
    """SIGTERM arrived: stop children and leave, to be resumed later."""


class Expired(BaseException):
    """SIGUSR2 arrived: the time limit is near, or a more important job wants the node."""


def run(results_dir: Path, run_id: RunId) -> int:
    """Execute a run under its lock; returns the process's exit code."""
    run_dir = RunDir(results_dir=results_dir, run_id=run_id)
    node = Node.here()
    if node.rank > 0:
        return _help(run_dir, node)
    try:
        with locked(run_dir.path / "lock", wait=False):
            row = row_path(results_dir, run_id)
            if row.exists() and read_row(row).status is Status.completed:
                return 0  # queued twice, or requeued after its end
            return _attempt(run_dir, run_dir.spec())
    except LockedError as error:
        print(error, file=sys.stderr)
        return EXIT_LOCKED
    finally:
        if node.count > 1:
            node.end(run_dir.path).touch()


def _help(run_dir: RunDir, node: Node) -> int:
    """Be a node beside the one that runs the phases."""
    spec = run_dir.spec()
    adopt_orphans()
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # the first node decides
    log = run_dir.path / "nodes" / f"{node.job}-{node.rank}.txt"
    log.parent.mkdir(exist_ok=True)
    try:
        share = share_of_node(spec, resolve_device(spec.cluster.device))
        return ray_nodes.serve(node, run_dir.path, share, log=log)
    except (Terminated, KeyboardInterrupt):
        kill_descendants()
        return EXIT_TERMINATED


def _attempt(run_dir: RunDir, spec: RunSpec) -> int:
    attempt = run_dir.new_attempt()
    _redirect(attempt.log)
    adopt_orphans()
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGUSR2, _expire)
    measured = Measured(started_at=_now(), device=resolve_device(spec.cluster.device))
    attempt.write(
        "env",
        {
            "time": time.time(),
            "host": hostname(),
            "node": os.environ.get("SLURMD_NODENAME") if Node.here().count == 1 else None,
            "adjustment": dict(adjustment.read(run_dir.path)),
            "device": measured.device,
            "versions": versions(),
            "git": git_state(),
        },
    )
    started = time.monotonic() - sum(earlier.seconds() for earlier in run_dir.attempts()[:-1])
    try:
        _phases(run_dir, spec, attempt, measured)
    except (Terminated, KeyboardInterrupt):
        kill_descendants()
        attempt.write("exit", {"status": "terminated", "phase": measured.phase, "time": _now()})
        return EXIT_TERMINATED
    except Expired:
        kill_descendants()
        return _expired(run_dir, spec, attempt, measured, time.monotonic() - started)
    except (SweeperError, OSError, ValueError) as error:
        text = f"{type(error).__name__}: {error}" if not isinstance(error, SweeperError) else str(error)
        known = of_exception(error)
        return _failed(run_dir, spec, attempt, measured, time.monotonic() - started, text, known)
    _finish(run_dir, spec, attempt, measured, time.monotonic() - started, None)
    return 0


def _failed(
    run_dir: RunDir,
    spec: RunSpec,
    attempt: Attempt,
    measured: Measured,
    seconds: float,
    reason: str,
    known: FailureClass | None,
) -> int:
    """Write the row of a run that failed in the phase it is in; `known` is the class if it need not be looked for."""
    if known is None:
        diagnosis = classify(Ending(status="failed", reason=reason, log=tail(attempt.log)))
    else:
        diagnosis = Diagnosis(failure_class=known, evidence=reason[:300])
    print(f"FAILED in {measured.phase} ({diagnosis.failure_class}): {reason}", flush=True)
    failure = Failure(
        phase=measured.phase,
        reason=reason,
        log=str(attempt.log.relative_to(run_dir.results_dir)),
        failure_class=diagnosis.failure_class,
        evidence=diagnosis.evidence,
    )
    _finish(run_dir, spec, attempt, measured, seconds, failure)
    return EXIT_FAILED


def _expired(run_dir: RunDir, spec: RunSpec, attempt: Attempt, measured: Measured, seconds: float) -> int:
    """End an attempt that ran out of time; fails the run if the attempt before it came no further either."""
    steps = checkpoint.trained_steps(run_dir.checkpoints)
    ending = {"status": "expired", "phase": measured.phase, "steps": steps}
    before = run_dir.attempts()[:-1][-1:]
    earlier = before[0].read("exit") if before else None
    if earlier is not None and {key: earlier.get(key) for key in ending} == ending:
        reason = (
            f"two attempts in a row met the time limit in {measured.phase} after {steps} saved steps; raise "
            "model.resources.hours or lower training.save_freq"
        )
        return _failed(run_dir, spec, attempt, measured, seconds, reason, FailureClass.timeout)
    attempt.write("exit", {"time": _now(), **ending})
    return EXIT_EXPIRED


def _phases(run_dir: RunDir, spec: RunSpec, attempt: Attempt, measured: Measured) -> None:
    results = run_dir.results_dir
    watch = Watch(spec, attempt, hostname(), os.getpid())

    def enter(phase: str) -> None:
        measured.phase = phase
        watch.phase(phase)
        print(f"== {_now()} {phase}", flush=True)

    node, wanted = Node.here(), spec.model.resources.nodes
    if node.count != wanted:
        raise ConfigError(f"the job has {node.count} nodes, but model.resources.nodes={wanted}; submit it anew")
    enter("data")
    data = prepared(spec, results)
    measured.data_digest = data.manifest.parent.name
    enter("model")
    model = prepare(spec, results, log=attempt.log)
    measured.model_digest, measured.tokenizer = model.digest, model.path / "tokenizer.json"
    enter("evaluate base")
    measure_untrained = partial(
        measure_base, spec, results, device=measured.device, log=attempt.log, on_tick=watch.listen
    )
    base_out = measure_untrained(model=model, problems=data.evaluation)
    measured.base = read_counts(base_out)
    measured.n_sft, measured.fine_tuning = 0, Tokens(sequences=0, total=0)
    if data.sft is not None:
        enter("fine-tune")
        model = fine_tuned(spec, model, data.sft, results, log=attempt.log, on_tick=watch.listen)
        measured.n_sft, measured.fine_tuning = _n_rows(data.sft), fine_tuning_tokens(model)
    train_file = data.train
    if spec.data.screen.n_samples:
        enter("screen")
        train_file = screen(
            spec,
            train_file=data.train,
            out=run_dir.path / "train.parquet",
            count=lambda problems: measure_untrained(
                model=model, problems=problems, n=spec.data.screen.n_samples, screening=True
            ),
        )
    measured.n_unique = _n_rows(train_file)
    enter("train")
    earlier = read_curve(item.metrics for item in run_dir.attempts())
    logged = max((point.step for point in earlier if point.reward is not None), default=0)
    checkpoint.rewind(run_dir.checkpoints, logged)
    if checkpoint.trained_steps(run_dir.checkpoints) < spec.total_steps:
        measured.train_s = train(
            spec,
            run_dir,
            attempt,
            model=model.path,
            train_file=train_file,
            val_file=data.val,
            device=measured.device,
            node=node,
            watch=watch,
        )
        measured.startup_s = watch.startup_s
    final = _final_weights(run_dir, spec, attempt)
    enter("evaluate")
    out = run_dir.path / "counts.jsonl"
    measured.evaluate_s = measure(
        spec,
        model=final,
        data=data.evaluation,
        out=out,
        seed=spec.seed,
        device=measured.device,
        log=attempt.log,
        on_tick=watch.listen,
    )
    measured.trained = read_counts(out)
    write_atomic(base_problems_path(results, run_dir.run_id), base_out.read_text())
    write_atomic(problems_path(results, run_dir.run_id), out.read_text())


def _n_rows(file: Path) -> int:
    from pyarrow import parquet

    return int(parquet.read_metadata(file).num_rows)


def _final_weights(run_dir: RunDir, spec: RunSpec, attempt: Attempt) -> Path:
    actor = checkpoint.policy(run_dir.checkpoints, spec.total_steps)
    if not checkpoint.weights(actor).is_dir():
        raise RunFailedError(f"verl ended without an error but left no weights of step {spec.total_steps} in {actor}")
    if spec.algorithm.lora.rank == 0:
        return checkpoint.weights(actor)
    merged = checkpoint.merged_weights(actor)
    if not merged.is_dir():
        run_child([sys.executable, "-m", "sweeper.training.lora", str(actor), str(merged)], log=attempt.log, env={})
    return merged


def _finish(
    run_dir: RunDir, spec: RunSpec, attempt: Attempt, measured: Measured, seconds: float, failure: Failure | None
) -> None:
    row = _row(run_dir, spec, measured, seconds, failure)
    write_row(run_dir.results_dir, row)
    end: dict[str, str | None] = {"status": row.status, "phase": measured.phase, "time": _now()}
    if failure is not None:
        end |= {"class": failure.failure_class, "evidence": failure.evidence}
    attempt.write("exit", end)


def _row(run_dir: RunDir, spec: RunSpec, measured: Measured, seconds: float, failure: Failure | None) -> ResultRow:
    attempts = run_dir.attempts()
    curve = read_curve(item.metrics for item in attempts)
    trained_points = [point for point in curve if point.reward is not None]
    steps = len(trained_points)
    samples = steps * spec.training.train_batch_size * spec.algorithm.rollout_n
    counted = [point.tokens for point in trained_points if point.tokens is not None]
    tokens = sum(counted) if counted and len(counted) == steps else None
    architecture, kl = spec.model.architecture, spec.algorithm.kl
    commit, dirty = git_state()
    return ResultRow(
        schema_version=SCHEMA_VERSION,
        run_id=run_dir.run_id,
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
        n_sft=measured.n_sft,
        reuse=steps * spec.training.train_batch_size / measured.n_unique if measured.n_unique else None,
        curriculum=spec.curriculum.name,
        rollout_n=spec.algorithm.rollout_n,
        lora_rank=spec.algorithm.lora.rank,
        kl_loss_coef=kl.loss_coef if kl.in_loss else 0.0,
        kl_reward_coef=kl.reward_coef if kl.in_reward else 0.0,
        seed=spec.seed,
        steps=steps,
        train_samples=samples,
        train_tokens=tokens,
        flops=_flops(run_dir, spec, measured, trained_points),
        gpu_seconds=_gpu_seconds(spec, measured, trained_points),
        base=scores(measured.base, spec.eval.ks) if measured.base else (),
        trained=scores(measured.trained, spec.eval.ks) if measured.trained else (),
        curve=tuple(curve),
        timing=Timing(
            queued_at=_stamp(run_dir.spec_path.stat().st_mtime),
            started_at=measured.started_at,
            ended_at=_now(),
            startup_s=measured.startup_s,
            train_s=measured.train_s,
            evaluate_s=measured.evaluate_s,
            total_s=seconds,
            attempts=len(attempts),
        ),
        provenance=Provenance(
            git_commit=commit,
            git_dirty=dirty,
            host=hostname(),
            device=measured.device,
            device_name=device_name(measured.device),
            n_devices=spec.model.resources.devices,
            versions=versions(),
            data_digest=measured.data_digest,
            model_digest=measured.model_digest,
            code_digest=code_digest(),
        ),
    )


def _flops(run_dir: RunDir, spec: RunSpec, measured: Measured, points: list[CurvePoint]) -> Flops | None:
    """The ledger; None when a step's tokens were not logged, or no step was made."""
    a_step = spec.training.train_batch_size * spec.algorithm.rollout_n
    tokens = [point.tokens for point in points if point.tokens is not None]
    if not points or len(tokens) != len(points):
        return None
    responses = [a_step * point.response_length for point in points if point.response_length is not None]
    counts = measured.trained
    return training_flops(
        spec,
        steps=len(points),
        rollouts=Tokens(
            sequences=len(points) * a_step,
            total=sum(tokens),
            response=sum(responses) if len(responses) == len(points) else None,
        ),
        evaluation=evaluated_tokens(counts) if counts else None,
        validation=validation_tokens(run_dir.path / "val", measured.tokenizer) if measured.tokenizer else None,
        fine_tuning=measured.fine_tuning,
    )


def _gpu_seconds(spec: RunSpec, measured: Measured, points: list[CurvePoint]) -> float | None:
    seconds = [point.seconds for point in points if point.seconds is not None]
    if measured.device is not Device.cuda or not seconds:
        return None
    return sum(seconds) * spec.model.resources.devices


def _redirect(log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _terminate(signum: int, frame: FrameType | None) -> None:
    del signum, frame
    raise Terminated


def _expire(signum: int, frame: FrameType | None) -> None:
    del signum, frame
    raise Expired


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]).resolve(), RunId(sys.argv[2])))
