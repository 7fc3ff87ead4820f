"""What all settings of a question say together: the mean over settings of a slope, and of the step between its ends.

Every arm of every setting enters one contrast on common problems, so the interval pairs problems over all settings and
counts each run once. Of one setting it is that setting's own slope.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import pandas as pd

from analysis.estimates.numerals import change, count, number, signed
from analysis.estimates.panel import panel, pull
from analysis.passk.crossed import Part
from analysis.passk.estimate import Estimate
from analysis.questions.levels import Levels


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """The mean over settings.

    Attributes:
        settings: How many there are.
        opposed: Settings whose own slope has an interval on the other side of 0.
        slope: Change of pass@1 per doubling of x.
        step: pass@1 at the largest x minus that at the smallest.
        ends: The smallest and the largest x where all settings share them, else None.
    """

    settings: int
    opposed: int
    slope: Estimate
    step: Estimate
    ends: tuple[float, float] | None

    @property
    def table(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame(
            [
                {
                    "settings": self.settings,
                    **self.slope.columns("per_doubling", "per_doubling_"),
                    **self.step.columns("difference_of_ends", "difference_of_ends_"),
                }
            ]
        )


def overall(several: Sequence[Levels]) -> Overall | None:
    """The mean over settings; None where they share no problems, or there is no setting."""
    if not several:
        return None
    ends = {(float(found.panel.x.min()), float(found.panel.x.max())) for found in several}
    if len(several) == 1:
        one = several[0].panel
        slope, step = several[0].trend.slope, one.difference(len(one.arms) - 1, 0)
    else:
        both = panel([arm for found in several for arm in found.panel.arms])
        if isinstance(both, str):
            return None
        share = 1 / len(several)
        slopes = [weight * share for found in several for weight in pull(found.panel.x).tolist()]
        between = [weight * share for found in several for weight in _ends(len(found.panel.arms))]
        slope = both.contrast(slopes, scatter=_scatter(several)).interval()
        step = both.contrast(between).interval()
    opposed = sum(found.trend.slope.sign == -slope.sign != 0 for found in several)
    return Overall(
        settings=len(several),
        opposed=opposed,
        slope=slope,
        step=step,
        ends=ends.pop() if len(ends) == 1 else None,
    )


def verdict(found: Overall | None, several: Sequence[Levels], *, more: str, unit: str) -> str:
    """The sentence of a question that asks whether more of something is better.

    Args:
        found: What the settings say together.
        several: The settings.
        more: Comparative with a capital: "Larger", "More data".
        unit: What is doubled.
    """
    if found is None:
        up, down = (sum(item.trend.slope.sign == side for item in several) for side in (1, -1))
        return (
            f"{more} is better in {up} and worse in {down} of {len(several)} settings by the interval of each slope "
            f"(95% each, not corrected for {len(several)} comparisons); the settings share no problems."
        )
    where = "" if found.settings == 1 else f", averaged over {found.settings} settings"
    if found.opposed:
        where += f" (in {found.opposed} the interval lies the other way)"
    if found.slope.sign:
        better, moves = ("better", "rises") if found.slope.sign > 0 else ("worse", "falls")
        return f"{more} is {better}: pass@1 {moves} by {change(found.slope)} per doubling of {unit}{where}."
    if found.ends is None:
        return f"Not decided: pass@1 changes by {signed(found.slope)} per doubling of {unit}{where}."
    first, last = (count(end) for end in found.ends)
    said = f"Not decided: {first} and {last} {unit} differ by {signed(found.step)} in pass@1{where}"
    return f"{said}; {_seen(found.step)}." if found.step.low is not None else f"{said}."


def _seen(step: Estimate) -> str:
    """The smallest difference whose interval would exclude 0."""
    half = ((step.high or 0.0) - (step.low or 0.0)) / 2
    return f"smallest difference this sweep can see: {number(half)}"


def _ends(n: int) -> list[float]:
    return [-1.0, *([0.0] * (n - 2)), 1.0]


def _scatter(several: Sequence[Levels]) -> Part | None:
    """Of the mean of slopes with one seed each: None unless every slope has its own."""
    parts = [found.trend.part for found in several]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    variances = [variance / len(several) ** 2 for variance, _ in known]
    total = sum(variances)
    if not total:
        return None
    df = total**2 / reduce(
        lambda so_far, pair: so_far + pair[0] ** 2 / pair[1][1], zip(variances, known, strict=True), 0.0
    )
    return total, max(int(df), 1)
