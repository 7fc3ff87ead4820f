"""Gain for each FLOP, compute to reach R*, and the compute multiplier between arms.

Gain for each FLOP: paired gain over the base model divided by the run's training FLOPs. Compute to reach R*: the
inverse of the power law of the validation curve. Multiplier of an arm: the reference arm's compute to reach R* divided
by its own, the horizontal shift of the two curves at matched performance; above 1 the arm saves compute. R* is
--target, or the highest level that both laws reach within their data.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Bar, Forest, Guide, Scale
from analysis.estimates.panel import Arm, between, panel
from analysis.passk.estimate import Estimate
from analysis.questions import Question, Settings
from analysis.questions.curve_laws import ArmLaw, arm_laws
from analysis.questions.levels import joined
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.sample_efficiency import common_level, reach_text
from analysis.questions.strata import configurations
from analysis.row_laws.extrapolation_reach import Reach, reach
from analysis.runs.checkpoints import Axis
from analysis.runs.selection import Selection


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    runs = [run for run in selection.completed if run.row.flops is not None and run.row.flops.total]
    if not runs:
        return missing(question, "no run has a count of its training FLOPs", notes)
    accountings = sorted({run.row.flops.accounting for run in runs if run.row.flops})
    notes.append(f"compute is {Axis.compute}; accounting {', '.join(accountings)}")
    arms = configurations(runs)
    gains = _gains(arms, notes)
    fitted = [item for item in arm_laws(arms, Axis.compute, notes) if item.law is not None]
    level = settings.target or (common_level(fitted) if fitted else None)
    reached = [(item, reach(item.law, 1 - level)) for item in fitted if item.law and level is not None]
    multipliers = _multipliers(fitted, settings)
    tables = {
        "gain_per_flop": pd.DataFrame(gains),
        "to_target": pd.DataFrame([_cost(item, found, level) for item, found in reached]),
        "multipliers": pd.DataFrame(multipliers),
    }
    figures = {"gain_per_flop": _gain_forest(gains), "multipliers": _multiplier_forest(multipliers)}
    said = _most_gain(gains)
    cheapest = min((pair for pair in reached if pair[1].x is not None), key=lambda pair: pair[1].x or 0.0, default=None)
    if cheapest and level is not None:
        said.append(f"pass@1 {level:.3f} is cheapest for {reach_text(*cheapest)} FLOPs")
    clear = [row for row in multipliers if row["low"] is not None and row["high"] is not None]
    for row in clear:
        said.append(
            f"{row['arm']} needs 1/{row['multiplier']:.2f} [{row['low']:.2f}, {row['high']:.2f}] of the compute of "
            f"{row['reference']} at pass@1 {row['target']:.3f}"
        )
    if multipliers and not clear:
        said.append("no compute multiplier between arms is limited on both sides")
    if not said:
        return missing(question, "neither base models nor validation curves were measured", notes)
    decided = clear or any((_number(row["low"]) or 0) > 0 for row in gains)
    reason = None if decided else "no gain is clear of 0 and no multiplier is limited on both sides"
    return reply(question, joined(said), reason, tables=tables, figures=figures, notes=notes)


def _gains(arms: Sequence[Arm], notes: list[str]) -> list[dict[str, object]]:
    """One table row an arm whose gain is known."""
    rows: list[dict[str, object]] = []
    for arm in arms:
        found = panel([arm], gain=True)
        if isinstance(found, str):
            notes.append(f"gain of {arm.label}: {found}")
            continue
        notes += [note for note in found.notes[1:] if note not in notes]
        total = float(np.mean([run.row.flops.total for run in arm.runs if run.row.flops and run.row.flops.total]))
        value = found.value(0)
        each = [None if end is None else end / total for end in value]
        rows.append(
            {
                "arm": arm.label,
                "seeds": len(arm.runs),
                "flops": total,
                "gain": value.value,
                "gain_per_flop": each[0],
                "low": each[1],
                "high": each[2],
            }
        )
    return rows


def _most_gain(gains: list[dict[str, object]]) -> list[str]:
    """The best arm in a sentence, if any gain is known."""
    if not gains:
        return []
    best = max(gains, key=lambda row: _number(row["gain_per_flop"]) or 0.0)
    ends = "(no interval)" if best["low"] is None else f"[{best['low']:.2e}, {best['high']:.2e}] pass@1"
    return [f"most gain for each FLOP: {best['arm']}, {best['gain_per_flop']:.2e} {ends}"]


def _gain_forest(gains: list[dict[str, object]]) -> Forest:
    bars = (
        Bar(
            label=str(row["arm"]),
            value=_number(row["gain_per_flop"]),
            low=_number(row["low"]),
            high=_number(row["high"]),
        )
        for row in gains
    )
    return Forest(
        title="gain in pass@1 for each FLOP", axis=Scale(label="gain in pass@1 / training FLOP"), bars=tuple(bars)
    )


def _cost(item: ArmLaw, found: Reach, level: float | None) -> dict[str, object]:
    """One table row an arm: its compute to the level."""
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
        return f"neither arm reaches the level in {lost:.0%} of the draws"
    # Where neither reaches the level the shift is unknown: such a draw may be at either end.
    low = np.where(np.isnan(draws), 0.0, draws)
    high = np.where(np.isnan(draws), np.inf, draws)
    value = (theirs.x or np.nan) / (ours.x or np.nan)
    ends = between(value, low).low, between(value, high).high
    return Estimate(value, ends[0] if ends[0] else None, ends[1])


def _multipliers(laws: list[ArmLaw], settings: Settings) -> list[dict[str, object]]:
    """Every arm against the first of the same model."""
    rows: list[dict[str, object]] = []
    for model in dict.fromkeys(item.model for item in laws):
        members = [item for item in laws if item.model == model]
        reference = members[0]
        for item in members[1:]:
            level = settings.target or common_level([reference, item])
            found = multiplier(reference, item, level)
            number = found if isinstance(found, Estimate) else Estimate(np.nan, None, None)
            rows.append(
                {
                    "arm": item.label,
                    "reference": reference.label,
                    "target": level,
                    "multiplier": None if isinstance(found, str) else number.value,
                    "low": number.low,
                    "high": number.high,
                    "reason": found if isinstance(found, str) else None,
                }
            )
    return rows


def _multiplier_forest(multipliers: list[dict[str, object]]) -> Forest:
    bars = (
        Bar(
            label=str(row["arm"]),
            value=_number(row["multiplier"]),
            low=_number(row["low"]),
            high=_number(row["high"]),
            note=str(row["reason"] or f"reference {row['reference']}"),
        )
        for row in multipliers
    )
    return Forest(
        title="compute multiplier at matched performance",
        axis=Scale(label="compute of the reference / compute of the arm", log=True),
        bars=tuple(bars),
        guides=(Guide(axis="x", value=1.0, label="as the reference"),),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, float | int) else None
