"""Result rows of runs that were never run, for tests of what reads rows."""

from sweeper.rows.curve_point import CurvePoint
from sweeper.rows.row import SCHEMA_VERSION, Failure, ResultRow, Status, Timing
from sweeper.rows.score import PassAtK, Score
from sweeper.spec.run import RunSpec


def row(
    run: RunSpec,
    *,
    failure: Failure | None = None,
    total_s: float = 100.0,
    train_samples: int | None = 1000,
    pass1: float = 0.5,
    attempts: int = 1,
) -> ResultRow:
    """A completed row of a run, or a failed one."""
    done = failure is None
    return ResultRow(
        schema_version=SCHEMA_VERSION,
        run_id=run.run_id,
        group_id=run.group_id,
        status=Status.completed if done else Status.failed,
        failure=failure,
        model=run.model.name,
        family=run.model.family,
        n_params=run.model.architecture.n_params,
        n_params_non_embedding=run.model.architecture.n_params_non_embedding,
        algorithm=run.algorithm.name,
        domain_mix=run.domain_mix.name,
        data_scale=run.data_scale.name,
        n_unique=run.data_scale.n_unique,
        problems_seen=run.problems_seen,
        seed=run.seed,
        steps=run.total_steps if done else 0,
        train_samples=train_samples if done else None,
        train_tokens=None,
        flops=None,
        gpu_seconds=None,
        base=(_score(0.25),) if done else (),
        trained=(_score(pass1),) if done else (),
        curve=(_point(1), _point(2)) if done else (),
        timing=Timing(
            queued_at="2026-01-01T00:00:00+00:00",
            started_at="2026-01-01T00:00:01+00:00",
            ended_at="2026-01-01T00:01:41+00:00",
            startup_s=None,
            train_s=80.0,
            evaluate_s=5.0,
            total_s=total_s,
            attempts=attempts,
        ),
        provenance=None,
        settings=run.settings(),
    )


def _score(pass1: float) -> Score:
    return Score(
        domain="all",
        n_problems=8,
        n_samples=8,
        pass_at_k=(PassAtK(k=1, value=pass1), PassAtK(k=8, value=0.75), PassAtK(k=16, value=None)),
        outcomes={"correct": round(64 * pass1), "wrong": 64 - round(64 * pass1)},
    )


def _point(step: int) -> CurvePoint:
    return CurvePoint(
        step=step,
        reward=0.1 * step,
        val_pass1=None,
        response_length=4.0,
        entropy=1.0,
        kl=0.0,
        tokens=None,
        seconds=2.0,
    )
