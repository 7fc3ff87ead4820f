"""Selections with a planted truth, made in memory: problem p is solved with probability logistic(skill - d_p).

Skill is what a test plants, plus a run's own deviation (`seed_sd`), plus a problem's own response to the run
(`interaction`). The counts are binomial; a row's scores are computed from them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from analysis.runs.counts import Counts
from analysis.runs.selection import Run, Selection
from sweeper.rows.curve_point import CurvePoint
from sweeper.rows.problems_seen import seen_of
from sweeper.rows.row import Failure, Status
from sweeper.rows.score import PassAtK, Score
from tests.analysis.synthetic_rows import Truth, _row

DOMAINS = ("code", "logic", "math", "stem")


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One run; `skill` on a logit scale, by domain where it differs from the common one."""

    skill: float = 0.0
    by_domain: dict[str, float] = field(default_factory=dict)
    base: float | None = 0.0  # None: the base model was not measured
    model: str = "m-1"
    size: int = 100_000
    algorithm: str = "grpo"
    domain_mix: str = "uniform"
    curriculum: str | None = "mixed"
    n_unique: int | None = 1024
    n_sft: int | None = 0
    steps: int = 20
    seed: int = 0
    curve: tuple[CurvePoint, ...] = ()
    flops: float | None = None
    failed: bool = False
    row: dict[str, Any] = field(default_factory=dict)  # further fields of the row that tell configurations apart


def selection(
    runs: list[Planted],
    *,
    rng: int = 0,
    n_problems: int = 64,
    n_samples: int = 64,
    seed_sd: float = 0.0,
    interaction: float = 0.0,
    missing: tuple[str, ...] = (),
) -> Selection:
    """Runs drawn from the truth."""
    generator = np.random.default_rng(rng)
    difficulty = generator.normal(0.8, 1.5, n_problems)
    made = [_run(item, generator, difficulty, n_samples, seed_sd, interaction) for item in runs]
    return Selection(record=None, runs=tuple(made), missing=missing, digest="0")


def curve(
    pass1: Callable[[float], float],
    *,
    steps: int = 40,
    every: int = 2,
    sd: float = 0.004,
    rng: int = 0,
    **others: Callable[[int], float],
) -> tuple[CurvePoint, ...]:
    """Validation every few steps around a function of the step; `others` set further fields, by step."""
    noise = np.random.default_rng(rng).normal(0, sd, steps + 1)
    points = []
    for step in range(1, steps + 1):
        point = CurvePoint(
            step=step,
            reward=float(pass1(step) + noise[step]),
            val_pass1=float(pass1(step) + noise[step]) if step % every == 0 else None,
            response_length=10.0,
            entropy=0.8,
            kl=0.001,
            tokens=4096,
            seconds=1.0,
        )
        points.append(replace(point, **{name: value(step) for name, value in others.items()}))
    return tuple(points)


def population(skill: float, *, extra_sd: float = 0.0) -> float:
    """Mean solve rate of a skill over the population of problems, and of runs and responses of `extra_sd` together."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    spread = np.hypot(1.5, extra_sd)
    return float(np.sum(weights / (1 + np.exp(0.8 + spread * nodes - skill))) / np.sqrt(2 * np.pi))


def without_counts(run: Run) -> Run:
    """The run with its row alone."""
    return Run(row=run.row, trained=None, base=None)


def _run(
    item: Planted,
    rng: np.random.Generator,
    difficulty: np.ndarray,
    n_samples: int,
    seed_sd: float,
    interaction: float,
) -> Run:
    scale = item.n_unique or 0
    row = _row(
        f"{item.model}_{item.algorithm}_{item.domain_mix}_n{scale}_{item.curriculum}_{item.n_sft}_t{item.steps}_s{item.seed}"
        + "".join(f"_{name}{value}" for name, value in item.row.items()),
        model=item.model,
        size=item.size,
        scale=scale,
        algorithm=item.algorithm,
        seed=item.seed,
        truth=Truth(steps=item.steps),
    )
    settings = (item.model, item.algorithm, item.domain_mix, scale, item.curriculum, item.n_sft, item.steps, item.row)
    problems_seen, reuse = seen_of(item.n_unique, item.steps * 16)
    row = replace(
        row,
        group_id=repr(settings),
        domain_mix=item.domain_mix,
        curriculum=item.curriculum,
        n_unique=item.n_unique,
        n_sft=item.n_sft,
        curve=item.curve,
        timing=None,
        **{"problems_seen": problems_seen, "reuse": reuse, **item.row},
    )
    if item.flops is not None and row.flops is not None:
        row = replace(row, flops=replace(row.flops, total=item.flops))
    if item.failed:
        failure = Failure(phase="train", reason="RuntimeError: loss is nan", log="log.txt")
        row = replace(row, status=Status.failed, failure=failure, flops=None, curve=())
        return Run(row=row, trained=None, base=None)
    own = rng.normal(0, seed_sd) + rng.normal(0, interaction, len(difficulty))
    skill = np.array([item.by_domain.get(DOMAINS[i % 4], item.skill) for i in range(len(difficulty))])
    trained = _counts(rng, skill + own - difficulty, n_samples)
    base = None
    if item.base is not None:
        fixed = np.random.default_rng([item.size, len(difficulty), 3])
        base = _counts(fixed, item.base - difficulty, n_samples)
    row = replace(row, trained=_scores(trained), base=_scores(base) if base else ())
    return Run(row=row, trained=trained, base=base)


def _counts(rng: np.random.Generator, logits: np.ndarray, n_samples: int) -> Counts:
    c = rng.binomial(n_samples, 1 / (1 + np.exp(-logits)))
    return Counts(
        problem_ids=tuple(f"p{i:04d}" for i in range(len(c))),
        domains=tuple(DOMAINS[i % 4] for i in range(len(c))),
        n=(n_samples,) * len(c),
        c=tuple(int(value) for value in c),
    )


def _scores(counts: Counts) -> tuple[Score, ...]:
    scores = []
    for domain in ("all", *DOMAINS):
        rates = [c / n for c, n, own in zip(counts.c, counts.n, counts.domains, strict=True) if domain in ("all", own)]
        scores.append(
            Score(
                domain=domain,
                n_problems=len(rates),
                n_samples=counts.n[0],
                pass_at_k=(PassAtK(k=1, value=float(np.mean(rates))),),
                outcomes={},
            )
        )
    return tuple(scores)
