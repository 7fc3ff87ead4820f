"""Laws of learning curves: each size by itself, and all sizes by one slope k(N) that saturates with size.

Only checkpoints that are not held out enter; `backtest` compares with the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from analysis.laws.covariance import covariance
from analysis.laws.curves import POWER
from analysis.laws.fitting import Fit, Weights, fit
from analysis.laws.form import Form
from analysis.laws.inference import LEVEL, Inference, infer
from analysis.laws.resampling import jackknife
from analysis.laws.sample import Floats, LawError, Sample
from analysis.laws.surfaces import KN_LOGLINEAR
from analysis.runs.checkpoints import Axis, Checkpoint

FEWEST_SIZES = 3  # for a slope that depends on size by two parameters
FEWEST_CHECKPOINTS = 5  # of a size, held-out ones not counted: a line through fewer is noise
DRAWS = 400  # of the bootstrap over runs and over sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveLaw:
    """The laws of one series on one axis.

    Attributes:
        axis: Of x.
        series: Label.
        points: Checkpoints with an x, held-out ones included.
        joint: All sizes with one k(N), or why there is none.
        own: Each size by itself, or why not.
    """

    axis: Axis
    series: str
    points: tuple[Checkpoint, ...]
    joint: Inference | str
    own: dict[int, Inference | str]

    def best(self, size: int) -> Inference | None:
        """What describes a size in a figure: the joint law, or its own where there is none."""
        found = self.joint if isinstance(self.joint, Inference) else self.own[size]
        return found if isinstance(found, Inference) else None

    @property
    def sizes(self) -> list[int]:
        """In ascending order."""
        return sorted({point.size for point in self.points})


def curve_laws(points: Sequence[Checkpoint], *, series: Sequence[str]) -> list[CurveLaw]:
    """The laws of the given series on both axes; a series without an x on an axis has none there."""
    found = []
    for axis in Axis:
        for name in series:
            members = tuple(point for point in points if point.series == name and point.x(axis) is not None)
            if members:
                found.append(curve_law(axis, name, members))
    return found


def curve_law(axis: Axis, series: str, points: tuple[Checkpoint, ...]) -> CurveLaw:
    """Fit the training checkpoints."""
    training = [point for point in points if not point.held_out]
    sizes = sorted({point.size for point in points})
    joint: Inference | str = f"{len(sizes)} model size{'' if len(sizes) == 1 else 's'}: k(N) needs {FEWEST_SIZES}"
    if len(sizes) >= FEWEST_SIZES:
        joint = fitted(KN_LOGLINEAR, training, axis)
    own = {size: fitted(POWER, [point for point in training if point.size == size], axis) for size in sizes}
    return CurveLaw(axis=axis, series=series, points=points, joint=joint, own=own)


def fitted(form: Form, points: Sequence[Checkpoint], axis: Axis, *, whole: bool = True) -> Inference | str:
    """A form with its intervals, or why the checkpoints cannot carry it.

    Args:
        form: What to fit.
        points: The training checkpoints.
        axis: Of x.
        whole: With intervals of the parameters; without, only what predictions need, in a hundredth of the time.
    """
    weights = Weights.per_group if form.level_per_group else Weights.equal
    sizes = len({point.size for point in points})
    if len({(point.size, point.step) for point in points}) < FEWEST_CHECKPOINTS * sizes:
        return (
            f"fewer than {FEWEST_CHECKPOINTS} checkpoints a size are left to fit; validate more often (eval.val_freq)"
        )
    try:
        found = fit(form, sample_of(points, axis), weights=weights)
        return infer(found, draws=DRAWS) if whole else _for_predictions(found)
    except LawError as error:
        return str(error)


def _for_predictions(found: Fit) -> Inference:
    by_run = jackknife(found)
    shape = covariance(found)
    spread, df = by_run if by_run is not None else (shape.matrix, shape.df)
    return Inference(fit=found, estimates=(), method="", flags=(), spread=spread, df=df, draws=None)


def sample_of(points: Sequence[Checkpoint], axis: Axis) -> Sample:
    """Checkpoints as rows of a fit: a group a size, a cluster a run."""
    x = [value for point in points if (value := point.x(axis)) is not None]
    return Sample(
        columns={"x": np.array(x), "n": np.array([float(point.size) for point in points])},
        y=np.array([point.error for point in points]),
        group=tuple(str(point.size) for point in points),
        run=tuple(point.run_id for point in points),
    )


def prediction_band(law: Inference, rows: Sample) -> tuple[Floats, Floats] | None:
    """95% interval of a single new measurement at rows: the law's own interval widened by the residual scatter."""
    try:
        low, high = law.band(rows)
    except LawError:
        return None
    middle = law.fit.predict(rows)
    noise = _quantile(law) * residual_sd(law)
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


def _quantile(law: Inference) -> float:
    return float(student.ppf(0.5 * (1 + LEVEL), max(law.fit.sample.n_rows - law.fit.n_free, 1)))
