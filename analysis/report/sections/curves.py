"""Learning curves in log-log, against compute and against data, one colour per size, with the law and its band."""

from collections.abc import Sequence

import numpy as np

from analysis.drawing.answer import Chart, Mark, Panels, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.page import Section
from analysis.laws.inference import AT_LEAST, LOWER_BOUND, Inference
from analysis.laws.sample import Sample
from analysis.laws.student import quantile
from analysis.report.evidence import Evidence
from analysis.row_laws.curve_law import CurveLaw, prediction_band
from analysis.runs.checkpoints import FEWEST_STEPS, Axis, Checkpoint

TITLE = "Learning curves and their laws"
BEYOND = 4.0  # the law is drawn to this multiple of the last x
LABELS = {Axis.compute: "training compute (FLOPs)", Axis.data: "responses trained on"}


def section(evidence: Evidence) -> Section:
    """One figure per axis, compute first, with one panel per series shown."""
    laws = evidence.curve_laws
    if not laws:
        missing = "No validation during training was logged, so there are no learning curves; set eval.val_freq."
        return Section(anchor="curves", title=TITLE, missing=(missing,))
    reasons = list(dict.fromkeys(law.joint for law in laws if isinstance(law.joint, str)))
    figures = []
    for axis, label in LABELS.items():
        charts = tuple(_chart(law, evidence.size_names) for law in laws if law.axis is axis)
        if charts:
            figures.append(draw(Panels(title=f"error against {label}", charts=charts), name=f"curves_{axis.name}"))
    return Section(
        anchor="curves",
        title=TITLE,
        lead=tuple(_lead(evidence)),
        figures=tuple(figures),
        missing=tuple(f"No common law of all sizes: {reason}." for reason in reasons),
    )


def _lead(evidence: Evidence) -> list[str]:
    laws = evidence.curve_laws
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
        lead.append(f"With one run per size a band is a {AT_LEAST}: what another seed would change is not in it.")
    drawn = {law.series for law in laws}
    total = {point.series for point in evidence.checkpoints}
    if len(total) > len(drawn):
        lead.append(f"Shown: {', '.join(sorted(drawn))}, the series with most sizes and runs, of {len(total)} series.")
    return lead


def _chart(law: CurveLaw, names: dict[int, str]) -> Chart:
    traces: list[Trace] = []
    for size in law.sizes:
        points = [point for point in law.points if point.size == size]
        for held, mark in ((False, Mark.point), (True, Mark.hollow)):
            own = [point for point in points if point.held_out is held]
            if own:
                traces.append(_means(own, law.axis, names[size], mark))
        best = law.best(size)
        if best is not None:
            traces += _law(best, points, law.axis, names[size])
    return Chart(
        title=law.series,
        x=Scale(label=LABELS[law.axis], log=True),
        y=Scale(label="error (1 - validation accuracy)", log=True),
        traces=tuple(traces),
    )


def _means(points: Sequence[Checkpoint], axis: Axis, name: str, mark: Mark) -> Trace:
    """The runs of one size at each step; the interval is over seeds, none with one."""
    x, y, low, high = [], [], [], []
    for step in sorted({point.step for point in points}):
        own = [point for point in points if point.step == step]
        values = np.array([point.error for point in own])
        half = None
        if len(values) > 1 and np.ptp(values) > 0:
            half = float(quantile(len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
        x.append(_place(own, axis))
        y.append(float(values.mean()))
        low.append(None if half is None else y[-1] - half)
        high.append(None if half is None else y[-1] + half)
    return Trace(label=name, group=name, mark=mark, x=tuple(x), y=tuple(y), low=tuple(low), high=tuple(high))


def _place(points: Sequence[Checkpoint], axis: Axis) -> float:
    return float(np.mean([value for point in points if (value := point.x(axis)) is not None]))


def _law(best: Inference, points: Sequence[Checkpoint], axis: Axis, name: str) -> list[Trace]:
    """The law at every step, where it was fitted and beyond, up to a multiple of the last."""
    steps = {point.step: point.held_out for point in points}
    places = {step: _place([point for point in points if point.step == step], axis) for step in sorted(steps)}
    inside = [x for step, x in places.items() if not steps[step]]
    outside = [inside[-1], *(x for step, x in places.items() if steps[step])]
    outside = sorted({*outside, outside[-1] * BEYOND})
    traces = []
    for x, mark in ((inside, Mark.line), (outside, Mark.dashed)):
        rows = Sample(
            columns={"x": np.array(x), "n": np.full(len(x), float(points[0].size))},
            y=np.full(len(x), np.nan),
            group=(str(points[0].size),) * len(x) if best.fit.sample.group is not None else None,
        )
        low, high = prediction_band(best, rows) or ((), ())
        traces.append(
            Trace(
                label=f"{name}, law",
                group=name,
                mark=mark,
                x=tuple(x),
                y=tuple(map(float, best.fit.predict(rows))),
                low=tuple(map(float, low)),
                high=tuple(map(float, high)),
            )
        )
    return traces
