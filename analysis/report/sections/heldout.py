"""How forms predict what they never saw, beside repeating the last value: the only evidence on prediction."""

from dataclasses import asdict

import pandas as pd

from analysis.drawing.page import DASH, Line, Section, Table, columns
from analysis.report.evidence import Evidence
from analysis.row_laws.backtest import Backtest
from analysis.row_laws.curve_law import FEWEST_SIZES
from analysis.runs.checkpoints import FEWEST_STEPS

TITLE = "Held-out predictions"
FORMS = {
    "kn_loglinear": "log-linear, slope k(N)",
    "power": "power law",
    "power_floor": "power law with floor",
    "sigmoid": "sigmoid",
    "exp_saturation": "exponential saturation",
}


def section(evidence: Evidence) -> Section:
    """Form by protocol, best first within a protocol."""
    tests = evidence.backtests
    if not tests:
        nothing = (
            f"Nothing was held out: learning curves need {FEWEST_STEPS} validations after step 0, or more than "
            f"{FEWEST_SIZES} model sizes."
        )
        return Section(anchor="heldout", title=TITLE, missing=(nothing,))
    fitted = [item for item in tests if item.reason is None]
    missing = _refusals(tests)
    if not fitted:
        return Section(anchor="heldout", title=TITLE, missing=missing, files={"held_out": _frame(tests)})
    lead = [
        "A law that is no better than repeating the last measured value has shown nothing about prediction. Coverage "
        "is the share of held-out validations inside the 95% band; far below .95, the form is wrong or the band too "
        "narrow. R2 is not shown: it is near 1 whatever a law is worth."
    ]
    better = sum((item.mae or 0.0) < (item.last_value or 0.0) for item in fitted)
    lead.append(f"Closer than the last value: {better} of {len(fitted)} comparisons.")
    return Section(anchor="heldout", title=TITLE, lead=tuple(lead), tables=(_table(fitted, tests),), missing=missing)


def _refusals(tests: list[Backtest]) -> tuple[str, ...]:
    """One sentence a reason, whatever the number of lines that it stands for."""
    reasons: dict[str, list[str]] = {}
    for item in tests:
        if item.reason is not None:
            names = reasons.setdefault(item.reason, [])
            name = FORMS[item.form]
            if name not in names:
                names.append(name)
    return tuple(f"Not compared: {', '.join(names)}: {reason}." for reason, names in reasons.items())


def _frame(tests: list[Backtest]) -> pd.DataFrame:
    return pd.DataFrame([asdict(item) | {"axis": item.axis.name} for item in tests])


def _table(fitted: list[Backtest], tests: list[Backtest]) -> Table:
    protocols = list(dict.fromkeys(item.protocol for item in tests))
    series = list(dict.fromkeys(item.series for item in tests))
    ordered = sorted(
        fitted,
        key=lambda item: (
            series.index(item.series),
            item.axis.name,
            protocols.index(item.protocol),
            item.mae is None,
            item.mae or 0.0,
        ),
    )
    return Table(
        name="held_out",
        caption="Errors are absolute differences of the error (1 - validation accuracy); relative: over its mean.",
        columns=columns(
            "series",
            "against",
            "held out",
            "form",
            "n",
            "MAE",
            "relative",
            "bias",
            "coverage",
            "last value's MAE",
            "verdict",
            numbers=("n", "MAE", "relative", "bias", "coverage", "last value's MAE"),
            wide=("verdict",),
        ),
        lines=tuple(_line(item) for item in ordered),
        data=_frame(tests),
        folded=len(ordered) > 40,
    )


def _line(item: Backtest) -> Line:
    mae, last = item.mae or 0.0, item.last_value or 0.0
    return Line(
        cells=(
            item.series,
            item.axis.name,
            item.protocol,
            FORMS[item.form],
            str(item.n),
            f"{mae:.4f}",
            f"{item.relative or 0.0:.1%}",
            f"{item.bias or 0.0:+.4f}",
            DASH if item.coverage is None else f"{item.coverage:.2f}",
            f"{last:.4f}",
            "closer than the last value" if mae < last else "no closer than the last value",
        )
    )
