"""Arms of an experiment on common problems: pass@1 of each, and what is made of several arms.

The interval of an arm's value, of a difference and of a slope is closed (`analysis.passk`): it rests on the problems,
paired, and on the runs that the number is made of, so that a number has the same interval whatever else is asked. What
is not linear in the arms (an optimum, a ratio) takes its interval from joint draws: problems are resampled, the same
ones for every arm, and the differences between seeds are added, with each arm's variance between seeds
(`analysis.passk.seed_noise`), less what answering the problems again would vary anyway. With one seed per arm the
differences between runs are invisible, and every interval is a lower bound on the uncertainty.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.laws.student import LEVEL
from analysis.passk.crossed import BetweenRuns, CrossedMean, Part, between_runs, contrast_mean
from analysis.passk.estimate import Estimate
from analysis.passk.interval import of_difference, over_problems
from analysis.passk.resampling import resampled_means
from analysis.runs.counts import Counts
from analysis.runs.selection import Run

Floats = NDArray[np.float64]
DRAWS = 4000
SEED = 30711
LOWER_BOUND = "One seed per configuration: differences between runs are not in the intervals, which are too narrow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Runs (seeds) that differ in nothing but their seed; `x` orders arms along an axis."""

    label: str
    x: float
    runs: tuple[Run, ...]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Arms with their mean pass@1, or gain over the base model, on common problems."""

    arms: tuple[Arm, ...]  # in the order given
    each: tuple[Floats, ...]  # runs x problems, one matrix an arm
    gain: bool  # whether the base model was subtracted
    n_dropped: int  # problems that some arm did not answer

    @property
    def x(self) -> Floats:
        """Position of every arm."""
        return np.array([arm.x for arm in self.arms])

    @property
    def values(self) -> Floats:
        """Mean over seeds and problems, one an arm."""
        return np.array([matrix.mean() for matrix in self.each])

    @property
    def n_problems(self) -> int:
        """Common to all arms."""
        return int(self.each[0].shape[1])

    def value(self, i: int) -> Estimate:
        """An arm's value with its interval."""
        found = of_difference(self.each[i]) if self.gain else over_problems(self.each[i])
        return Estimate(float(self.each[i].mean()), found.low, found.high)

    def contrast(self, weights: Sequence[float], *, scatter: Part | None = None) -> CrossedMean:
        """Weighted sum of the arms' values, as `contrast_mean` has it."""
        return contrast_mean(self.each, weights, scatter=scatter)

    def gap(self, i: int, j: int) -> CrossedMean:
        """Arm i minus another arm j, paired over problems."""
        return self.contrast([(place == i) - (place == j) for place in range(len(self.arms))])

    def difference(self, i: int, j: int) -> Estimate:
        """Arm i minus arm j with its interval; an arm is itself, without an interval."""
        return Estimate(0.0, None, None) if i == j else self.gap(i, j).interval()

    @cached_property
    def between(self) -> BetweenRuns | None:
        """Variance between the seeds of each arm; None: one seed per arm."""
        return between_runs(self.each)

    @property
    def run_sd(self) -> float | None:
        """Standard deviation between seeds that answering again does not explain, pooled; None: one seed per arm."""
        return None if self.between is None else math.sqrt(self.between.noise.pooled * self.between.excess)

    @cached_property
    def draws(self) -> Floats:
        """Joint draws of the arms' values, draws x arms."""
        per_problem = np.stack([matrix.mean(axis=0) for matrix in self.each])
        means = resampled_means(per_problem.T, draws=DRAWS, seed=SEED)
        if self.between is None:
            return means
        rng = np.random.default_rng(SEED + 1)
        noise, several = self.between.noise, [len(matrix) > 1 for matrix in self.each]
        own = noise.draws(rng, DRAWS)
        variances = np.empty(means.shape)
        variances[:, several] = own
        variances[:, np.logical_not(several)] = (own @ noise.df / noise.total_df)[:, None]
        scale = np.sqrt(variances * self.between.excess / [len(matrix) for matrix in self.each])
        return np.asarray(means + rng.normal(size=means.shape) * scale)

    @property
    def _unlike(self) -> str:
        """How far the arms' own standard deviations between seeds are apart, without what answering explains."""
        if self.between is None or len(self.between.answering) < 2:
            return ""
        pairs = zip(self.between.noise.variances, self.between.answering, strict=True)
        found = [math.sqrt(max(variance - answering, 0.0)) for variance, answering in pairs]
        return f", {min(found):.4f} to {max(found):.4f} by configuration"

    @property
    def notes(self) -> list[str]:
        """What the intervals rest on."""
        seeds = sorted({len(arm.runs) for arm in self.arms})
        counted = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
        text = f"{len(self.arms)} configurations with {counted} seed{'' if seeds == [1] else 's'} each, "
        text += f"{self.n_problems} common problems; 95% intervals are over problems, the same for all of them"
        notes = [LOWER_BOUND]
        if self.between is not None:
            df = self.between.noise.total_df
            text += f", and over seeds (standard deviation {self.run_sd:.4f}{self._unlike}, {df} df)"
            alone = sum(len(arm.runs) == 1 for arm in self.arms)
            several = f"{alone} configurations have one seed: their own intervals are"
            whose = "1 configuration has one seed: its own interval is" if alone == 1 else several
            notes = [f"{whose} over problems alone"] if alone else []
        if self.n_dropped:
            notes.append(f"{self.n_dropped} problems that not every run answered are left out")
        return [text, *notes]


def panel(arms: Sequence[Arm], *, domain: str = "all", gain: bool = False) -> Panel | str:
    """Put arms side by side, or say why that cannot be done.

    Args:
        arms: At least one, each with at least one run.
        domain: Of the problems, or `all`.
        gain: Subtract each run's base model, problem by problem.
    """
    found = common_problems([run for arm in arms for run in arm.runs], domain=domain, gain=gain)
    if isinstance(found, str):
        return found
    ends = np.cumsum([len(arm.runs) for arm in arms])[:-1]
    return Panel(
        arms=tuple(arms),
        each=tuple(np.split(found.values, ends)),
        gain=gain,
        n_dropped=found.n_dropped,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """pass@1, runs x problems, on the problems that all runs answered."""

    values: Floats
    n_dropped: int


def common_problems(runs: Sequence[Run], *, domain: str = "all", gain: bool = False) -> Table | str:
    """Per-problem pass@1, or its gain over the base model, of several runs; or why there is none."""
    tables = []
    for run in runs:
        found = _table(run.trained, domain)
        if found is None:
            return f"{run.row.run_id} has no per-problem counts"
        if gain:
            base = _table(run.base, domain)
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
    return Table(values=values, n_dropped=n_dropped)


def between(value: float, draws: Floats) -> Estimate:
    """A value with the percentile interval of its draws; None at an end that is not finite, or without spread."""
    if not np.isfinite(value) or np.isnan(draws).any() or np.ptp(draws[np.isfinite(draws)], axis=0) == 0:
        return Estimate(value, None, None)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], method="inverted_cdf")
    return Estimate(value, *(float(end) if np.isfinite(end) else None for end in (low, high)))


def two_sided(draws: Floats) -> float:
    """p-value of a difference of 0 from its draws; at least 2 / (draws + 1), since no count of draws shows less."""
    share = float(np.mean(draws <= 0))
    return min(1.0, 2 * (min(share, 1 - share) * len(draws) + 1) / (len(draws) + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Change per doubling of x: a line through the arms in log2 x."""

    slope: Estimate  # with its interval
    part: Part | None  # the variance of the slope by the scatter of arms around the line, where it is in the interval

    @property
    def scatter(self) -> bool:
        """Whether the scatter of arms around the line is in the interval (one seed an arm, four arms or more)."""
        return self.part is not None


def pull(x: Floats) -> Floats:
    """Weights of the arms' values whose sum is the slope of their least-squares line in log2 x; x takes two values."""
    centred = np.log2(x) - np.log2(x).mean()
    return np.asarray(centred / (centred @ centred))


def trend(found: Panel) -> Trend | None:
    """Least-squares line of the arms' values in log2 x; None unless x takes two values."""
    x = np.log2(found.x)
    if np.ptp(x) == 0:
        return None
    centred, weights = x - x.mean(), pull(found.x)
    scatter: Part | None = None
    if found.between is None and len(x) >= 4 and len(np.unique(x)) > 2:
        # One seed: how far arms lie from the line is the only sign of what another seed would change.
        residual = found.values - found.values.mean() - centred * (found.values @ weights)
        df = len(x) - 2
        scatter = (float(residual @ residual) / df / float(centred @ centred), df)
    mean = found.contrast(weights.tolist(), scatter=scatter)
    return Trend(slope=mean.interval(), part=scatter)


def _table(counts: Counts | None, domain: str) -> dict[str, float] | None:
    if counts is None or not counts.problem_ids:
        return None
    names = [name for name, own in zip(counts.problem_ids, counts.domains, strict=True) if domain in ("all", own)]
    return dict(zip(names, counts.pass_at(1, domain).tolist(), strict=True))
