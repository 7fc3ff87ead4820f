"""What the law of the learning curves leaves over: measured minus predicted, by size, with its autocorrelation."""

import numpy as np
import pandas as pd

from analysis.drawing.answer import Chart, Guide, Mark, Panels, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section, Table
from analysis.estimates.numerals import short
from analysis.laws.inference import Inference
from analysis.report.evidence import Evidence
from analysis.report.sections.curves import LABELS
from analysis.row_laws.curve_law import CurveLaw, autocorrelation, residual_sd
from analysis.runs.checkpoints import Axis

TITLE = "Residuals"
FAR = 0.3  # lag-1 autocorrelation from which rows are plainly not independent
LEAD = (
    "Fitted checkpoints only. A pattern (a bend, one size above the others) is a form that is wrong there. Lag-1 "
    "autocorrelation near 0 would mean that checkpoints are independent; they usually are not, which is why "
    "intervals resample whole runs and sizes, never checkpoints."
)


def section(evidence: Evidence) -> Section:
    """One panel per law over all sizes, against compute where there is one."""
    laws = [(law, law.joint) for law in evidence.curve_laws if isinstance(law.joint, Inference)]
    laws = [(law, joint) for law, joint in laws if law.axis is Axis.compute] or laws
    if not laws:
        return Section(anchor="residuals", title=TITLE, missing=("No common law of the learning curves was fitted.",))
    frame = pd.concat([_residuals(law, joint) for law, joint in laws], ignore_index=True)
    charts = tuple(_chart(law, frame[frame["series"] == law.series], evidence.size_names) for law, _ in laws)
    sds = ", ".join(f"{law.series} {residual_sd(joint):.4f}" for law, joint in laws)
    return Section(
        anchor="residuals",
        title=TITLE,
        lead=(LEAD,),
        figures=(draw(Panels(title="residuals of the common law", charts=charts), name="residuals"),),
        tables=(_table(frame, f"By size. Standard deviation around the common law: {sds}."),),
    )


def _residuals(law: CurveLaw, joint: Inference) -> pd.DataFrame:
    rows = joint.fit.sample
    return pd.DataFrame(
        {
            "series": law.series,
            "size": rows.columns["n"].astype(int),
            "run_id": rows.run,
            "x": rows.columns["x"],
            "residual": rows.y - joint.fit.predict(rows),
        }
    )


def _chart(law: CurveLaw, frame: pd.DataFrame, names: dict[int, str]) -> Chart:
    traces = [
        Trace(
            label=str(run),
            group=names[size],
            mark=Mark.point,
            x=tuple(own["x"].astype(float)),
            y=tuple(own["residual"].astype(float)),
        )
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


def _table(frame: pd.DataFrame, caption: str) -> Table:
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
    titles = {"series": "series", "n_params_non_embedding": "size", "n": "checkpoints", "mean": "mean", "sd": "sd"}
    return frame_table(
        pd.DataFrame(records),
        name="residual_summary",
        caption=caption,
        titles=titles | {"autocorrelation": "lag-1 autocorrelation", "remark": "remark"},
        forms={"n_params_non_embedding": short, "mean": "+.4f", "sd": ".4f", "autocorrelation": "+.2f"},
    )
