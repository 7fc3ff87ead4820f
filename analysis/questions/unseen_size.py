"""The largest size predicted from the smaller ones, without any measurement of it, beside the last value.

Final performance: the power law of the error over the smaller sizes' runs, with a prediction interval for a new run.
Curves: the k(N) law of the smaller sizes with its level continued by rule (docs/laws.md). The baseline of both is the
value of the next smaller size. One predicted size is one trial: it can refute a law, never establish it.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Chart, Figure, Mark, Scale, Trace, band_and_line
from analysis.estimates.numerals import number, plain, short
from analysis.laws.catalogue import KN_LOGLINEAR, POWER
from analysis.laws.fitting import Fit, fit
from analysis.laws.heldout import evaluate
from analysis.laws.inference import infer
from analysis.laws.losses import LOG_L2
from analysis.laws.sample import LawError, Sample
from analysis.laws.student import quantile
from analysis.passk.estimate import NONE, Estimate
from analysis.questions import Question, Settings
from analysis.questions.curve_laws import points_of_curves
from analysis.questions.levels import joined, within
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import strata
from analysis.row_laws.curve_law import FEWEST_SIZES, fitted, sample_of
from analysis.runs.checkpoints import Axis
from analysis.runs.selection import Run, Selection

FEWEST = 3  # smaller sizes a line in log size needs, one of them to contradict it
EXCLUDES_LITTLE = 0.25  # width of an interval of a share from which being inside it is no test


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes, rows, texts = left_out(selection), [], []
    predicted: list[dict[str, Any]] = []
    figures: dict[str, Figure] = {}
    sizes = set()
    for stratum in strata(selection.completed, free=["model"]):
        runs = [run for run in stratum.runs if run.pass1() is not None]
        found = {run.row.n_params_non_embedding for run in runs}
        sizes |= found
        if len(found) <= FEWEST:
            continue
        largest = max(found)
        rest = [run for run in runs if run.row.n_params_non_embedding < largest]
        held = [run for run in runs if run.row.n_params_non_embedding == largest]
        final = _final(stratum.label, rest, held, largest, figures)
        rows.append(final | _curves(rest, held))
        if final["note"] is None:
            texts.append(_said(stratum.label, final))
            predicted.append(final)
        else:
            notes.append(f"{stratum.label}: {final['note']}")
    if not rows:
        return missing(
            question,
            f"predicting the largest size needs {FEWEST} smaller ones with the same settings; the most sizes there "
            f"are is {len(sizes)}",
            notes,
        )
    tables = {"predictions": pd.DataFrame(rows)}
    notes.append("Intervals are 95% for the measured pass@1 of one new run, from the scatter of the smaller sizes")
    reason = None if texts else "no law could be fitted to the smaller sizes"
    text = joined(texts) if texts else f"No prediction: {reason}."
    said = _verdict(predicted)
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def _said(label: str, final: dict[str, Any]) -> str:
    predicted = Estimate(*(final[name] for name in ("predicted", "low", "high")))
    inside = "inside" if _inside(final) else "outside"
    closer = "closer" if _closer(final) else "no closer"
    little = _little(final)
    return (
        f"{within(label)}: the largest size was predicted at {plain(predicted)} and measured at "
        f"{number(final['measured'])}, {inside} the interval{little}; the law is off by {number(final['law_off'])}, "
        f"the next smaller size by {number(final['last_value_off'])}: {closer} than that size"
    )


def _verdict(predicted: list[dict[str, Any]]) -> str:
    n = len(predicted)
    if not n:
        return "No prediction: no law could be fitted to the smaller sizes."
    inside, closer = sum(map(_inside, predicted)), sum(map(_closer, predicted))
    if n == 1:
        where, nearer = "inside" if inside else "outside", "closer" if closer else "no closer"
        return (
            f"Predicted from the smaller sizes, the largest lies {where} {_widest(predicted)}; the law is {nearer} "
            "than the next size down."
        )
    return (
        f"Predicting the largest size from the smaller ones: closer than the next size down in {closer} of {n} "
        f"settings; inside the interval in {inside} (widest {_widest(predicted)})."
    )


def _widest(predicted: list[dict[str, Any]]) -> str:
    """The widest interval: being inside it shows as little as it excludes."""
    found = max(predicted, key=lambda final: final["high"] - final["low"])
    ends = f"[{number(found['low'])}, {number(found['high'])}]"
    return f"{ends}{_little(found)}"


def _little(final: dict[str, Any]) -> str:
    """What lying inside a wide interval is worth."""
    is_wide = final["high"] - final["low"] > EXCLUDES_LITTLE
    return ", which excludes little" if is_wide and _inside(final) else ""


def _inside(final: dict[str, Any]) -> bool:
    return bool(final["low"] <= final["measured"] <= final["high"])


def _closer(final: dict[str, Any]) -> bool:
    return bool(final["law_off"] < final["last_value_off"])


def _final(label: str, rest: list[Run], held: list[Run], largest: int, figures: dict[str, Figure]) -> dict[str, Any]:
    """The held-out runs enter only the last lines; `note` says why there is no prediction."""
    before = max(run.row.n_params_non_embedding for run in rest)
    last = float(np.mean([run.pass1() or 0.0 for run in rest if run.row.n_params_non_embedding == before]))
    predicted, note = NONE, None
    try:
        law = fit(POWER, _rows(rest), loss=LOG_L2, keep_repeats=True)
        middle, low, high = (float(1 - end[0]) for end in _predict(law, np.array([float(largest)])))
        predicted = Estimate(middle, high, low)
        figures[label] = _chart(label, law, rest, held, largest)
    except LawError as error:
        note = str(error)
    measured = float(np.mean([run.pass1() or 0.0 for run in held]))
    return {
        "runs": label,
        "n_params_non_embedding": largest,
        "smaller_sizes": len({run.row.n_params_non_embedding for run in rest}),
        **predicted.columns("predicted"),
        "measured": measured,
        "law_off": abs(predicted.value - measured),
        "last_value_off": abs(last - measured),
        "note": note,
    }


def _rows(runs: list[Run]) -> Sample:
    return Sample(
        columns={"x": np.array([float(run.row.n_params_non_embedding) for run in runs])},
        y=np.array([1 - (run.pass1() or 0.0) for run in runs]),
    )


def _predict(law: Fit, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(error, ends of the interval of one new run): the band of the law widened by the scatter of runs around it."""
    rows = Sample(columns={"x": x}, y=np.ones(len(x)))
    middle = law.predict(rows)
    low, high = infer(law, draws=0).band(rows)
    df = law.sample.n_rows - law.n_free
    scatter = math.sqrt(law.objective / df) * quantile(df)
    half = np.hypot(np.log(high / low) / 2, scatter)
    return middle, middle * np.exp(-half), np.minimum(middle * np.exp(half), 1.0)


def _curves(rest: list[Run], held: list[Run]) -> dict[str, object]:
    """Error of the k(N) law of the smaller sizes, to the end of their curves, on the curves of the largest."""
    empty: dict[str, object] = {"curves_law_off": None, "curves_last_value_off": None}
    smaller, largest = (points_of_curves(runs, "", Axis.data, []) for runs in (rest, held))
    if len({point.size for point in smaller}) < FEWEST_SIZES or not largest:
        return empty | {"curves_note": f"it takes curves of {FEWEST_SIZES} smaller sizes and of the largest"}
    law = fitted(KN_LOGLINEAR, smaller, Axis.data, intervals=False)
    if isinstance(law, str):
        return empty | {"curves_note": law}
    errors = evaluate(law.fit, sample_of(largest, Axis.data))
    return {
        "curves_law_off": errors[0].error.mae,
        "curves_last_value_off": errors[0].last_value,
        "curves_note": None,
    }


def _chart(label: str, law: Fit, rest: list[Run], held: list[Run], largest: int) -> Chart:
    data = [float(run.row.n_params_non_embedding) for run in rest]
    inside = np.geomspace(min(data), max(data), 30)
    outside = np.geomspace(max(data), largest, 12)
    traces: list[Trace] = []
    for grid, mark, name in ((inside, Mark.line, "law of the smaller sizes"), (outside, Mark.dashed, "prediction")):
        middle, low, high = _predict(law, grid)
        band = f"{name}, 95% for a run"
        traces += band_and_line(name, label, grid, 1 - middle, (1 - high, 1 - low), band=band, mark=mark)
    for runs, mark, name in ((rest, Mark.point, "fitted"), (held, Mark.hollow, "held out")):
        x = tuple(float(run.row.n_params_non_embedding) for run in runs)
        y = tuple(run.pass1() or 0.0 for run in runs)
        traces.append(Trace(label=name, group=label, mark=mark, x=x, y=y))
    return Chart(
        title=f"The largest size ({short(largest)}) from smaller ones",
        x=Scale(label="parameters without embedding", log=True),
        y=Scale.share("pass@1 after training"),
        traces=tuple(traces),
    )
