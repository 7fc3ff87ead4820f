"""Result rows from a synthetic truth: real files, written as the sweep writes them.

The truth: problem p of difficulty d_p is solved by a sample with probability logistic(skill - d_p), where skill grows
with the logarithm of model size and with training.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sweeper.rows.passk import Count, mean_pass_at_k
from sweeper.rows.row import (
    CurvePoint,
    Failure,
    Flops,
    Provenance,
    ResultRow,
    Status,
    Timing,
    base_problems_path,
    problems_path,
    write_row,
)
from sweeper.rows.score import PassAtK, Score

DOMAINS = ("code", "logic", "math", "stem")
KS = (1, 2, 4, 8, 16, 32, 64, 128)
SIZES = {"tiny-40k": 27_000, "tiny-130k": 102_000, "tiny-450k": 400_000, "tiny-1.6m": 1_500_000}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What the rows are drawn from."""

    n_problems: int = 64
    n_samples: int = 128
    skill_per_decade: float = 1.1
    gain: float = 0.9
    steps: int = 30
    shared_problems: bool = True


def write_grid(
    results: Path,
    *,
    models: dict[str, int] | None = None,
    scales: tuple[int, ...] = (64, 512),
    algorithms: tuple[str, ...] = ("grpo",),
    seeds: tuple[int, ...] = (0,),
    grid: str = "model_scale",
    truth: Truth | None = None,
    failed: tuple[str, ...] = (),
    missing: tuple[str, ...] = (),
) -> list[str]:
    """A whole grid of rows, counts and the grid file; returns every run id of the grid."""
    models = models or SIZES
    run_ids = []
    for model, size in models.items():
        for scale in scales:
            for algorithm in algorithms:
                for seed in seeds:
                    run_id = f"{model}_{algorithm}_uniform_n{scale}_s{seed}-{_hex(model, scale, algorithm, seed)}"
                    run_ids.append(run_id)
                    if run_id.rsplit("-", 1)[0] in missing:
                        continue
                    row = write_run(
                        results,
                        run_id,
                        model=model,
                        size=size,
                        scale=scale,
                        algorithm=algorithm,
                        seed=seed,
                        truth=truth or Truth(),
                        failed=run_id.rsplit("-", 1)[0] in failed,
                    )
                    assert row.run_id == run_id
    axes = {"model": list(models), "data_scale": [f"n{scale}" for scale in scales]}
    folder = results / "grids"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{grid}.json").write_text(json.dumps({"grid": grid, "axes": axes, "run_ids": run_ids}))
    return run_ids


def write_run(
    results: Path,
    run_id: str,
    *,
    model: str,
    size: int,
    scale: int,
    algorithm: str,
    seed: int,
    truth: Truth,
    failed: bool = False,
) -> ResultRow:
    rng = np.random.default_rng([size, scale, seed, len(algorithm)])
    base_rng = np.random.default_rng([size, 7])
    difficulty = np.random.default_rng(5).normal(3.0, 1.8, truth.n_problems)
    skill = truth.skill_per_decade * (np.log10(size) - 4)
    trained_skill = skill + truth.gain * (0.6 + 0.25 * np.log10(scale / 16)) + rng.normal(0, 0.05)
    row = _row(run_id, model=model, size=size, scale=scale, algorithm=algorithm, seed=seed, truth=truth)
    if failed:
        failure = Failure(phase="train", reason="RuntimeError: loss is <nan> at step 7", log=f"runs/{run_id}/log.txt")
        row = replace(row, status=Status.failed, failure=failure, flops=None, steps=7)
        write_row(results, row)
        return row
    base = _sample(base_rng, skill - difficulty, truth.n_samples)
    trained = _sample(rng, trained_skill - difficulty, truth.n_samples)
    row = replace(
        row,
        base=scores_of(base, truth),
        trained=scores_of(trained, truth),
        curve=_curve(rng, skill, trained_skill, truth),
    )
    write_row(results, row)
    write_counts(base_problems_path(results, run_id), base, truth)
    write_counts(problems_path(results, run_id), trained, truth)
    return row


def write_counts(path: Path, correct: np.ndarray, truth: Truth) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps(
            {
                "problem_id": f"p{i:04d}",
                "data_source": f"synthetic_{DOMAINS[i % 4]}",
                "domain": DOMAINS[i % 4],
                "n": truth.n_samples,
                "c": int(c),
                "outcomes": {"correct": int(c), "wrong": truth.n_samples - int(c)},
                "prompt_tokens": 20,
                "response_tokens": 10 * truth.n_samples,
            }
        )
        for i, c in enumerate(correct)
    ]
    path.write_text("\n".join(lines) + "\n")


def _sample(rng: np.random.Generator, logits: np.ndarray, n: int) -> np.ndarray:
    return np.asarray(rng.binomial(n, 1 / (1 + np.exp(-logits))))


def scores_of(correct: np.ndarray, truth: Truth) -> tuple[Score, ...]:
    scores = []
    for domain in ("all", *DOMAINS):
        found = [int(c) for i, c in enumerate(correct) if domain in ("all", DOMAINS[i % 4])]
        counts = [Count(truth.n_samples, c) for c in found]
        total = truth.n_samples * len(found)
        scores.append(
            Score(
                domain=domain,
                n_problems=len(found),
                n_samples=truth.n_samples,
                pass_at_k=tuple(PassAtK(k=k, value=mean_pass_at_k(counts, k)) for k in KS),
                outcomes={"correct": sum(found), "wrong": total - sum(found)},
            )
        )
    return tuple(scores)


def _curve(rng: np.random.Generator, start: float, end: float, truth: Truth) -> tuple[CurvePoint, ...]:
    points = []
    for step in range(truth.steps + 1):
        progress = 1 - np.exp(-3 * step / truth.steps)
        mean = 1 / (1 + np.exp(2.4 - (start + (end - start) * progress)))
        points.append(
            CurvePoint(
                step=step,
                reward=None if step == 0 else float(np.clip(mean + rng.normal(0, 0.03), 0, 1)),
                val_pass1=float(np.clip(mean + rng.normal(0, 0.015), 0, 1)) if step % 5 == 0 else None,
                response_length=9.5,
                entropy=0.8,
                kl=0.001,
                tokens=4096,
                seconds=1.1,
            )
        )
    return tuple(points)


def _row(run_id: str, *, model: str, size: int, scale: int, algorithm: str, seed: int, truth: Truth) -> ResultRow:
    total = 8.0 * size * truth.steps * 4096
    return ResultRow(
        schema_version=1,
        run_id=run_id,
        group_id=_hex(model, scale, algorithm),
        status=Status.completed,
        failure=None,
        model=model,
        family="tiny",
        n_params=size + 9_216,
        n_params_non_embedding=size,
        algorithm=algorithm,
        domain_mix="uniform",
        data_scale=f"n{scale}",
        n_unique=scale,
        seed=seed,
        steps=truth.steps,
        train_samples=truth.steps * 128,
        train_tokens=truth.steps * 4096,
        flops=Flops(
            accounting="forward-2NT+attention/1",
            generation=total / 5,
            log_prob=total / 5,
            reference=0.0,
            actor=3 * total / 5,
            critic=0.0,
            evaluation=total / 10,
            total=total,
        ),
        gpu_seconds=None,
        base=(),
        trained=(),
        curve=(),
        timing=Timing(
            queued_at="2026-11-22T20:00:00+00:00",
            started_at="2026-11-22T20:00:01+00:00",
            ended_at=f"2026-11-22T20:{10 + len(model) % 40}:00+00:00",
            startup_s=31.0,
            train_s=60.0,
            evaluate_s=5.0,
            total_s=96.0,
            attempts=1,
        ),
        provenance=Provenance(
            git_commit="0123456789ab",
            git_dirty=False,
            host="node1",
            device="cpu",
            device_name="2-core CPU",
            n_devices=1,
            versions={"verl": "0.9.1", "torch": "2.13.0+cpu"},
            data_digest=f"data{scale:08d}",
            model_digest=_hex(model),
        ),
    )


def _hex(*parts: object) -> str:
    import hashlib

    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
