"""What the law of the learning curves leaves over: measured minus predicted, by size, with its autocorrelation."""

import numpy as np
import pandas as pd

from analysis.drawing.axes import log_x
from analysis.drawing.page import DASH, Figure, Line, Section, Table, columns
from analysis.drawing.style import NEUTRAL, size_keys
from analysis.drawing.svg import inline_svg, new_panel, style
from analysis.estimates.numerals import short
from analysis.laws.inference import Inference
from analysis.report.evidence import Evidence
from analysis.report.sections.curves import LABELS
from analysis.row_laws.curve_law import CurveLaw, autocorrelation, residual_sd
from analysis.runs.checkpoints import Axis

TITLE = "Residuals"
FAR = 0.3  # lag-1 autocorrelation from which rows are plainly not independent


def section(evidence: Evidence) -> Section:
    """A panel a law over all sizes, against compute where there is one."""
    laws = [law for law in evidence.curve_laws if isinstance(law.joint, Inference)]
    laws = [law for law in laws if law.axis is Axis.compute] or laws
    if not laws:
        return Section(anchor="residuals", title=TITLE, missing=("No common law of the learning curves was fitted.",))
    frames = [_frame(law) for law in laws]
    panels = []
    for i, (law, frame) in enumerate(zip(laws, frames, strict=True)):
        name = f"residuals-{i}"
        with style(name):
            figure, axes = new_panel(law.series)
            axes.axhline(0, color=NEUTRAL, linewidth=1)
            for size, look in evidence.size_looks.items():
                own = frame[frame["n_params_non_embedding"] == size]
                axes.plot(
                    own["x"], own["residual"], linestyle="none", marker=look.marker, color=look.colour, markersize=4
                )
            log_x(axes, LABELS[law.axis])
            axes.set_ylabel("measured - predicted error")
            panels.append(inline_svg(figure, name=name, description=f"residuals of {law.series}"))
    lead = (
        "Fitted checkpoints only. A pattern (a bend, one size above the others) is a form that is wrong there. Lag-1 "
        "autocorrelation near 0 would mean that checkpoints are independent; they usually are not, which is why "
        "intervals resample whole runs and sizes, never checkpoints."
    )
    drawn = Figure(
        name="residuals",
        keys=size_keys(evidence.size_looks, evidence.size_names),
        panels=tuple(panels),
        data=pd.concat(frames, ignore_index=True),
    )
    return Section(anchor="residuals", title=TITLE, lead=(lead,), figures=(drawn,), tables=(_table(laws, frames),))


def _frame(law: CurveLaw) -> pd.DataFrame:
    if not isinstance(law.joint, Inference):
        raise TypeError(f"{law.series} has no joint law")
    rows = law.joint.fit.sample
    return pd.DataFrame(
        {
            "axis": law.axis.name,
            "series": law.series,
            "n_params_non_embedding": rows.columns["n"].astype(int),
            "run_id": rows.run,
            "x": rows.columns["x"],
            "residual": rows.y - law.joint.fit.predict(rows),
        }
    )


def _table(laws: list[CurveLaw], frames: list[pd.DataFrame]) -> Table:
    lines, records = [], []
    for law, frame in zip(laws, frames, strict=True):
        for size in law.sizes:
            own = frame[frame["n_params_non_embedding"] == size]
            values = own["residual"].to_numpy()
            rho = autocorrelation(values, own["run_id"].tolist())
            spread = float(np.std(values))
            mean = float(np.mean(values))
            records.append(
                {
                    "series": law.series,
                    "n_params_non_embedding": size,
                    "n": len(own),
                    "mean": mean,
                    "sd": spread,
                    "autocorrelation": rho,
                }
            )
            text = DASH if rho is None else f"{rho:+.2f}{' (not independent)' if rho > FAR else ''}"
            lines.append(Line(cells=(law.series, short(size), str(len(own)), f"{mean:+.4f}", f"{spread:.4f}", text)))
    sds = ", ".join(f"{law.series} {residual_sd(law.joint):.4f}" for law in laws if isinstance(law.joint, Inference))
    return Table(
        name="residual_summary",
        caption=f"By size. Standard deviation around the common law: {sds}.",
        columns=columns(
            "series",
            "size",
            "checkpoints",
            "mean",
            "sd",
            "lag-1 autocorrelation",
            numbers=("checkpoints", "mean", "sd"),
        ),
        lines=tuple(lines),
        data=pd.DataFrame(records),
    )
