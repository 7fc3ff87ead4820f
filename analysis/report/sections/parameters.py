"""The parameters of the learning-curve laws with every interval, and those that are no numbers said to be so."""

import pandas as pd

from analysis.drawing.page import DASH, Line, Section, Table, columns
from analysis.laws.inference import Estimate, Inference, Status
from analysis.report.evidence import Evidence
from analysis.row_laws.curve_law import CurveLaw

TITLE = "Parameters of the laws"


def section(evidence: Evidence) -> Section:
    """One table of every joint law, and of sizes by themselves where there is no joint law."""
    lines: list[Line] = []
    records: list[dict[str, object]] = []
    flags: list[str] = []
    equations: list[str] = []
    refused: list[str] = []
    for law in evidence.curve_laws:
        for scope, found in _fits(law):
            if isinstance(found, str):
                refused.append(f"No law of {law.series} against {law.axis.name}: {found}.")
                records.append({"series": law.series, "axis": law.axis.name, "scope": scope, "reason": found})
                continue
            runs = len(set(found.fit.sample.run or ()))
            equations.append(f"{found.fit.form.equation} ({found.fit.form.source})")
            flags += [flag for flag in found.flags if not any(item.name in flag for item in found.estimates)]
            for item in found.estimates:
                if not item.name.startswith("E["):
                    lines.append(_line(law, scope, item, runs, len(found.fit.sample.groups)))
                records.append(_record(law, scope, item, runs, len(found.fit.sample.groups)))
    missing = tuple(dict.fromkeys(refused)) or ("No law of learning curves was fitted.",)
    if not lines:
        return Section(anchor="parameters", title=TITLE, missing=missing)
    notes = [f"Fitted: {text}." for text in dict.fromkeys(equations)]
    notes += [f"Note: {flag}." for flag in dict.fromkeys(flags)]
    table = Table(
        name="parameters",
        caption="95% intervals; the level E of each size is in the data. A parameter at the end of its "
        "range, or that the data do not limit, has no number.",
        columns=columns(
            "series",
            "against",
            "law of",
            "parameter",
            "estimate",
            "interval",
            "method",
            "further intervals",
            "runs",
            "sizes",
            numbers=("runs", "sizes"),
            wide=("method", "further intervals"),
        ),
        lines=tuple(lines),
        data=pd.DataFrame(records),
        folded=len(lines) > 24,
    )
    return Section(
        anchor="parameters", title=TITLE, lead=tuple(notes), tables=(table,), missing=tuple(dict.fromkeys(refused))
    )


def _fits(law: CurveLaw) -> list[tuple[str, Inference | str]]:
    if isinstance(law.joint, Inference):
        return [("all sizes", law.joint)]
    names = {point.size: point.model for point in law.points}
    if all(isinstance(found, str) for found in law.own.values()):
        return [("all sizes", next(iter(law.own.values())))]
    return [(names[size], found) for size, found in law.own.items()]


def _line(law: CurveLaw, scope: str, item: Estimate, runs: int, sizes: int) -> Line:
    shown = f"{item.value:.4g}" if item.value is not None else str(item.status)
    further = [f"{other.text(3)} {other.method}" for other in item.others]
    if item.reason:
        further.append(item.reason)
    unit = "" if item.unit == "1" else f" ({_unit(item.unit, law)})"
    cells = (
        law.series,
        law.axis.name,
        scope,
        f"{item.name}{unit}",
        shown,
        item.interval.text(3) if item.interval else DASH,
        item.interval.method if item.interval else DASH,
        "; ".join(further) or DASH,
        str(runs),
        str(sizes),
    )
    return Line(cells=cells, alarm=item.status in (Status.at_bound, Status.not_identified))


def _unit(unit: str, law: CurveLaw) -> str:
    names = {"n": "parameters", "x": law.axis.name}
    return names.get(unit, unit)


def _record(law: CurveLaw, scope: str, item: Estimate, runs: int, sizes: int) -> dict[str, object]:
    record: dict[str, object] = {
        "series": law.series,
        "axis": law.axis.name,
        "scope": scope,
        "parameter": item.name,
        "unit": item.unit,
        "value": item.value,
        "status": str(item.status),
        "reason": item.reason,
        "n_runs": runs,
        "n_sizes": sizes,
    }
    for i, ends in enumerate((item.interval, *item.others) if item.interval else item.others):
        record |= {f"low_{i}": ends.low, f"high_{i}": ends.high, f"method_{i}": ends.method}
    return record
