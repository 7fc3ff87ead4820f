"""The fewest problems of a domain that are enough, by two meanings of enough.

Within noise: the smallest n from which on no gain differs from that of the largest n (every interval of the paired
difference holds 0). Equivalent: the smallest n whose difference lies within the margin with both ends. Above zero: the
smallest n from which on every gain has an interval above 0. Few problems or seeds make "within noise" easy, so the
equivalence stands beside it.
"""

import pandas as pd

from analysis.drawing.answer import Answer, Chart, Figure, Guide, Scale
from analysis.estimates.numerals import count, signed
from analysis.estimates.panel import Panel
from analysis.passk.estimate import Estimate
from analysis.questions import Question, Settings
from analysis.questions.data import amount_of_data
from analysis.questions.levels import compared, points, within
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, strata
from analysis.runs.selection import ALL_RUNS, Run, Selection


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    notes, rows, texts = left_out(selection), [], []
    least: list[float | None] = []
    figures: dict[str, Figure] = {}
    answered_any = False
    for stratum in strata(selection.completed, free=["n_unique", "reuse"]):
        domain = _domain(stratum.runs)
        label = stratum.label if stratum.label != ALL_RUNS else stratum.runs[0].row.domain_mix
        what, x = amount_of_data(stratum)
        members = arms(stratum, label=lambda row: str(row.n_unique), x=x)
        found = compared(label, members, notes, domain=domain, gain=True)
        if found is None:
            continue
        gains = [found.value(i) for i in range(len(found.arms))]
        behind = [found.difference(i, len(gains) - 1) for i in range(len(gains))]
        rows += [
            {
                "runs": label,
                "measured_on": domain,
                "problems": int(arm.x),
                "seeds": len(arm.runs),
                **gain.columns("gain", "gain_"),
                **gap.columns("difference_to_largest", "difference_to_largest_"),
            }
            for arm, gain, gap in zip(found.arms, gains, behind, strict=True)
        ]
        figures[label] = _chart(label, what, found)
        enough = _first([gap.low is not None and gap.sign == 0 for gap in behind[:-1]])
        same = _first([_within(gap, settings.margin) for gap in behind[:-1]])
        positive = _first([gain.sign > 0 for gain in gains])
        least.append(None if positive is None else float(found.x[positive]))
        answered_any |= positive is not None
        largest, margin = found.x[-1], settings.margin
        parts = (
            f"no gain above 0 up to {count(largest)} problems ({signed(gains[-1])} at the largest)"
            if positive is None
            else f"a gain above 0 from {count(found.x[positive])} problems on",
            f"no smaller number within noise of {count(largest)}"
            if enough is None
            else f"within noise of {count(largest)} from {count(found.x[enough])} on",
            f"none shown equivalent within {margin:g}"
            if same is None
            else f"equivalent to it within {margin:g} from {count(found.x[same])} on",
        )
        texts.append(f"{within(label)} (gain on {'all domains' if domain == 'all' else domain}): {', '.join(parts)}")
    if not texts:
        return missing(
            question, "no configuration with a measured base model was run with two numbers of problems", notes
        )
    notes.append("Intervals are 95% each and not corrected for how many numbers of problems are compared")
    tables = {"gains": pd.DataFrame(rows)}
    text = ". ".join(texts) + "."
    said = _verdict(least)
    nothing = "no number of problems has a gain that is clear of 0, so being near the largest means nothing"
    reason = None if answered_any else nothing
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def _verdict(least: list[float | None]) -> str:
    known = [value for value in least if value is not None]
    if not known:
        where = f", in {len(least)} settings" if len(least) > 1 else ""
        return f"Not decided: no number of problems has a gain clear of 0{where}."
    where = "" if len(least) == 1 else f" in {len(known)} of {len(least)} settings"
    ends = count(min(known)) if min(known) == max(known) else f"{count(min(known))} to {count(max(known))}"
    return f"The gain is clear of 0 from {ends} problems on{where}."


def _domain(runs: tuple[Run, ...]) -> str:
    """The domain trained on, where it is measured by itself; else all."""
    mix = runs[0].row.domain_mix
    return mix if runs[0].row.score(mix) is not None else "all"


def _first(holds: list[bool]) -> int | None:
    """The first index from which on all hold."""
    start = len(holds)
    while start and holds[start - 1]:
        start -= 1
    return start if start < len(holds) else None


def _within(gap: Estimate, margin: float) -> bool:
    return gap.low is not None and gap.high is not None and -margin < gap.low and gap.high < margin


def _chart(label: str, what: str, found: Panel) -> Chart:
    return Chart(
        title="Gain in pass@1 by data",
        x=Scale(label=what, log=True),
        y=Scale(label="gain in pass@1"),
        traces=(points(found, label=f"{label}: gain, 95%", group=label),),
        guides=(Guide(axis="y", value=0.0, label="base model"),),
    )
