"""Arms of an experiment on common problems: pass@k of each with joint draws that keep problems paired.

Every function of the arms (a slope, an optimum, a ratio) gets its interval from the same draws. A draw resamples
problems, the same ones for every arm, and adds the differences between seeds: Student's t with the variance between
the seeds of an arm, pooled over arms, less what answering the problems again would vary anyway. With one seed an arm
the differences between runs are invisible, and every interval is a lower bound on the uncertainty.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.estimates.bootstrap import LEVEL, Estimate
from analysis.passk.resampling import resampled_means
from analysis.runs.selection import Counts, Run

Floats = NDArray[np.float64]
DRAWS = 4000
SEED = 30711
LOWER_BOUND = "one seed an arm: differences between runs are not in the intervals, a lower bound on uncertainty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Runs (seeds) that differ in nothing but their seed; `x` orders arms along an axis."""

    label: str
    x: float
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Arms with their mean pass@k, or gain over the base model, on common problems.

    Attributes:
        arms: In the order given.
        values: Mean over seeds and problems, one an arm.
        draws: Draws x arms.
        per_problem: Mean over seeds, arms x problems.
        n_problems: Common to all arms.
        n_dropped: Problems that some arm did not answer.
        run_sd: Standard deviation between seeds that answering again does not explain; None: one seed an arm.
        df: Degrees of freedom behind `run_sd`.
    """

    arms: tuple[Arm, ...]
    values: Floats
    draws: Floats
    per_problem: Floats
    n_problems: int
    n_dropped: int
    run_sd: float | None
    df: int

    @property
    def x(self) -> Floats:
        """Position of every arm."""
        return np.array([arm.x for arm in self.arms])

    def value(self, i: int) -> Estimate:
        """An arm's value with its interval."""
        return between(float(self.values[i]), self.draws[:, i])

    def difference(self, i: int, j: int) -> Estimate:
        """Arm i minus arm j, paired."""
        return between(float(self.values[i] - self.values[j]), self.draws[:, i] - self.draws[:, j])

    @property
    def notes(self) -> list[str]:
        """What the intervals rest on."""
        seeds = sorted({len(arm.runs) for arm in self.arms})
        counted = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
        notes = [
            f"{len(self.arms)} arms, {counted} seed{'' if seeds == [1] else 's'} an arm, {self.n_problems} common "
            "problems; 95% intervals resample problems, the same for every arm"
            + ("" if self.run_sd is None else f", and add seeds (standard deviation {self.run_sd:.4f}, {self.df} df)")
        ]
        if self.run_sd is None:
            notes.append(LOWER_BOUND)
        if self.n_dropped:
            notes.append(f"{self.n_dropped} problems that not every run answered are left out")
        return notes


def panel(
    arms: Sequence[Arm], *, k: int = 1, domain: str = "all", gain: bool = False, draws: int = DRAWS, seed: int = SEED
) -> Panel | str:
    """Put arms side by side, or say why that cannot be done.

    Args:
        arms: At least one, each with at least one run.
        k: Budget of pass@k.
        domain: Of the problems, or `all`.
        gain: Subtract each run's base model, problem by problem.
        draws: Of problems and seeds.
        seed: Of the draws.
    """
    found = common_problems([run for arm in arms for run in arm.runs], k=k, domain=domain, gain=gain)
    if isinstance(found, str):
        return found
    matrix = found.values
    members = np.repeat(np.arange(len(arms)), [len(arm.runs) for arm in arms])
    per_problem = np.stack([matrix[members == i].mean(axis=0) for i in range(len(arms))])
    means = resampled_means(per_problem.T, draws=draws, seed=seed)
    sd, df = _between_seeds([matrix[members == i] for i in range(len(arms))])
    if sd is not None:
        rng = np.random.default_rng(seed + 1)
        scale = sd / np.sqrt([len(arm.runs) for arm in arms])
        # One variance for all arms: a draw of it is shared, the deviations are each arm's own.
        spread = np.sqrt(df / rng.chisquare(df, size=draws))
        means = means + rng.normal(size=means.shape) * scale * spread[:, None]
    return Panel(
        arms=tuple(arms),
        values=per_problem.mean(axis=1),
        draws=means,
        per_problem=per_problem,
        n_problems=matrix.shape[1],
        n_dropped=found.n_dropped,
        run_sd=sd,
        df=df,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """pass@k, runs x problems, on the problems that all runs answered."""

    values: Floats
    n_dropped: int


def common_problems(runs: Sequence[Run], *, k: int = 1, domain: str = "all", gain: bool = False) -> Table | str:
    """Per-problem pass@k, or its gain over the base model, of several runs; or why there is none."""
    tables = []
    for run in runs:
        found = _table(run.trained, k, domain)
        if found is None:
            return f"{run.row.run_id} has no per-problem counts"
        if gain:
            base = _table(run.base, k, domain)
            if base is None:
                return f"{run.row.run_id} has no per-problem counts of its base model"
            found = {name: value - base[name] for name, value in found.items() if name in base}
        tables.append(found)
    if not tables:
        return "there is no run"
    common = sorted(set.intersection(*(set(table) for table in tables)))
    n_dropped = len(set().union(*(set(table) for table in tables))) - len(common)
    if len(common) < 2:
        return f"{len(common)} problems{'' if domain == 'all' else f' of {domain}'} were answered by every run"
    values = np.array([[table[name] for name in common] for table in tables])
    if not np.isfinite(values).all():
        return f"k={k} is more than the samples of a problem"
    return Table(values=values, n_dropped=n_dropped)


def between(value: float, draws: Floats, *, level: float = LEVEL) -> Estimate:
    """A value with the percentile interval of its draws; None at an end that is not finite, or without spread."""
    if not np.isfinite(value) or np.isnan(draws).any() or np.ptp(draws[np.isfinite(draws)], axis=0) == 0:
        return Estimate(value, None, None)
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], method="inverted_cdf")
    return Estimate(value, *(float(end) if np.isfinite(end) else None for end in (low, high)))


def two_sided(draws: Floats) -> float:
    """p-value of a difference of 0 from its draws; at least 2 / (draws + 1), since no count of draws shows less."""
    share = float(np.mean(draws <= 0))
    return min(1.0, 2 * (min(share, 1 - share) * len(draws) + 1) / (len(draws) + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Change for each doubling of x: a line through the arms in log2 x.

    Attributes:
        slope: With its interval.
        scatter: Whether the scatter of arms around the line is in the interval (four arms or more).
    """

    slope: Estimate
    scatter: bool


def trend(found: Panel, *, seed: int = SEED) -> Trend | None:
    """Least-squares line of the arms' values in log2 x; None unless x takes two values."""
    x = np.log2(found.x)
    if np.ptp(x) == 0:
        return None
    centred = x - x.mean()
    pull = centred / (centred @ centred)
    draws = found.draws @ pull
    scatter = found.run_sd is None and len(x) >= 4 and len(np.unique(x)) > 2
    if scatter:
        # One seed: how far arms lie from the line is the only sign of what another seed would change.
        residual = found.values - found.values.mean() - centred * (found.values @ pull)
        df = len(x) - 2
        error = math.sqrt(float(residual @ residual) / df / float(centred @ centred))
        draws = draws + error * np.random.default_rng(seed + 2).standard_t(df, size=len(draws))
    return Trend(slope=between(float(found.values @ pull), draws), scatter=scatter)


def _table(counts: Counts | None, k: int, domain: str) -> dict[str, float] | None:
    if counts is None or not counts.problem_ids:
        return None
    names = [name for name, own in zip(counts.problem_ids, counts.domains, strict=True) if domain in ("all", own)]
    return dict(zip(names, counts.pass_at(k, domain).tolist(), strict=True))


def _between_seeds(matrices: Sequence[Floats]) -> tuple[float | None, int]:
    """(standard deviation between seeds, degrees of freedom), pooled over arms of two seeds or more."""
    df = sum(len(matrix) - 1 for matrix in matrices)
    if any(len(matrix) < 2 for matrix in matrices):
        # An arm of one seed borrows the variance of the others; without any there is none to borrow.
        matrices = [matrix for matrix in matrices if len(matrix) > 1]
    if df == 0:
        return None, 0
    squares, answering = 0.0, 0.0
    for matrix in matrices:
        by_seed = matrix.mean(axis=1)
        squares += float(((by_seed - by_seed.mean()) ** 2).sum())
        rest = matrix - by_seed[:, None] - matrix.mean(axis=0) + matrix.mean()
        answering += float((rest**2).sum()) / (matrix.shape[1] - 1) / matrix.shape[1]
    return math.sqrt(max(squares - answering, 0.0) / df), df
