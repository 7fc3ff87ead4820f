"""Samples that each model size, or each configuration of one size, needs to reach a given validation accuracy.

Each is read from the law of its own curve. The level R* is the same for all sizes of a stratum: --target, or the
highest that the law of every size reaches within the data it was fitted to. A level that a size never reaches, or had
before training, gets no number. The exponent of each size stands beside it: a level near the base model's rewards a
good start, an exponent rewards learning.
"""

from collections.abc import Callable

import pandas as pd

from analysis.drawing.answer import Answer, Chart, Scale, Trace
from analysis.estimates.numerals import about, number
from analysis.estimates.panel import Arm
from analysis.passk.estimate import Estimate
from analysis.questions import Question, Settings
from analysis.questions.curve_laws import ArmLaw, arm_laws, law_row
from analysis.questions.levels import joined, within
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, configurations, strata
from analysis.row_laws.extrapolation_reach import Reach, reach
from analysis.runs.checkpoints import Axis
from analysis.runs.selection import Selection


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    notes, rows, texts, traces = left_out(selection), [], [], []
    winners: list[str | None] = []
    for label, members in _compared(selection):
        laws = [item for item in arm_laws(members, Axis.data, notes) if item.law is not None]
        if len(laws) < 2:
            notes.append(f"{label}: fewer than two configurations have curves that carry a law")
            continue
        level = settings.target or common_level(laws)
        reached = [(item, reach(item.law, 1 - level)) for item in laws if item.law is not None]
        numbers = [(item, found) for item, found in reached if found.x is not None]
        rows += [_row(label, level, item, found) for item, found in reached]
        needs = ", ".join(reach_text(*pair, "samples") for pair in reached)
        texts.append(f"{within(label)}, to reach a validation accuracy of {number(level)}: {needs}")
        winners.append(_fewest(reached))
        if numbers:
            sizes = [item.size for item, _ in numbers]
            needed = [Estimate(found.x or 0.0, found.low, found.high) for _, found in numbers]
            traces.append(Trace.of(f"{label}, accuracy of {number(level)}", label, sizes, needed))
    if not texts:
        return missing(question, "no two configurations with validation curves were run", notes)
    notes.append(
        "Laws are followed to 10 times their data on either side; a number outside what was fitted is an extrapolation"
    )
    tables = {"reached": pd.DataFrame(rows)}
    figures = {
        "reached": Chart(
            title="Samples needed for the target accuracy",
            x=Scale(label="parameters without embedding", log=True),
            y=Scale(label=str(Axis.data), log=True),
            traces=tuple(traces),
        )
    }
    bounded = [row for row in rows if row["low"] is not None and row["high"] is not None and row["x"] is not None]
    reason = None if bounded else "no size has an interval limited on both sides for the samples it needs"
    said, text = _verdict(winners), joined(texts)
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def _verdict(winners: list[str | None]) -> str:
    """Who needs the fewest samples, if one does in every setting where that is clear."""
    clear = [name for name in winners if name is not None]
    where = f" in {len(clear)} of {len(winners)} settings" if len(winners) > 1 else ""
    if clear and len(set(clear)) == 1:
        return f"{clear[0]} needs the fewest samples to reach the same validation accuracy{where}."
    if clear:
        return (
            f"Not decided: which needs the fewest samples depends on the setting ({', '.join(dict.fromkeys(clear))})."
        )
    return "Not decided: the intervals of the samples needed for the same validation accuracy overlap."


def _fewest(reached: list[tuple[ArmLaw, Reach]]) -> str | None:
    """The configuration whose interval lies below those of all others; None: there is none."""
    known = sorted((pair for pair in reached if pair[1].x is not None), key=lambda pair: pair[1].x or 0.0)
    if len(known) < 2 or len(known) < len(reached):
        return None
    best = known[0][1].high
    others = [found.low for _, found in known[1:]]
    clear = best is not None and all(low is not None and low > best for low in others)
    return known[0][0].label if clear else None


def _compared(selection: Selection) -> list[tuple[str, tuple[Arm, ...]]]:
    """Arms to compare: sizes within each stratum; where nothing was run at two sizes, the configurations of a model."""
    found = []
    for stratum in strata(selection.completed, free=["model"]):
        members = arms(stratum, label=lambda row: row.model, x=lambda row: row.n_params_non_embedding)
        if len({arm.x for arm in members}) > 1:
            found.append((stratum.label, members))
    if found:
        return found
    models = dict.fromkeys(run.row.model for run in selection.completed)
    by_model = [
        (name, configurations([run for run in selection.completed if run.row.model == name])) for name in models
    ]
    return [(name, members) for name, members in by_model if len(members) > 1]


def common_level(laws: list[ArmLaw]) -> float:
    """The highest validation accuracy that the law of every arm reaches within the data it was fitted to."""
    return min(float((1 - item.law.fit.predict(item.law.fit.sample)).max()) for item in laws if item.law is not None)


def reach_text(item: ArmLaw, found: Reach, what: str, write: Callable[[float], str] = about) -> str:
    """What a configuration needs, in words; `what` it is, and how a number of it is written."""
    if found.x is None:
        never = found.reason is not None and "not reached" in found.reason
        return f"{item.label} {'never gets there, by its law' if never else 'is there before training'}"
    low = "below the range" if found.low is None else write(found.low)
    high = "no upper limit" if found.high is None else write(found.high)
    needed = write(found.x)
    return f"{item.label} needs {needed} [{low}, {high}] {what}{' (extrapolated)' if found.outside else ''}"


def _row(label: str, level: float, item: ArmLaw, found: Reach) -> dict[str, object]:
    return {
        "runs": label,
        "target": level,
        "x": found.x,
        "extrapolated": found.outside,
        "reason": found.reason,
        **{f"alpha_{key}" if key in ("low", "high") else key: value for key, value in law_row(item).items()},
        "low": found.low,
        "high": found.high,
    }
