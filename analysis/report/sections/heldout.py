"""How forms predict what they never saw, beside repeating the last value: the only evidence on prediction."""

from collections.abc import Iterator
from dataclasses import asdict

import pandas as pd

from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section, Table
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
    compared = [item for item in tests if item.reason is None]
    missing = _refusals(tests)
    if not compared:
        return Section(anchor="heldout", title=TITLE, missing=missing, files={"held_out": _frame(tests)})
    lead = (
        "A law that is no better than repeating the last measured value has shown nothing about prediction. Coverage "
        "is the share of held-out validations inside the 95% band; far below .95, the form is wrong or the band too "
        "narrow. R2 is not shown: it is near 1 whatever a law is worth.",
        "Predicted here is the rest of a learning curve, or the curve of a size from those of others, as each line "
        "says; not the final pass@1 of the largest size, which is the question of an unseen size.",
        *_counts(compared),
    )
    return Section(anchor="heldout", title=TITLE, lead=lead, tables=(_table(tests),), missing=missing)


def _counts(compared: list[Backtest]) -> Iterator[str]:
    """Protocol by protocol, so that one is not taken for another."""
    for protocol in dict.fromkeys(item.protocol for item in compared):
        own = [item for item in compared if item.protocol == protocol]
        better = sum((item.mae or 0.0) < (item.last_value or 0.0) for item in own)
        noun = "comparison" if len(own) == 1 else "comparisons"
        yield f"Held out, {protocol}: closer than the last value in {better} of {len(own)} {noun}."


def _refusals(tests: list[Backtest]) -> tuple[str, ...]:
    """One sentence a reason, whatever the number of lines that it stands for."""
    reasons: dict[str, dict[str, None]] = {}
    for item in tests:
        if item.reason is not None:
            reasons.setdefault(item.reason, {})[FORMS[item.form]] = None
    return tuple(f"Not compared: {', '.join(names)}: {reason}." for reason, names in reasons.items())


def _frame(tests: list[Backtest]) -> pd.DataFrame:
    """Best first within a protocol; forms without a number last."""
    frame = pd.DataFrame([asdict(item) | {"axis": item.axis.name} for item in tests])
    frame["form"] = frame["form"].map(FORMS)
    closer = frame["mae"].astype(float) < frame["last_value"].astype(float)
    verdict = closer.map({True: "closer than the last value", False: "no closer than the last value"})
    frame["verdict"] = verdict.where(frame["reason"].isna(), frame["reason"])
    order = {name: list(dict.fromkeys(frame[name])) for name in ("series", "protocol")}
    ranks = [frame[name].map(order[name].index) for name in order]
    keys = pd.DataFrame({"series": ranks[0], "axis": frame["axis"], "protocol": ranks[1], "mae": frame["mae"]})
    return frame.loc[keys.sort_values(list(keys.columns), kind="stable").index]


def _table(tests: list[Backtest]) -> Table:
    titles = {"series": "Series", "axis": "Against", "protocol": "Held out", "form": "Form", "n": "N", "mae": "MAE"}
    titles |= {"relative": "Relative", "bias": "Bias", "coverage": "Coverage", "last_value": "Last value's MAE"}
    return frame_table(
        _frame(tests),
        name="held_out",
        caption="Errors are absolute differences of the error (1 - validation accuracy); relative: over its mean.",
        titles=titles | {"verdict": "Verdict"},
        forms={"mae": ".4f", "relative": ".1%", "bias": "+.4f", "coverage": ".2f", "last_value": ".4f"},
        fold=40,
    )
