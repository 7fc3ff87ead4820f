"""Transfer between domains: T[i, j] = (gain on j after training on i) / (gain on j after training on j).

Numerator and denominator share the problems of j and are resampled together. Where the interval of the denominator
holds 0 the ratio is no number: a domain that does not gain from its own training is no unit to measure others in. The
test of a cell is of its numerator, gain on j after training on i, corrected over all cells (Holm). Runs on a mix of
domains are the control: their lines say what of a domain's own gain the mix has, and are not tested.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Cell, HeatMap
from analysis.estimates.numerals import plain, signed
from analysis.estimates.panel import Arm, between, panel
from analysis.passk.crossed import crossed_mean
from analysis.passk.estimate import NONE, Estimate
from analysis.questions import Question, Settings
from analysis.questions.levels import within
from analysis.questions.reply import ALPHA, left_out, missing, reply
from analysis.questions.strata import Stratum, strata
from analysis.runs.counts import Floats
from analysis.runs.selection import Run, Selection
from sweeper.rows.clear_change import holm


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    train: str
    test: str
    gain: Estimate
    p: float | None  # Holm-corrected; None: of a control, not tested
    ratio: Estimate | str  # or why there is none

    @property
    def decided(self) -> bool:
        return self.p is not None and self.p < ALPHA


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes, tables, figures, texts = left_out(selection), [], {}, []
    n_numbers, n_up, n_down, n_across = 0, 0, 0, 0
    for stratum in strata(selection.completed, free=["domain_mix", "n_unique", "reuse"]):
        entries = _entries(stratum, notes)
        if not entries:
            continue
        figures[stratum.label] = _heat_map(stratum.label, entries)
        tables += [_row(stratum.label, item) for item in entries]
        tested = [item for item in entries if item.p is not None]
        across = [item for item in tested if item.train != item.test]
        numbers = [(item.ratio, item) for item in across if isinstance(item.ratio, Estimate)]
        n_numbers += len(numbers)
        up, down = (sum(item.decided and item.gain.value * side > 0 for item in across) for side in (1, -1))
        n_up, n_down, n_across = n_up + up, n_down + down, n_across + len(across)
        text = (
            f"{within(stratum.label)}: of {len(across)} pairs of different domains, {up} gain and {down} lose after "
            f"Holm's correction over {len(tested)} cells, {len(across) - up - down} are undecided"
        )
        if numbers:
            share, best = max(numbers, key=lambda pair: pair[0].value)
            text += f"; the largest transfer is {best.train} to {best.test}, {plain(share)} of {best.test}'s own gain"
        else:
            text += "; no ratio is given, because no domain's gain from its own training is clear of 0"
        texts.append(text)
    if not texts:
        return missing(
            question, "no two domains were each trained on alone, with base models measured on the same problems", notes
        )
    notes.append("A row's interval is 95%, over problems of the tested domain and, with several seeds, over seeds")
    frames = {"transfer": pd.DataFrame(tables)}
    text = ". ".join(texts) + "."
    said = _verdict(n_up, n_down, n_across)
    reason = None if n_numbers else "every gain that would be a denominator has an interval that holds 0"
    return reply(question, selection.completed, said, text, reason, tables=frames, figures=figures, notes=notes)


def _verdict(up: int, down: int, pairs: int) -> str:
    if not up and not down:
        return f"Not decided: none of {pairs} pairs of different domains clearly gains or loses."
    return (
        f"Training on one domain clearly helps another in {up} of {pairs} pairs and harms it in {down}; "
        f"{pairs - up - down} are open."
    )


def ratio(top: Estimate, bottom: Estimate, top_draws: Floats, bottom_draws: Floats) -> Estimate | str:
    """A ratio with the percentile interval of its joint draws, or why it is no number."""
    if bottom.low is None or bottom.high is None:
        return "the gain it would be divided by has no interval"
    if bottom.low <= 0 <= bottom.high:
        return f"own gain {signed(bottom)} holds 0"
    with np.errstate(divide="ignore"):  # a draw of the denominator may be 0: the ratio is then beyond every number
        return between(top.value / bottom.value, top_draws / bottom_draws)


def _entries(stratum: Stratum, notes: list[str]) -> list[_Entry]:
    by: dict[str, list[Run]] = {}
    for run in stratum.runs:
        by.setdefault(run.row.domain_mix, []).append(run)
    measured = {score.domain for run in stratum.runs for score in run.row.trained}
    trained_on = sorted(name for name in by if name in measured and name != "all")
    if len(trained_on) < 2:
        return []
    for name in trained_on:
        if len({run.row.group_id for run in by[name]}) > 1:
            notes.append(f"{stratum.label}: {name} was trained in several configurations, which are put together")
    mixes = sorted(name for name in by if name not in measured)
    if mixes:
        notes.append(f"{stratum.label}: trained on several domains, a control that is not tested: {', '.join(mixes)}")
    found = []
    for test in trained_on:
        arms = [Arm(label=name, x=float(i), runs=tuple(by[name])) for i, name in enumerate([*trained_on, *mixes])]
        gains = panel(arms, domain=test, gain=True)
        if isinstance(gains, str):
            notes.append(f"{stratum.label}, gains on {test}: {gains}")
            continue
        notes += gains.notes
        own = trained_on.index(test)
        for i, name in enumerate([*trained_on, *mixes]):
            value = gains.value(i)
            share: Estimate | str = "the unit itself"
            if i != own:
                share = ratio(value, gains.value(own), gains.draws[:, i], gains.draws[:, own])
            p = crossed_mean(gains.each[i]).p_value() if name in trained_on else None
            found.append(_Entry(train=name, test=test, gain=value, p=p, ratio=share))
    return [replace(item, p=p) for item, p in zip(found, holm([item.p for item in found]), strict=True)]


def _row(label: str, item: _Entry) -> dict[str, object]:
    why, share = (item.ratio, NONE) if isinstance(item.ratio, str) else ("", item.ratio)
    return {
        "runs": label,
        "trained_on": item.train,
        "measured_on": item.test,
        **item.gain.columns("gain", "gain_"),
        "p_holm": item.p,
        **share.columns("transfer", "transfer_"),
        "why_no_ratio": why,
    }


def _heat_map(label: str, entries: list[_Entry]) -> HeatMap:
    rows = tuple(dict.fromkeys(item.train for item in entries))
    columns = tuple(dict.fromkeys(item.test for item in entries))
    by = {(item.train, item.test): _cell(item) for item in entries}
    cells = tuple(tuple(by[row, column] for column in columns) for row in rows)
    return HeatMap(
        title=f"Gain in pass@1, {label}", row_label="trained on", column_label="measured on", rows=rows,
        columns=columns, cells=cells,
    )  # fmt: skip


def _cell(item: _Entry) -> Cell:
    text = item.ratio if isinstance(item.ratio, str) else f"transfer {plain(item.ratio)}"
    mark = "*" if item.decided else ""
    return Cell(value=item.gain.value, low=item.gain.low, high=item.gain.high, mark=mark, note=text)
