"""Learning curves in log-log, against compute and against data, one colour a size, with the law and its band."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import t as student

from analysis.drawing.axes import log_x, log_y
from analysis.drawing.page import Figure, Key, Section
from analysis.drawing.style import Look, size_keys
from analysis.drawing.svg import inline_svg, new_panel, style
from analysis.laws.inference import AT_LEAST, LOWER_BOUND, Inference
from analysis.laws.sample import Floats, Sample
from analysis.report.evidence import Evidence
from analysis.row_laws.curve_law import CurveLaw, prediction_band
from analysis.runs.checkpoints import FEWEST_STEPS, Axis, Checkpoint

TITLE = "Learning curves and their laws"
BEYOND = 4.0  # the law is drawn to this multiple of the last x
MARKS_A_DECADE = 12  # of a size in a panel; all points are in the data
LABELS = {Axis.compute: "training compute (FLOPs)", Axis.data: "responses trained on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """The runs of one size at one step; the interval is over seeds, None with one."""

    n_params_non_embedding: int
    step: int
    x: float
    error: float
    low: float | None
    high: float | None
    seeds: int
    held_out: bool


def section(evidence: Evidence) -> Section:
    """Panels of every series shown, compute first."""
    laws = evidence.curve_laws
    if not laws:
        missing = "No validation during training was logged, so there are no learning curves; set eval.val_freq."
        return Section(anchor="curves", title=TITLE, missing=(missing,))
    reasons = list(dict.fromkeys(law.joint for law in laws if isinstance(law.joint, str)))
    lead = [
        "Error is 1 - accuracy on verl's validation problems. Points are means over seeds with a 95% interval where "
        "there are several seeds. The line is solid over the fitted range and dashed outside it; the band is where 95% "
        "of single new validations should lie."
    ]
    held = any(point.held_out for law in laws for point in law.points)
    lead.append(
        "Filled points were fitted; hollow ones, the last quarter of every run, were held out."
        if held
        else f"All points were fitted: none is held out of fewer than {FEWEST_STEPS} validations."
    )
    shown = [best for law in laws for size in law.sizes if (best := law.best(size)) is not None]
    if any(LOWER_BOUND in best.flags for best in shown):
        lead.append(f"With one run a size a band is a {AT_LEAST}: what another seed would change is not in it.")
    drawn = {law.series for law in laws}
    total = {point.series for point in evidence.checkpoints}
    if len(total) > len(drawn):
        lead.append(f"Shown: {', '.join(sorted(drawn))}, the series with most sizes and runs, of {len(total)} series.")
    figures = (_figure(evidence, laws),)
    return Section(
        anchor="curves",
        title=TITLE,
        lead=tuple(lead),
        figures=figures,
        missing=tuple(f"No common law of all sizes: {reason}." for reason in reasons),
    )


def _figure(evidence: Evidence, laws: list[CurveLaw]) -> Figure:
    panels, records = [], []
    names = list(dict.fromkeys(law.series for law in laws))
    for law in laws:
        name = f"curve-{law.axis.name}-{names.index(law.series)}"
        with style(name):
            figure, axes = new_panel(law.series if len(names) > 1 else f"Error against {LABELS[law.axis]}")
            for size in law.sizes:
                points = [point for point in law.points if point.size == size]
                records += _draw_points(axes, points, law, evidence.size_looks[size])
            bottom, top = _limits(law)
            axes.set_ylim(bottom, top)
            for size in law.sizes:
                best = law.best(size)
                if best is not None:
                    _draw_law(axes, best, law, size, evidence.size_looks[size].colour)
            log_x(axes, LABELS[law.axis])
            log_y(axes)
            axes.set_ylabel("error (1 - validation accuracy)")
            panels.append(inline_svg(figure, name=name, description=f"error against {law.axis}, {law.series}"))
    keys = [*size_keys({size: evidence.size_looks[size] for size in laws[0].sizes}, evidence.size_names, line=True)]
    if any(point.held_out for law in laws for point in law.points):
        keys.append(Key(label="held out", colour="#222222", marker="o", hollow=True))
    if any(law.best(size) for law in laws for size in law.sizes):
        keys.append(Key(label="outside the fitted range", colour="#222222", line=True, dashed=True))
    return Figure(name="learning_curves", keys=tuple(keys), panels=tuple(panels), data=pd.DataFrame(records))


def _draw_points(axes: Axes, points: list[Checkpoint], law: CurveLaw, look: Look) -> list[dict[str, object]]:
    """Means over seeds, thinned where there are many; returns the data of all of them."""
    means = _means(points, law)
    kept = _spread(means)
    for held in (False, True):
        shown = [item for item in kept if item.held_out is held]
        bars = [(item.x, item.low, item.high) for item in shown if item.low is not None]
        if bars:
            axes.vlines(*zip(*bars, strict=True), color=look.colour, linewidth=0.9, alpha=0.7)
        axes.plot(
            [item.x for item in shown],
            [item.error for item in shown],
            linestyle="none",
            marker=look.marker,
            markersize=4.5,
            color=look.colour,
            markerfacecolor="white" if held else look.colour,
            zorder=3,
        )
    head = {"axis": law.axis.name, "series": law.series, "model": points[0].model}
    frame = pd.DataFrame([asdict(item) for item in means])
    best = law.best(points[0].size)
    if best is not None:
        rows = _rows(frame["x"].to_numpy(), points[0].size, best)
        frame["law"] = best.fit.predict(rows)
        frame["band_low"], frame["band_high"] = prediction_band(best, rows) or (np.nan, np.nan)
    return [head | {str(key): value for key, value in record.items()} for record in frame.to_dict("records")]


def _spread(means: list[Mean]) -> list[Mean]:
    """The means nearest below equal steps of log x, first and last included."""
    places = [round(MARKS_A_DECADE * float(np.log10(item.x / means[0].x))) for item in means]
    return [item for i, item in enumerate(means) if i == 0 or i + 1 == len(means) or places[i] != places[i + 1]]


def _means(points: list[Checkpoint], law: CurveLaw) -> list[Mean]:
    found = []
    for step in sorted({point.step for point in points}):
        own = [point for point in points if point.step == step]
        values = np.array([point.error for point in own])
        low, high = None, None
        if len(values) > 1 and np.ptp(values) > 0:
            half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
            low, high = float(values.mean()) - half, float(values.mean()) + half
        x = float(np.mean([value for point in own if (value := point.x(law.axis)) is not None]))
        found.append(
            Mean(
                n_params_non_embedding=own[0].size,
                step=step,
                x=x,
                error=float(values.mean()),
                low=low,
                high=high,
                seeds=len(values),
                held_out=own[0].held_out,
            )
        )
    return found


def _draw_law(axes: Axes, best: Inference, law: CurveLaw, size: int, colour: str) -> None:
    own = [point for point in law.points if point.size == size]
    fitted = [value for point in own if not point.held_out and (value := point.x(law.axis)) is not None]
    start, end = min(fitted), max(fitted)
    last = max(value for point in own if (value := point.x(law.axis)) is not None) * BEYOND
    inside, outside = np.geomspace(start, end, 40), np.geomspace(end, last, 30)
    for x, dashed in ((inside, False), (outside, True)):
        rows = _rows(x, size, best)
        axes.plot(x, best.fit.predict(rows), color=colour, linewidth=1.5, linestyle="--" if dashed else "-")
        band = prediction_band(best, rows)
        if band is not None:
            bottom, top = axes.get_ylim()
            low, high = np.clip(band[0], bottom, top), np.clip(band[1], bottom, top)
            axes.fill_between(x, low, high, color=colour, alpha=0.06 if dashed else 0.12, linewidth=0)


def _rows(x: Floats, size: int, best: Inference) -> Sample:
    return Sample(
        columns={"x": x, "n": np.full(len(x), float(size))},
        y=np.full(len(x), np.nan),
        group=(str(size),) * len(x) if best.fit.sample.group is not None else None,
    )


def _limits(law: CurveLaw) -> tuple[float, float]:
    """Limits that the data set: bands and extrapolations are cut off there."""
    errors = [point.error for point in law.points if point.error > 0]
    low, high = min(errors), max(errors)
    return low / (high / low) ** 0.25 / 1.03, min(high * (high / low) ** 0.15 * 1.03, 1.05)
