"""Selections of agents with a planted truth, made in memory.

A sample on problem p is right within t turns with probability logistic(skill_t - d_p), where skill_t does not fall with
t: one uniform number a sample decides at which turn. A problem of level L needs L calls; a trajectory that uses the
tool makes `calls_per_need` x L of them on average (Poisson), of which a share fails.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from analysis.runs.counts import Counts
from analysis.runs.selection import Run, Selection
from sweeper.rows.curve_point import CurvePoint
from sweeper.rows.trajectories import Trajectories
from tests.analysis.questions.planted import DOMAINS, _row, _scores
from tests.analysis.synthetic_rows import Truth

LEVELS = (1, 2, 3)
MEAN_DIFFICULTY, SPREAD = 0.8, 1.5  # as `planted.population` has them


@dataclass(frozen=True, kw_only=True)
class Acting:
    """What one model does; `skills` within 1, 2, ... turns on a logit scale."""

    skills: tuple[float, ...] = (-1.5, -0.5, 0.3, 0.8)
    use: float = 0.9  # share of trajectories that use a tool
    calls_per_need: float = 1.0
    failed: float = 0.1  # share of calls
    tokens: int = 24  # generated per trajectory
    tells_budget: bool = False
    copies: int = 1  # right if one of so many independent attempts is: what as many samples give


@dataclass(frozen=True, kw_only=True)
class PlantedAgent:
    """One run; `agent` None: a run without one, whose skill is the last of `trained.skills`."""

    trained: Acting = field(default_factory=Acting)
    base: Acting | None = field(default_factory=lambda: Acting(skills=(-2.5, -2.0, -1.6, -1.4), use=0.5))
    agent: str | None = "calculator"
    model: str = "m-1"
    size: int = 100_000
    seed: int = 0
    flops: float = 1e9
    per_answer: float = 1e6  # FLOPs of one sample of the evaluation
    settings: dict[str, Any] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)


def agents(
    runs: list[PlantedAgent], *, rng: int = 0, n_problems: int = 60, n_samples: int = 32, seed_sd: float = 0.0
) -> Selection:
    """Runs drawn from the truth, on the same problems."""
    generator = np.random.default_rng(rng)
    difficulty = generator.normal(MEAN_DIFFICULTY, SPREAD, n_problems)
    made = tuple(_run(item, generator, difficulty, n_samples, seed_sd) for item in runs)
    return Selection(record=None, runs=made, missing=(), digest="0")


def trajectories(acting: Acting, level: int, at_turns: np.ndarray, n: int, rng: np.random.Generator) -> Trajectories:
    """What n samples on one problem did; `at_turns`: right ones within 1, 2, ... turns."""
    used = int(rng.binomial(n, acting.use))
    calls = int(rng.poisson(acting.calls_per_need * level * used)) if used else 0
    answered = max(int(at_turns[-1]), int(rng.binomial(n, 0.9)))
    return Trajectories(
        n=n,
        turns=n + calls,
        calls=calls,
        errors=int(rng.binomial(calls, acting.failed)),
        refused=0,
        used_a_tool=used,
        generated_tokens=acting.tokens * n,
        observed_tokens=5 * calls,
        prefilled_again_tokens=0,
        tool_cpu_s=0.0,
        ended={"answered": answered, "turn_limit": n - answered},
        correct_at_turns=() if acting.tells_budget else tuple(map(int, at_turns)),
    )


def along(shares: list[float], n: int = 128) -> tuple[CurvePoint, ...]:
    """A curve whose steps use a tool in these shares."""
    points = []
    for step, share in enumerate(shares, 1):
        used = round(share * n)
        found = trajectories(Acting(use=0.0), 1, np.zeros(4), n, np.random.default_rng(step))
        found = replace(found, used_a_tool=used, calls=used)
        point = CurvePoint(
            step=step, reward=0.3, val_pass1=None, response_length=9.0, entropy=0.8, kl=None, tokens=4096, seconds=1.0
        )
        points.append(replace(point, trajectories=found))
    return tuple(points)


def _run(item: PlantedAgent, rng: np.random.Generator, difficulty: np.ndarray, n_samples: int, seed_sd: float) -> Run:
    told = {"agent.name": item.agent, "agent.max_turns": len(item.trained.skills)} if item.agent else {}
    told |= {"agent.tell_budget": item.trained.tells_budget, "agent.tools": [item.agent]} if item.agent else {}
    settings = {"model.name": item.model, "data.tasks": "agent", **told, **item.settings}
    name = f"{item.model}_{item.agent}_{item.settings}_{item.row}_t{len(item.trained.skills)}"
    row = _row(
        f"{name}_s{item.seed}",
        model=item.model,
        size=item.size,
        scale=64,
        algorithm="grpo",
        seed=item.seed,
        truth=Truth(),
    )
    shift = rng.normal(0, seed_sd)
    trained = _counts(item, item.trained, shift - difficulty, n_samples, rng)
    fixed = np.random.default_rng([item.size, len(difficulty), 3])
    base = None if item.base is None else _counts(item, item.base, -difficulty, n_samples, fixed)
    assert row.flops is not None
    spent = item.per_answer * n_samples * len(difficulty)
    flops = replace(row.flops, total=item.flops, evaluation=spent)
    row = replace(
        row,
        group_id=name,
        agent=item.agent,
        settings=settings,
        flops=flops,
        trained=_scores(trained),
        base=_scores(base) if base else (),
        timing=None,
        **item.row,
    )
    return Run(row=row, trained=trained, base=base)


def _counts(item: PlantedAgent, acting: Acting, logits: np.ndarray, n_samples: int, rng: np.random.Generator) -> Counts:
    skills = np.array(acting.skills if item.agent else acting.skills[-1:])
    draws = rng.random((len(logits), n_samples))
    rates = [1 - (1 - 1 / (1 + np.exp(-(skill + logits)))) ** acting.copies for skill in skills]
    at_turns = np.stack([(draws < rate[:, None]).sum(axis=1) for rate in rates])
    levels = tuple(float(LEVELS[i % len(LEVELS)]) for i in range(len(logits)))
    found = tuple(trajectories(acting, int(level), at_turns[:, i], n_samples, rng) for i, level in enumerate(levels))
    return Counts(
        problem_ids=tuple(f"p{i:04d}" for i in range(len(logits))),
        domains=tuple(DOMAINS[i % 4] for i in range(len(logits))),
        n=(n_samples,) * len(logits),
        c=tuple(map(int, at_turns[-1])),
        difficulties=levels,
        response_tokens=(acting.tokens * n_samples,) * len(logits),
        trajectories=found if item.agent else (),
    )
