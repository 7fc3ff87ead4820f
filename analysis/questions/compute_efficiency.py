"""Gain per FLOP, compute to reach R*, and the compute multiplier between arms.

Gain per FLOP: paired gain over the base model divided by the run's training FLOPs. Compute to reach R*: the
inverse of the power law of the validation curve. Multiplier of an arm: the reference arm's compute to reach R* divided
by its own, the horizontal shift of the two curves at matched performance; above 1 the arm saves compute. R* is
--target, or the highest level that both laws reach within their data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Bar, Forest, Guide, Scale
from analysis.estimates.numerals import number, plain, scientific
from analysis.estimates.panel import Arm, between, panel
from analysis.passk.estimate import NONE, Estimate
from analysis.questions import Question, Settings
from analysis.questions.compute import NO_FLOPS, counted_runs
from analysis.questions.curve_laws import ArmLaw, arm_laws
from analysis.questions.levels import joined
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.sample_efficiency import common_level, reach_text
from analysis.questions.strata import configurations
from analysis.row_laws.extrapolation_reach import Reach, reach
from analysis.runs.checkpoints import Axis
from analysis.runs.selection import Selection
from analysis.runs.spent import mean_flops


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saving:
    """Compute multiplier of an arm against another at a level, or why there is none."""

    arm: str
    reference: str
    level: float
    multiplier: Estimate | str

    @property
    def reason(self) -> str | None:
        return self.multiplier if isinstance(self.multiplier, str) else None

    @property
    def number(self) -> Estimate:
        return NONE if isinstance(self.multiplier, str) else self.multiplier

    def row(self) -> dict[str, object]:
        names = {"arm": self.arm, "reference": self.reference, "target": self.level}
        return names | self.number.columns("multiplier") | {"reason": self.reason}


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    runs = counted_runs(selection, notes)
    if not runs:
        return missing(question, NO_FLOPS, notes)
    arms = configurations(runs)
    rows, gains = _gains(arms, notes)
    fitted = [item for item in arm_laws(arms, Axis.compute, notes) if item.law is not None]
    level = settings.target or (common_level(fitted) if fitted else None)
    reached = [(item, reach(item.law, 1 - level)) for item in fitted if item.law and level is not None]
    savings = _savings(fitted, settings)
    tables = {
        "gain_per_flop": pd.DataFrame(rows),
        "to_target": pd.DataFrame([_cost(item, found, level) for item, found in reached]),
        "multipliers": pd.DataFrame([item.row() for item in savings]),
    }
    title, axis = "Gain in pass@1 per FLOP", Scale(label="gain in pass@1 / training FLOP")
    bars = tuple(Bar.of(label, gain) for label, gain in gains.items())
    figures = {
        "gain_per_flop": Forest(title=title, axis=axis, bars=bars),
        "multipliers": _saving_forest(savings),
    }
    texts = []
    if gains:
        best = max(gains, key=lambda label: gains[label].value)
        texts.append(f"Most gain per FLOP: {best}, {plain(gains[best])} pass@1")
    cheapest = min((pair for pair in reached if pair[1].x is not None), key=lambda pair: pair[1].x or 0.0, default=None)
    if cheapest and level is not None:
        needed = reach_text(*cheapest, "FLOPs", scientific)
        texts.append(f"A validation accuracy of {number(level)} is reached with the least compute where {needed}")
    clear = [item for item in savings if not item.reason and None not in item.number]
    texts += [_saving_text(item) for item in clear]
    if savings and not clear:
        texts.append("No saving of compute between configurations is limited on both sides")
    if not texts:
        return missing(question, "neither base models nor validation curves were measured", notes)
    decided = clear or any(gain.sign > 0 for gain in gains.values())
    reason = None if decided else "no gain is clear of 0 and no multiplier is limited on both sides"
    said, text = _verdict(gains), joined(texts)
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def _verdict(gains: dict[str, Estimate]) -> str:
    """Who gains most per FLOP, if the interval of one lies above those of all others."""
    if not gains:
        return "Not decided: no base model was measured, so no gain per FLOP is known."
    best, *others = sorted(gains, key=lambda label: -gains[label].value)
    low = gains[best].low
    if low is not None and low > 0 and all((high := gains[label].high) is not None and high < low for label in others):
        return f"Most gain per FLOP: {best}, {plain(gains[best])} pass@1."
    return "No configuration is shown to gain most per FLOP: the largest intervals overlap."


def _gains(arms: Sequence[Arm], notes: list[str]) -> tuple[list[dict[str, object]], dict[str, Estimate]]:
    """Table rows and gains per FLOP, by arm; where a gain is not known, a note says why."""
    rows, gains = [], {}
    for arm in arms:
        found = panel([arm], gain=True)
        if isinstance(found, str):
            notes.append(f"Gain of {arm.label}: {found}")
            continue
        notes += found.notes[1:]
        flops, (value, low, high) = mean_flops(run.row for run in arm.runs) or np.nan, found.value(0)
        gain = Estimate(value / flops, *(None if end is None else end / flops for end in (low, high)))
        measured = {"arm": arm.label, "seeds": len(arm.runs), "flops": flops, "gain": value}
        rows.append(measured | gain.columns("gain_per_flop"))
        gains[arm.label] = gain
    return rows, gains


def _cost(item: ArmLaw, found: Reach, level: float | None) -> dict[str, object]:
    """One table row per arm: its compute to the level."""
    return {
        "arm": item.label,
        "target": level,
        "flops_to_target": found.x,
        "low": found.low,
        "high": found.high,
        "extrapolated": found.outside,
        "reason": found.reason,
    }


def multiplier(reference: ArmLaw, arm: ArmLaw, level: float) -> Estimate | str:
    """Compute of the reference over compute of the arm at a level, or why there is none."""
    if reference.law is None or arm.law is None:
        return "no law of one of the two curves"
    ours, theirs = reach(arm.law, 1 - level, seed=51907), reach(reference.law, 1 - level, seed=51908)
    for item, found in ((reference, theirs), (arm, ours)):
        if found.x is None:
            return f"{item.label}: {found.reason}"
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = theirs.draws / ours.draws
    lost = float(np.mean(np.isnan(draws)))
    if lost > 0.05:
        return f"neither configuration reaches the level in {lost:.0%} of the draws"
    # Where neither reaches the level the shift is unknown: such a draw may be at either end.
    low = np.where(np.isnan(draws), 0.0, draws)
    high = np.where(np.isnan(draws), np.inf, draws)
    value = (theirs.x or np.nan) / (ours.x or np.nan)
    ends = between(value, low).low, between(value, high).high
    return Estimate(value, ends[0] if ends[0] else None, ends[1])


def _savings(laws: list[ArmLaw], settings: Settings) -> list[_Saving]:
    """Every arm against the first of the same model."""
    savings = []
    for model in dict.fromkeys(item.model for item in laws):
        reference, *others = (item for item in laws if item.model == model)
        for item in others:
            level = settings.target or common_level([reference, item])
            found = multiplier(reference, item, level)
            savings.append(_Saving(arm=item.label, reference=reference.label, level=level, multiplier=found))
    return savings


def _saving_text(item: _Saving) -> str:
    return (
        f"At a validation accuracy of {number(item.level)}, {item.reference} needs {plain(item.number)} times the "
        f"compute of {item.arm}"
    )


def _saving_forest(savings: list[_Saving]) -> Forest:
    bars = (
        Bar(label=item.arm, value=None, note=item.reason)
        if item.reason
        else Bar.of(item.arm, item.number, f"reference {item.reference}")
        for item in savings
    )
    return Forest(
        title="Compute saved at the same validation accuracy",
        axis=Scale(label="compute of the reference / compute of the configuration", log=True),
        bars=tuple(bars),
        guides=(Guide(axis="x", value=1.0, label="as the reference"),),
    )
