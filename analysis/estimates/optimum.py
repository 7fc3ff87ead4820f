"""Where arms along a setting are highest: the top of a quadratic, with its interval from joint draws of all arms.

R = a + b z + c z^2 with z the setting on a scale of its own (a logit, a logarithm). The curve must be highest inside
the values tried, and in nearly every draw, or no optimum is given: a curve that is flat, or rises to an edge, has none.
Several curves (one a budget) are drawn together, so that what is made of their tops has a joint interval too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.estimates.panel import Floats, Panel
from analysis.passk.estimate import Estimate

MIN_VALUES = 4  # three coefficients and one value to contradict them
MOST_AT_EDGE = 0.05  # share of draws without an optimum inside, above which none is given
POINTS = 201  # of a fitted curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A setting that was tried at several values.

    Attributes:
        values: What its values are called, in the plural: "shares".
        scale: Of values, one a value; the quadratic is one in it.
        between: Values evenly from the first to the last on the axis of a figure, so many.
        written: A value in words.
    """

    values: str
    scale: Callable[[Floats], Floats]
    between: Callable[[float, float, int], Floats]
    written: Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """Where a quadratic is highest.

    Attributes:
        at: Best value of the setting with its 95% interval, or why none is given.
        flat: First and last of the values whose fitted R is within one standard error of the top.
        tops: Where each joint draw is highest, at an edge where it has no top inside.
        grid: Values of the fitted curve.
        fitted: The curve.
        band: Lower and upper ends of its 95% band, 2 x values.
        misfit: Whether the arms lie further off their quadratics than seeds and problems explain.
    """

    at: Estimate | str
    flat: tuple[float, float]
    tops: Floats
    grid: Floats
    fitted: Floats
    band: Floats
    misfit: bool


def optima(
    found: Panel, curves: Sequence[Sequence[int]], tried: Tried, *, most_at_edge: float = MOST_AT_EDGE
) -> list[Optimum]:
    """The best value of every curve of a panel whose x is the setting, or why none is given.

    What the arms lie off all quadratics together beyond the noise of the draws (other runs, or another shape) is added
    to the draws as one variance, with the degrees of freedom of all curves.

    Args:
        found: Arms with their draws.
        curves: The arms of each curve, by their places in the panel; each has three values of x or more.
        tried: What x is.
        most_at_edge: Share of the draws without an optimum inside from which none is given; of several curves their
            number divides the level of a test.
    """
    designs = [_Design.of(found.x[list(places)], tried) for places in curves]
    values = [found.values[list(places)] for places in curves]
    draws = [found.draws[:, list(places)] for places in curves]
    misfit = sum(design.off(one) for design, one in zip(designs, values, strict=True))
    expected = np.sum(
        [design.off(drawn - one) for design, one, drawn in zip(designs, values, draws, strict=True)], axis=0
    )
    df = sum(len(places) - 3 for places in curves)
    excess = max(float(misfit) - float(expected.mean()), 0.0)
    if df > 0 and excess > 0:
        rng = np.random.default_rng(90217)
        spread = np.sqrt(excess / rng.chisquare(df, size=len(found.draws)))[:, None]
        draws = [drawn + rng.normal(size=drawn.shape) * spread for drawn in draws]
    off = bool(df > 0 and misfit > float(np.quantile(expected, 0.95)))
    return [
        design.optimum(one, drawn, tried, off, most_at_edge)
        for design, one, drawn in zip(designs, values, draws, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Design:
    """A quadratic over the values of one curve."""

    grid: Floats
    basis: Floats  # of the grid: values x 3
    pull: Floats  # least squares: 3 x arms
    hat: Floats  # what an arm lies off the curve: arms x arms

    @classmethod
    def of(cls, x: Floats, tried: Tried) -> "_Design":
        z = tried.scale(x)
        centre, width = z.mean(), max(float(np.ptp(z)), 1e-12)
        design = np.vander((z - centre) / width, 3, increasing=True)
        pull = np.linalg.pinv(design)
        grid = tried.between(float(x.min()), float(x.max()), POINTS)
        basis = np.vander((tried.scale(grid) - centre) / width, 3, increasing=True)
        return cls(grid=grid, basis=basis, pull=pull, hat=np.eye(len(z)) - design @ pull)

    def off(self, values: Floats) -> Floats:
        """Sum of squares of what the arms lie off the curve; of draws x arms one a draw."""
        return np.asarray(((values @ self.hat.T) ** 2).sum(axis=-1))

    def optimum(self, values: Floats, draws: Floats, tried: Tried, misfit: bool, most_at_edge: float) -> Optimum:
        grid, last = self.grid, len(self.grid) - 1
        curves = (draws @ self.pull.T) @ self.basis.T
        fitted = self.basis @ (self.pull @ values)
        best, of_draws = int(np.argmax(fitted)), np.argmax(curves, axis=1)
        at_edge = float(1 - ((of_draws > 0) & (of_draws < last)).mean())
        # The standard error of a loss against the top, value by value, from the same draws.
        behind = (curves - curves[:, [best]]).std(axis=0)
        flat = grid[fitted[best] - fitted <= behind]
        low, high = np.quantile(grid[of_draws], [0.025, 0.975])
        at: Estimate | str = Estimate(float(grid[best]), float(low), float(high))
        if best in (0, last):
            edge = tried.written(float(grid[best]))
            at = f"the fitted curve is highest at the edge of the {tried.values} tried ({edge}): try "
            at += f"{tried.values} beyond it"
        elif at_edge > most_at_edge:
            at = f"{at_edge:.0%} of the draws are highest at an edge of the {tried.values} tried: the curve is too flat"
        return Optimum(
            at=at,
            flat=(float(flat.min()), float(flat.max())),
            tops=grid[of_draws],
            grid=grid,
            fitted=fitted,
            band=np.quantile(curves, [0.025, 0.975], axis=0),
            misfit=misfit,
        )
