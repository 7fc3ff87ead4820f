"""Rows of a sweep over every axis, from the synthetic truth: sizes, scales, algorithms, orders, SFT shares, mixes.

The added effects are chosen, not measured: PPO gains a little less, an SFT share of a half gains most, training on one
domain helps that domain most. They let every section of a report have something to say.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from sweeper.rows.curve_point import CurvePoint
from sweeper.rows.row import ResultRow, problems_path, read_row, row_path
from tests.analysis.synthetic_rows import DOMAINS, SIZES, Truth, scores_of, write_counts, write_run

LONG = Truth(steps=40)


def write_whole_sweep(results: Path, *, seeds: int = 3, sizes: dict[str, int] | None = None) -> None:
    """Every axis in turn; about 24 runs a seed."""
    models = sizes or SIZES
    for seed in range(seeds):
        for model, size in models.items():
            for scale in (64, 512):
                _write(results, model, size, scale=scale, seed=seed)
        model, size = list(models.items())[1]
        for algorithm, shift in (("ppo", -0.15), ("reinforce_plus_plus", -0.05)):
            _write(results, model, size, algorithm=algorithm, seed=seed, shift=shift)
        for curriculum, shift in (("easy_to_hard", 0.05), ("hard_to_easy", -0.1)):
            _write(results, model, size, seed=seed, shift=shift, curriculum=curriculum)
        for share, shift in ((0.25, 0.15), (0.5, 0.2), (0.75, 0.1), (0.9, -0.2)):
            n_sft = round(share * 512)
            _write(results, model, size, seed=seed, shift=shift, n_sft=n_sft, n_unique=512 - n_sft)
        for tau, shift in ((2.0, 0.0), (5.0, -0.02), (20.0, -0.1), (50.0, -0.25)):
            _write(
                results, model, size, seed=seed, shift=shift, reuse=tau, n_unique=round(512 / tau), data_scale="reuse"
            )
        for domain in DOMAINS:
            _write(results, model, size, seed=seed, domain_mix=domain, only=domain)


def write_long_runs(results: Path, *, runs: int, steps: int) -> None:
    """Runs validated at every step: sizes x scales x seeds x as many algorithms as make up the number."""
    models = SIZES | {"tiny-6m": 6_000_000}
    scales, seeds = (64, 128, 256, 512), range(5)
    names = [f"algorithm_{i}" for i in range(-(-runs // (len(models) * len(scales) * len(seeds))))]
    points = [(m, n, s, a) for a in names for m in models for n in scales for s in seeds][:runs]
    for model, scale, seed, algorithm in points:
        _write(results, model, models[model], seed=seed, scale=scale, algorithm=algorithm, truth=Truth(steps=steps))


def _write(
    results: Path,
    model: str,
    size: int,
    *,
    seed: int,
    scale: int = 512,
    algorithm: str = "grpo",
    shift: float = 0.0,
    only: str | None = None,
    truth: Truth = LONG,
    **fields: object,
) -> None:
    marks = "-".join(str(value) for value in fields.values()) or "plain"
    run_id = f"{model}_{algorithm}_{marks}_n{scale}_s{seed}"
    row = write_run(results, run_id, model=model, size=size, scale=scale, algorithm=algorithm, seed=seed, truth=truth)
    row = replace(
        row, group_id=f"{row.group_id}-{marks}", **{"curriculum": "mixed", "n_sft": 0, "reuse": 1.0, **fields}
    )
    row = replace(row, problems_seen=row.n_unique)
    rng = np.random.default_rng([size, scale, seed, len(run_id)])
    lines = [json.loads(line) for line in problems_path(results, run_id).read_text().splitlines()]
    correct = np.array([_moved(line, shift, only, rng) for line in lines])
    write_counts(problems_path(results, run_id), correct, truth)
    row = replace(row, trained=scores_of(correct, truth), curve=_validated(row, rng))
    row_path(results, row.run_id).write_text(row.to_json())
    assert read_row(row_path(results, row.run_id)) == row


def _moved(line: dict[str, object], shift: float, only: str | None, rng: np.random.Generator) -> int:
    n, c = int(str(line["n"])), int(str(line["c"]))
    share = min(max(c / n, 1e-3), 1 - 1e-3)
    off = shift - (0.5 if only not in (None, line["domain"]) else 0.0)
    return int(rng.binomial(n, 1 / (1 + (1 - share) / share * np.exp(-off)))) if off else c


def _validated(row: ResultRow, rng: np.random.Generator) -> tuple[CurvePoint, ...]:
    """A validation at every step: error = level x step^-k(N), with noise that outlasts a step."""
    slope = 0.08 / (1 + 2e5 / row.n_params_non_embedding)
    level = 0.86 - 0.03 * np.log10(row.n_params_non_embedding / 1e4)
    noise, points = 0.0, []
    for item in row.curve:
        noise = 0.5 * noise + rng.normal(0, 0.008)
        error = level * max(item.step, 0.7) ** -slope + noise
        points.append(replace(item, val_pass1=float(np.clip(1 - error, 0, 1)), entropy=0.9 - 0.01 * item.step))
    return tuple(points)
