"""The law of a learning curve: each size by itself, and all sizes by one slope k(N) that saturates with size.

Least squares of the error, not of its logarithm: the answers behind a validation scatter about the same at an error of
.7 and of .3, so a logarithm would count the small errors too much (docs/laws.md has what that costs). Each size has
the same total weight. Only checkpoints that are not held out enter; `backtest` compares with the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analysis.laws.catalogue import KN_LOGLINEAR, POWER
from analysis.laws.fitting import Weights, fit
from analysis.laws.form import Form
from analysis.laws.inference import Inference, infer
from analysis.laws.losses import L2
from analysis.laws.sample import Floats, LawError, Sample
from analysis.laws.student import quantile
from analysis.runs.checkpoints import Axis, Checkpoint

FEWEST_SIZES = 3  # for a slope that depends on size by two parameters
Row = tuple[int, str, float, float]  # size, run, x, error


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveLaw:
    """The laws of one series on one axis."""

    axis: Axis
    series: str
    points: tuple[Checkpoint, ...]  # checkpoints with an x, held-out ones included
    joint: Inference | str  # all sizes with one k(N), or why there is none
    own: dict[int, Inference | str]  # each size by itself, or why not

    def best(self, size: int) -> Inference | None:
        """What describes a size in a figure: the joint law, or its own where there is none."""
        found = self.joint if isinstance(self.joint, Inference) else self.own[size]
        return found if isinstance(found, Inference) else None

    @property
    def sizes(self) -> list[int]:
        """In ascending order."""
        return _sizes(self.points)


def curve_laws(points: Sequence[Checkpoint], *, series: Sequence[str]) -> list[CurveLaw]:
    """The laws of the given series against compute and data; a series without an x on an axis has none there."""
    found = []
    for axis in (Axis.compute, Axis.data):
        for name in series:
            members = tuple(point for point in points if point.series == name and point.x(axis) is not None)
            if members:
                own = {size: own_law([p for p in members if p.size == size], axis) for size in _sizes(members)}
                joint = joint_law(members, axis)
                found.append(CurveLaw(axis=axis, series=name, points=members, joint=joint, own=own))
    return found


def own_law(points: Sequence[Checkpoint], axis: Axis) -> Inference | str:
    """The power law error = A x^-alpha of runs of one size, or why there is none; held-out points are left out."""
    return fitted(POWER, [point for point in points if not point.held_out], axis)


def joint_law(points: Sequence[Checkpoint], axis: Axis) -> Inference | str:
    """The law log10 error = -k(N) log10 x + E(N), k(N) = K_max / (1 + N0 / N), over all sizes; else as `own_law`."""
    n_sizes = len(_sizes(points))
    if n_sizes < FEWEST_SIZES:
        return f"{n_sizes} model size{'' if n_sizes == 1 else 's'}: k(N) needs {FEWEST_SIZES}"
    return fitted(KN_LOGLINEAR, [point for point in points if not point.held_out], axis)


def fitted(form: Form, points: Sequence[Checkpoint], axis: Axis, *, intervals: bool = True) -> Inference | str:
    """A form with its intervals, or why the checkpoints cannot carry it.

    Args:
        form: What to fit.
        points: All that the fit may see.
        axis: Of x.
        intervals: Whether the parameters get theirs; what predictions need takes a hundredth of the time.
    """
    return _fitted(form, tuple(_rows(points, axis)), intervals)


@lru_cache(maxsize=1024)
def _fitted(form: Form, rows: tuple[Row, ...], intervals: bool) -> Inference | str:
    """Several questions ask for the same."""
    weights = Weights.per_group if form.level_per_group else Weights.equal
    try:
        return infer(fit(form, _sample(rows), loss=L2, weights=weights), draws=0 if intervals else None)
    except LawError as error:
        return str(error)


def _sizes(points: Sequence[Checkpoint]) -> list[int]:
    return sorted({point.size for point in points})


def sample_of(points: Sequence[Checkpoint], axis: Axis) -> Sample:
    """Checkpoints as rows of a fit: a group a size, a cluster a run."""
    return _sample(_rows(points, axis))


def _rows(points: Sequence[Checkpoint], axis: Axis) -> list[Row]:
    return [(item.size, item.run_id, x, item.error) for item in points if (x := item.x(axis)) is not None]


def _sample(rows: Sequence[Row]) -> Sample:
    sizes, runs, x, errors = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Sample(
        columns={"x": np.array(x, dtype=np.float64), "n": np.array(sizes, dtype=np.float64)},
        y=np.array(errors, dtype=np.float64),
        group=tuple(str(size) for size in sizes),
        run=tuple(runs),
    )


def prediction_band(law: Inference, rows: Sample) -> tuple[Floats, Floats]:
    """95% interval of a single new measurement at rows: the law's own interval widened by the residual scatter."""
    low, high = law.band(rows)
    middle = law.fit.predict(rows)
    noise = quantile(max(law.fit.sample.n_rows - law.fit.n_free, 1)) * residual_sd(law)
    return middle - np.hypot(middle - low, noise), middle + np.hypot(high - middle, noise)


def residual_sd(law: Inference) -> float:
    """Standard deviation of a checkpoint around the law."""
    freedom = max(law.fit.sample.n_rows - law.fit.n_free, 1)
    return float(np.sqrt(np.sum((law.fit.sample.y - law.fit.predict(law.fit.sample)) ** 2) / freedom))


def autocorrelation(values: NDArray[np.float64], runs: Sequence[str]) -> float | None:
    """Lag-1 correlation of residuals within runs, in order; None with fewer than three pairs."""
    before, after = [], []
    for run in dict.fromkeys(runs):
        own = values[[name == run for name in runs]]
        before += own[:-1].tolist()
        after += own[1:].tolist()
    scale = float(np.mean(values**2))
    if len(before) < 3 or scale == 0:
        return None
    return float(np.mean(np.multiply(before, after)) / scale)
