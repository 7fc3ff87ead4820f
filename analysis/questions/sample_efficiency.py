"""Samples that each model size, or each arm of one size, needs to reach a given pass@1, by its validation curve's law.

The level R* is the same for all sizes of a stratum: --target, or the highest that the law of every size reaches within
the data it was fitted to. A level that a size never reaches, or had before training, gets no number. The exponent of
each size stands beside it: a level near the base model's rewards a good start, an exponent rewards learning.
"""

import pandas as pd

from analysis.drawing.answer import Answer, Chart, Scale, Trace
from analysis.estimates.numerals import short
from analysis.estimates.panel import Arm
from analysis.passk.estimate import Estimate
from analysis.questions import Question, Settings
from analysis.questions.curve_laws import ArmLaw, arm_laws, law_row
from analysis.questions.levels import joined
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, configurations, strata
from analysis.row_laws.extrapolation_reach import Reach, reach
from analysis.runs.checkpoints import Axis
from analysis.runs.selection import Selection


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    notes, rows, said, traces = left_out(selection), [], [], []
    for label, members in _compared(selection):
        laws = [item for item in arm_laws(members, Axis.data, notes) if item.law is not None]
        if len(laws) < 2:
            notes.append(f"{label}: fewer than two arms have curves that carry a law")
            continue
        level = settings.target or common_level(laws)
        reached = [(item, reach(item.law, 1 - level)) for item in laws if item.law is not None]
        numbers = [(item, found) for item, found in reached if found.x is not None]
        rows += [_row(label, level, item, found) for item, found in reached]
        said.append(f"{label}: pass@1 {level:.3f} takes {', '.join(reach_text(*pair) for pair in reached)}")
        if numbers:
            sizes = [item.size for item, _ in numbers]
            needed = [Estimate(found.x or 0.0, found.low, found.high) for _, found in numbers]
            traces.append(Trace.of(f"{label}, R* = {level:.3f}", label, sizes, needed))
    if not said:
        return missing(question, "no two arms with validation curves were run", notes)
    notes.append(
        "laws are followed to 10 times their data on either side; a number outside what was fitted is an extrapolation"
    )
    tables = {"reached": pd.DataFrame(rows)}
    figures = {
        "reached": Chart(
            title="samples to reach R*",
            x=Scale(label="non-embedding parameters", log=True),
            y=Scale(label=str(Axis.data), log=True),
            traces=tuple(traces),
        )
    }
    bounded = [row for row in rows if row["low"] is not None and row["high"] is not None and row["x"] is not None]
    reason = None if bounded else "no size has an interval limited on both sides for the samples it needs"
    return reply(question, joined(said), reason, tables=tables, figures=figures, notes=notes)


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
    """The highest pass@1 that the law of every arm reaches within the data it was fitted to."""
    return min(float((1 - item.law.fit.predict(item.law.fit.sample)).max()) for item in laws if item.law is not None)


def reach_text(item: ArmLaw, found: Reach) -> str:
    """What an arm needs, in words."""
    if found.x is None:
        never = found.reason is not None and "not reached" in found.reason
        return f"{item.label} {'never, by its law' if never else 'nothing: it starts there'}"
    low = "below the range" if found.low is None else short(found.low)
    high = "unlimited" if found.high is None else short(found.high)
    return f"{item.label} {short(found.x)} [{low}, {high}]{' (extrapolated)' if found.outside else ''}"


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
