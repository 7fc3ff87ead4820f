"""Performance after training against one axis: arms with intervals, the change per doubling, a power law.

The slope is that of a line of pass@1 in log2 x through all arms. The law is error = A x^-alpha over runs
(`analysis.row_laws.power_law`); it needs four levels, its interval resamples configurations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.drawing.answer import Chart, Scale, Trace, band_and_line
from analysis.estimates.numerals import count, number, plain, signed
from analysis.estimates.panel import Arm, Panel, Trend, panel, trend
from analysis.passk.estimate import NONE, Estimate
from analysis.row_laws.final import cluster_of
from analysis.row_laws.power_law import Observation, PowerLaw, fit_power_law
from analysis.runs.selection import ALL_RUNS
from sweeper.rows.row import ResultRow

MOST_LISTED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What one stratum says about an axis."""

    label: str
    panel: Panel
    trend: Trend
    law: PowerLaw | str

    @property
    def decided(self) -> bool:
        """Whether the interval of the slope excludes 0."""
        return self.trend.slope.sign != 0


def levels(
    label: str,
    arms: tuple[Arm, ...],
    notes: list[str],
    *,
    rung: Callable[[ResultRow], float] | None = None,
) -> list[Levels]:
    """Of the arms of a stratum; none with fewer than two values of x, or where a note says why. Adds to the notes.

    Args:
        label: Of the stratum.
        arms: In order of x.
        notes: To be added to.
        rung: What the runs that the law is checked on have the largest of; None: of x.
    """
    found = compared(label, arms, notes) if len({arm.x for arm in arms}) > 1 else None
    slope = trend(found) if found else None
    return [Levels(label=label, panel=found, trend=slope, law=_law(arms, rung))] if found and slope else []


def compared(
    label: str, arms: Sequence[Arm], notes: list[str], *, domain: str = "all", gain: bool = False
) -> Panel | None:
    """Arms beside each other; None where a note says why, or x has one value. Adds to the notes."""
    found = panel(arms, domain=domain, gain=gain)
    if isinstance(found, str):
        notes.append(f"{label}: {found}")
        return None
    if len(set(found.x.tolist())) < 2:
        return None
    notes += found.notes
    return found


def within(label: str) -> str:
    """How a sentence about a setting begins."""
    return "All runs" if label == ALL_RUNS else f"With {label}"


def sentence(found: Levels, doubling: str) -> str:
    """The slope in words, with what it does not show."""
    x = found.panel.x
    said = f"{within(found.label)}: {signed(found.trend.slope)} pass@1 per doubling of {doubling}"
    said += f" from {count(x.min())} to {count(x.max())}"
    if not found.decided:
        said += ", which leaves open whether there is any change"
    return said


def with_law(said: str, found: Levels, largest: str) -> str:
    """A sentence with the power law after it, where there is one; the table says why there is none."""
    return said if isinstance(found.law, str) else f"{said}. {law_sentence(found.law, largest)}"


def law_sentence(law: PowerLaw | str, largest: str) -> str:
    """The power law in words, its held-out check included.

    Args:
        law: Or why there is none.
        largest: What its held-out runs have the largest of: "size".
    """
    if isinstance(law, str):
        return f"No power law: {law}"
    said = f"The error follows a power law with exponent {exponent(law)}"
    if law.held_out:
        said += (
            f"; fitted without the largest {largest} it is off by {number(law.held_out.law_mae)} there, the last value "
            f"by {number(law.held_out.last_value_mae)}"
        )
    return said


def exponent(law: PowerLaw) -> str:
    """By which the error falls."""
    return plain(Estimate(law.alpha, law.alpha_low, law.alpha_high))


def joined(sentences: list[str]) -> str:
    """The first few sentences, and how many more the table holds."""
    more = len(sentences) - MOST_LISTED
    return ". ".join(sentences[:MOST_LISTED]) + (f". {more} more in the table" if more > 0 else "") + "."


def level_rows(found: Levels, x_name: str) -> list[dict[str, object]]:
    """One table row per arm."""
    return [
        {
            "runs": found.label,
            "arm": arm.label,
            x_name: arm.x,
            "seeds": len(arm.runs),
            **found.panel.value(i).columns("pass1"),
        }
        for i, arm in enumerate(found.panel.arms)
    ]


def trend_row(found: Levels, largest: str) -> dict[str, object]:
    """One table row per stratum; `largest` as in `law_sentence`."""
    law = found.law
    alpha = Estimate(law.alpha, law.alpha_low, law.alpha_high) if isinstance(law, PowerLaw) else NONE
    return {
        "runs": found.label,
        "arms": len(found.panel.arms),
        "x_min": float(found.panel.x.min()),
        "x_max": float(found.panel.x.max()),
        **found.trend.slope.columns("per_doubling"),
        "scatter_of_arms_in_interval": found.trend.scatter,
        **alpha.columns("alpha", "alpha_"),
        "law": law_sentence(law, largest),
    }


def points(found: Panel, *, label: str, group: str) -> Trace:
    """The arms of a panel as points with their intervals."""
    return Trace.of(label, group, found.x, [found.value(i) for i in range(len(found.arms))])


def level_chart(title: str, several: list[Levels], x: Scale) -> Chart:
    """Points with intervals, and laws where they were fitted."""
    traces: list[Trace] = []
    for found in several:
        traces.append(points(found.panel, label=found.label, group=found.label))
        if isinstance(found.law, PowerLaw):
            grid = np.geomspace(found.law.x_min, found.law.x_max, 40)
            ends = [found.law.band(float(at)) or (np.nan, np.nan) for at in grid]
            band, line = band_and_line(
                f"{found.label}, power law",
                found.label,
                grid,
                [1 - found.law.predict(float(at)) for at in grid],
                ([1 - high for _, high in ends], [1 - low for low, _ in ends]),
                band=f"{found.label}, 95% band",
            )
            traces += [line] if found.law.covariance is None else [band, line]
    return Chart(title=title, x=x, y=Scale.share("pass@1 after training"), traces=tuple(traces))


def _law(arms: tuple[Arm, ...], rung: Callable[[ResultRow], float] | None) -> PowerLaw | str:
    sizes = {run.row.n_params_non_embedding for arm in arms for run in arm.runs}
    observations = [
        Observation(
            run_id=run.row.run_id,
            cluster=cluster_of(run.row, by_model=len(sizes) > 1),
            x=arm.x,
            rung=rung(run.row) if rung else arm.x,
            error=1 - value,
        )
        for arm in arms
        for run in arm.runs
        if (value := run.pass1()) is not None
    ]
    return fit_power_law(observations)
