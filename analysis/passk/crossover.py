"""The budget k* from which the base model is ahead: where the mean difference of pass@k turns from plus to minus.

The difference is interpolated linearly in log k. Every bootstrap draw of problems gives one k*, or none; a draw in
which the base model is ahead from k = 1 counts as "before 1", one in which it never is as "beyond the largest k".
Hence the interval is open at an end that the data do not show, and the share of draws without a turn is the probability
that there is none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.laws.student import LEVEL
from analysis.passk.paired import Pair

Floats = NDArray[np.float64]
TIE = (
    1e-12  # a difference of means that rounding makes: of 10,000 problems with 100,000 samples the least other is 1e-9
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """Where the base model overtakes the trained one, up to `largest_k`."""

    k: float | None  # of the means; None: no turn in the measured range
    low: float | None  # None: below 1; `largest_k` with high None: no turn within the interval
    high: float | None  # None: beyond `largest_k`
    largest_k: int
    probability_none: float  # share of draws without a turn in 1 ... largest_k
    verdict: str  # crossover | none | undecided
    reason: str | None = None


def log_grid(largest: int, per_octave: int = 4) -> tuple[int, ...]:
    """About `per_octave` budgets a doubling, 1 and `largest` included."""
    count = max(2, round(np.log2(max(largest, 1)) * per_octave) + 1)
    return tuple(sorted({round(float(k)) for k in np.geomspace(1, largest, count)} | {1, largest}))


def crossover(both: Pair, *, level: float = LEVEL) -> Crossover | None:
    """k* with its interval over problems; None if fewer than two ks are defined, or there is one problem only.

    The verdict is `crossover` when at least `level` of the draws turn, `none` when at most half of them do and the
    means do not, else `undecided`: a model that nearly reaches the other cannot be told from one that overtakes it.
    """
    if len(both.ks) < 2 or both.base.n_problems < 2:
        return None
    ks = np.array(both.ks, dtype=np.float64)
    mean = both.trained.matrix(both.ks).mean(axis=0) - both.base.matrix(both.ks).mean(axis=0)
    value = float(turning_points(ks, mean[None, :])[0])
    found = turning_points(ks, both.trained_draws - both.base_draws)
    turned = np.isfinite(found)
    none = float(1 - turned.mean())
    tail = (1 - level) / 2
    low, high = np.quantile(found, [tail, 1 - tail], method="inverted_cdf")
    verdict = "undecided"
    if none <= 1 - level and np.isfinite(value):
        verdict = "crossover"
    elif none >= 0.5 and not np.isfinite(value):
        verdict = "none"
    reason = None
    if not np.isfinite(value):
        leader = "the base model is ahead from k = 1" if value < 0 else "the trained model stays ahead"
        reason = f"{leader} up to k = {both.ks[-1]}" if (abs(mean) > TIE).any() else "the two are equal at every k"
    return Crossover(
        k=value if np.isfinite(value) else None,
        low=None if low == -np.inf else min(float(low), float(both.ks[-1])),
        high=None if high == np.inf else max(float(high), 1.0),
        largest_k=both.ks[-1],
        probability_none=none,
        verdict=verdict,
        reason=reason,
    )


def turning_points(ks: Floats, differences: Floats) -> Floats:
    """First turn from plus to minus of each row, in k; -inf: minus from the start; +inf: never.

    Args:
        ks: Ascending budgets.
        differences: Rows x ks, trained minus base. A difference of up to `TIE` is 0 and counts as plus: nobody has
            overtaken yet.
    """
    differences = np.where(abs(differences) > TIE, differences, 0.0)
    negative = differences < 0
    first = np.where(negative.any(axis=1), negative.argmax(axis=1), len(ks))
    points = np.full(len(differences), np.inf)
    points[first == 0] = -np.inf
    rows = np.flatnonzero((first > 0) & (first < len(ks)))
    after = first[rows]
    above, below = differences[rows, after - 1], differences[rows, after]
    share = above / (above - below)
    points[rows] = np.exp(np.log(ks[after - 1]) + share * (np.log(ks[after]) - np.log(ks[after - 1])))
    return points
