"""Learning curves in log-log, one colour per size, with the law, its slope k(N), and what it leaves over."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from analysis.drawing.answer import Chart, Guide, Mark, Panels, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section, Table
from analysis.estimates.numerals import short
from analysis.laws.estimate import Status
from analysis.laws.inference import AT_LEAST, LOWER_BOUND, Inference
from analysis.laws.sample import Floats, Sample
from analysis.laws.student import quantile
from analysis.passk.estimate import Estimate as Mean
from analysis.report.evidence import Evidence
from analysis.row_laws.curve_law import CurveLaw, autocorrelation, prediction_band, residual_sd
from analysis.runs.checkpoints import FEWEST_STEPS, Axis, Checkpoint

TITLE = "Learning curves and their laws"
BEYOND = 4.0  # the law is drawn to this multiple of the last x
SMALLER, LARGER = 1.5, 3.0  # k(N) is drawn from and to these multiples of the sizes
FAR = 0.3  # lag-1 autocorrelation from which rows are plainly not independent
LABELS = {Axis.compute: "training compute (FLOPs)", Axis.data: "responses trained on"}
COMMON, OWN = "k(N) of the common law, 95% band", "a size by itself, 95% interval"
Joint = tuple[CurveLaw, Inference]


def section(evidence: Evidence) -> Section:
    """Curves by axis, compute first; the slope and the residuals of the laws over all sizes."""
    laws = evidence.curve_laws
    if not laws:
        missing = "No validation during training was logged, so there are no learning curves; set eval.val_freq."
        return Section(anchor="curves", title=TITLE, missing=(missing,))
    names = evidence.size_names
    joint = [(law, law.joint) for law in laws if isinstance(law.joint, Inference)]
    joint = [(law, found) for law, found in joint if law.axis is Axis.compute] or joint
    shown = {
        f"curves_{axis.name}": (f"error against {label}", [_curves(law, names) for law in laws if law.axis is axis])
        for axis, label in LABELS.items()
    }
    left = {law.series: _residuals(law, found) for law, found in joint}
    shown["slopes"] = ("slope against model size", [_slopes(*pair) for pair in joint])
    shown["residuals"] = (
        "residuals of the common law",
        [_residual_chart(law, left[law.series], names) for law, _ in joint],
    )
    reasons = dict.fromkeys(law.joint for law in laws if isinstance(law.joint, str))
    return Section(
        anchor="curves",
        title=TITLE,
        lead=(*_lead(evidence), *(_slope_text(*pair) for pair in joint)),
        figures=tuple(
            draw(Panels(title=title, charts=tuple(charts)), name=name)
            for name, (title, charts) in shown.items()
            if charts
        ),
        tables=(_residual_table(pd.concat(left.values()), joint),) if joint else (),
        missing=tuple(f"No common law of all sizes: {reason}." for reason in reasons),
    )


def _lead(evidence: Evidence) -> Iterable[str]:
    laws = evidence.curve_laws
    yield (
        "Error is 1 - accuracy on verl's validation problems. Points are means over seeds with a 95% interval where "
        "there are several seeds. The line is solid over the fitted range and dashed outside it; the band is where 95% "
        "of single new validations should lie. Parameters: `python -m analysis ask steps`, and `compute`."
    )
    yield (
        "Filled points were fitted; hollow ones, the last quarter of every run, were held out."
        if any(point.held_out for law in laws for point in law.points)
        else f"All points were fitted: none is held out of fewer than {FEWEST_STEPS} validations."
    )
    best = [found for law in laws for size in law.sizes if (found := law.best(size)) is not None]
    if any(LOWER_BOUND in found.flags for found in best):
        yield f"With one run per size a band is a {AT_LEAST}: what another seed would change is not in it."
    drawn = {law.series for law in laws}
    total = {point.series for point in evidence.checkpoints}
    if len(total) > len(drawn):
        yield f"Shown: {', '.join(sorted(drawn))}, the series with most sizes and runs, of {len(total)} series."


def _curves(law: CurveLaw, names: dict[int, str]) -> Chart:
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
        y=Scale.share("error (1 - validation accuracy)", log=True),
        traces=tuple(traces),
    )


def _means(points: Sequence[Checkpoint], axis: Axis, name: str, mark: Mark) -> Trace:
    """The runs of one size at each step; the interval is over seeds, none with one."""
    x, means = [], []
    for step in sorted({point.step for point in points}):
        own = [point for point in points if point.step == step]
        values = np.array([point.error for point in own])
        mean = Mean(float(values.mean()), None, None)
        if len(values) > 1 and np.ptp(values) > 0:
            half = float(quantile(len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
            mean = Mean(mean.value, mean.value - half, mean.value + half)
        x.append(_place(own, axis))
        means.append(mean)
    return Trace.of(name, name, x, means, mark)


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
        band = prediction_band(best, rows)
        traces.append(_line(f"{name}, law", name, mark, np.array(x), best.fit.predict(rows), band))
    return traces


def _line(label: str, group: str, mark: Mark, x: Floats, y: Floats, band: tuple[Floats, Floats] | None) -> Trace:
    low, high = (tuple(end.tolist()) for end in band) if band is not None else ((), ())
    return Trace(label=label, group=group, mark=mark, x=tuple(x.tolist()), y=tuple(y.tolist()), low=low, high=high)


def _slope_text(law: CurveLaw, joint: Inference) -> str:
    """Does a larger model learn faster?"""
    found = {item.name: item for item in joint.estimates}
    k_max, n0 = found["K_max"], found["N0"]
    start = f"{law.series}, against {law.axis.name}: "
    if k_max.value is None or n0.value is None:
        weak = " and ".join(f"{item.name} is {item.status}" for item in (k_max, n0) if item.status is not Status.ok)
        return start + f"saturation of the slope k(N) cannot be told from these sizes ({weak})."
    k_ends, n_ends = (f" {item.interval.text(3)}" if item.interval else "" for item in (k_max, n0))
    label = f" Intervals are 95%, a {AT_LEAST}: one run per size." if LOWER_BOUND in joint.flags else ""
    return start + (
        f"the slope saturates at K_max = {k_max.value:.3f}{k_ends}; half of it at N0 = {n0.value:.3g}"
        f"{n_ends} parameters. The largest model here has {1 / (1 + n0.value / law.sizes[-1]):.0%} of the limit.{label}"
    )


def _slopes(law: CurveLaw, joint: Inference) -> Chart:
    """Each size's own slope beside k(N) of the common law."""
    first, last = float(law.sizes[0]), float(law.sizes[-1])
    places = {
        Mark.line: [np.union1d(np.geomspace(first, last, 30), law.sizes)],
        Mark.dashed: [np.geomspace(first / SMALLER, first, 5), np.geomspace(last, last * LARGER, 10)],
    }
    traces = [
        _line(COMMON, COMMON, mark, grid, *_saturating(joint, grid)) for mark, grids in places.items() for grid in grids
    ]
    own = {
        size: Mean(item.value, *((item.interval.low, item.interval.high) if item.interval else (None, None)))
        for size, found in law.own.items()
        if isinstance(found, Inference)
        for item in found.estimates
        if item.name == "alpha" and item.value is not None
    }
    if own:
        traces.append(Trace.of(OWN, OWN, own, own.values()))
    return Chart(
        title=f"{law.series}, against {law.axis.name}",
        x=Scale(label="model size (parameters without embedding)", log=True),
        y=Scale(label="slope k: decades of error per decade"),
        traces=tuple(traces),
        guides=(Guide(axis="y", value=0.0, label="no slope"),),
    )


def _saturating(joint: Inference, grid: Floats) -> tuple[Floats, tuple[Floats, Floats] | None]:
    """k(N) with its band by the delta method on (ln N0, K_max)."""
    share = 1 / (1 + joint.fit.natural["N0"] / grid)
    middle = joint.fit.natural["K_max"] * share
    if joint.spread is None:
        return middle, None
    slope = np.stack([-middle * (1 - share), share], axis=1)
    half = joint.quantile * np.sqrt(np.einsum("np,pq,nq->n", slope, joint.spread[:2, :2], slope))
    return middle, (middle - half, middle + half)


def _residuals(law: CurveLaw, joint: Inference) -> pd.DataFrame:
    """Measured minus predicted, of the checkpoints that were fitted."""
    rows = joint.fit.sample
    columns = {"series": law.series, "size": rows.columns["n"].astype(int), "run_id": rows.run, "x": rows.columns["x"]}
    return pd.DataFrame(columns | {"residual": rows.y - joint.fit.predict(rows)})


def _residual_chart(law: CurveLaw, frame: pd.DataFrame, names: dict[int, str]) -> Chart:
    traces = [
        Trace(label=str(run), group=names[size], mark=Mark.point, x=tuple(own["x"]), y=tuple(own["residual"]))
        for size in law.sizes
        for run, own in frame[frame["size"] == size].groupby("run_id", sort=False)
    ]
    return Chart(
        title=law.series,
        x=Scale(label=LABELS[law.axis], log=True),
        y=Scale(label="measured - predicted error"),
        traces=tuple(traces),
        guides=(Guide(axis="y", value=0.0, label="as predicted"),),
    )


def _residual_table(frame: pd.DataFrame, joint: Sequence[Joint]) -> Table:
    records = []
    for (series, size), own in frame.groupby(["series", "size"], sort=False):
        values = own["residual"].to_numpy()
        rho = autocorrelation(values, own["run_id"].tolist())
        records.append(
            {
                "series": series,
                "n_params_non_embedding": size,
                "n": len(own),
                "mean": float(np.mean(values)),
                "sd": float(np.std(values)),
                "autocorrelation": rho,
                "remark": "not independent" if rho is not None and rho > FAR else None,
            }
        )
    sds = ", ".join(f"{law.series} {residual_sd(found):.4f}" for law, found in joint)
    titles = {"series": "Series", "n_params_non_embedding": "Size", "n": "Checkpoints", "mean": "Mean", "sd": "SD"}
    return frame_table(
        pd.DataFrame(records),
        name="residual_summary",
        caption="Residuals by size. A pattern (a bend, one size above the others) is a form that is wrong there; lag-1 "
        "autocorrelation far from 0 is why intervals resample whole runs and sizes, never checkpoints. Standard "
        f"deviation around the common law: {sds}.",
        titles=titles | {"autocorrelation": "Lag-1 autocorrelation", "remark": "Remark"},
        forms={"n_params_non_embedding": short, "mean": "+.4f", "sd": ".4f", "autocorrelation": "+.2f"},
    )
