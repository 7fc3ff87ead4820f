"""The parameters of the learning-curve laws with every interval, and those that are no numbers said to be so."""

from dataclasses import replace

import pandas as pd

from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section
from analysis.laws.estimate import Estimate, Status
from analysis.laws.inference import Inference
from analysis.report.evidence import Evidence
from analysis.row_laws.curve_law import CurveLaw

TITLE = "Parameters of the laws"
TITLES = {
    "series": "series",
    "axis": "against",
    "scope": "law of",
    "parameter": "parameter",
    "unit": "unit",
    "value": "estimate",
    "interval": "interval",
    "method_0": "method",
    "further": "further intervals",
    "status": "status",
    "n_runs": "runs",
    "n_sizes": "sizes",
}


def section(evidence: Evidence) -> Section:
    """One table of every joint law, and of sizes by themselves where there is no joint law."""
    records: list[dict[str, object]] = []
    notes: list[str] = []
    refused: list[str] = []
    for law in evidence.curve_laws:
        for scope, found in _fits(law):
            if isinstance(found, str):
                refused.append(f"No law of {law.series} against {law.axis.name}: {found}.")
                continue
            notes.append(f"Fitted: {found.fit.form.equation} ({found.fit.form.source}).")
            own = [item.name for item in found.estimates]
            notes += [f"Note: {flag}." for flag in found.flags if not any(name in flag for name in own)]
            sizes = {"n_runs": len(set(found.fit.sample.run or ())), "n_sizes": len(found.fit.sample.groups)}
            head = {"series": law.series, "axis": law.axis.name, "scope": scope}
            records += [head | _record(law, item) | sizes for item in found.estimates]
    missing = tuple(dict.fromkeys(refused))
    if not records:
        return Section(anchor="parameters", title=TITLE, missing=missing or ("No law of learning curves was fitted.",))
    frame = pd.DataFrame(records)
    shown = frame[~frame["parameter"].str.startswith("E[")]
    table = frame_table(
        shown,
        name="parameters",
        caption="95% intervals; the level E of each size is in the data. A parameter at the end of its range, or that "
        "the data do not limit, has no number.",
        titles=TITLES,
        forms={"value": ".4g"},
        alarm=shown["status"].isin([str(Status.at_bound), str(Status.not_identified)]).tolist(),
        fold=24,
    )
    lead = sorted(dict.fromkeys(notes), key=lambda note: note.startswith("Note"))
    return Section(
        anchor="parameters", title=TITLE, lead=tuple(lead), tables=(replace(table, data=frame),), missing=missing
    )


def _fits(law: CurveLaw) -> list[tuple[str, Inference | str]]:
    if isinstance(law.joint, Inference):
        return [("all sizes", law.joint)]
    names = {point.size: point.model for point in law.points}
    if all(isinstance(found, str) for found in law.own.values()):
        return [("all sizes", next(iter(law.own.values())))]
    return [(names[size], found) for size, found in law.own.items()]


def _record(law: CurveLaw, item: Estimate) -> dict[str, object]:
    """One line per parameter; intervals as text, and as numbers `low_0`, by other methods `low_1` and so on."""
    ends = item.interval
    further = [*(f"{other.text(3)} {other.method}" for other in item.others), *filter(None, [item.reason])]
    record: dict[str, object] = {
        "parameter": item.name,
        "unit": {"n": "parameters", "x": law.axis.name}.get(item.unit, item.unit),
        "value": item.value,
        "interval": ends.text(3) if ends else None,
        "status": str(item.status),
        "reason": item.reason,
        "further": "; ".join(further) or None,
    }
    for i, known in enumerate((ends, *item.others) if ends else item.others):
        record |= {f"low_{i}": known.low, f"high_{i}": known.high, f"method_{i}": known.method}
    return record
