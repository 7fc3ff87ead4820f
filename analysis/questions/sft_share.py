"""The share of problems that goes to supervised fine-tuning before RL, the total held fixed.

R = a + b z + c z^2 with z the share on a logit scale (`analysis.estimates.optimum`). Shares are drawn 5% towards a half
first: a share of 0 has no logit, and near 0 the logit would give one arm all the leverage. The flat top is what one can
choose from: the shares whose fitted R is within one standard error of the top.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Bar, Chart, Figure, Forest, Guide, Scale, band_and_line
from analysis.estimates.numerals import plain
from analysis.estimates.optimum import MIN_VALUES, Optimum, Tried, optima
from analysis.estimates.panel import Panel
from analysis.passk.estimate import Estimate
from analysis.questions import Question, Settings
from analysis.questions.levels import compared, points
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, strata
from analysis.runs.counts import Floats
from analysis.runs.selection import ALL_RUNS, Selection
from sweeper.rows.row import ResultRow

INSET = 0.05  # how far shares are drawn towards a half before their logit is taken


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes, rows, texts, reasons = left_out(selection), [], [], []
    shares_found: list[Estimate] = []
    figures: dict[str, Figure] = {}
    for name, found in _panels(selection, notes):
        rows += _rows(name, found)
        shares = len(set(found.x.tolist()))
        if shares < MIN_VALUES:
            reasons.append(f"with {name}, {shares} shares were run and a curve with a check needs {MIN_VALUES}")
            figures[name] = _forest(found)
            continue
        best = optimum(found)
        figures[name] = _chart(found, best)
        if best.misfit:
            notes.append(
                f"With {name}: the shares lie further off a quadratic than seeds and problems explain, so the "
                f"intervals are widened; the best share measured is {found.x[int(np.argmax(found.values))]:.2f}"
            )
        if isinstance(best.at, str):
            reasons.append(f"with {name}, {best.at}")
        else:
            shares_found.append(best.at)
            texts.append(
                f"With {name}: the best share is {plain(best.at)}; shares from {best.flat[0]:.2f} to "
                f"{best.flat[1]:.2f} are within one standard error of it"
            )
    if not rows:
        return missing(question, "no two shares of SFT were run with the same total of problems", notes)
    notes.append("The best share measured is the best by luck in part: its lead over the others is somewhat overstated")
    tables = {"shares": pd.DataFrame(rows)}
    text = ". ".join(texts + [f"No best share is given: {reason}" for reason in reasons]) + "."
    reason = None if texts else "; ".join(reasons)
    said = _verdict(shares_found, len(texts) + len(reasons))
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def _verdict(found: list[Estimate], settings: int) -> str:
    if not found:
        return f"Not decided: no best share of fine-tuning can be given in {settings} setting{'s' * (settings > 1)}."
    if settings == 1:
        return f"The best share of problems for fine-tuning is {plain(found[0])}."
    lowest, highest = min(found, key=lambda item: item.value), max(found, key=lambda item: item.value)
    if len(found) == 1:
        return f"The best share of problems for fine-tuning is {plain(found[0])}, given in 1 of {settings} settings."
    return (
        f"The best share of problems for fine-tuning lies between {plain(lowest)} and {plain(highest)}, given in "
        f"{len(found)} of {settings} settings."
    )


def _panels(selection: Selection, notes: list[str]) -> Iterator[tuple[str, Panel]]:
    """Shares of a total of problems beside each other, by name, where two shares or more were run."""
    with_total = [run for run in selection.completed if _total(run.row) is not None]
    for total in sorted({total for run in with_total if (total := _total(run.row)) is not None}):
        members = [run for run in with_total if _total(run.row) == total]
        for stratum in strata(members, free=["n_unique", "n_sft", "steps", "reuse"]):
            found = compared(stratum.label, arms(stratum, label=lambda row: f"{_share(row):.3g}", x=_share), notes)
            if found is not None:
                yield f"{total} problems" + ("" if stratum.label == ALL_RUNS else f", {stratum.label}"), found


def _rows(name: str, found: Panel) -> list[dict[str, object]]:
    """One table row a share."""
    top = int(np.argmax(found.values))
    return [
        {
            "runs": name,
            "share": arm.x,
            "seeds": len(arm.runs),
            **found.value(i).columns("pass1"),
            **found.difference(i, top).columns("difference_to_best", "difference_to_best_"),
        }
        for i, arm in enumerate(found.arms)
    ]


def optimum(found: Panel) -> Optimum:
    """The best share of a panel over shares (0 <= x < 1), or why none is given."""
    return optima(found, [range(len(found.arms))], SHARES)[0]


def _total(row: ResultRow) -> int | None:
    return None if row.n_unique is None or row.n_sft is None else row.n_unique + row.n_sft


def _share(row: ResultRow) -> float:
    if row.n_unique is None or row.n_sft is None:
        raise ValueError(f"{row.run_id} does not say how many problems it used")
    return row.n_sft / (row.n_unique + row.n_sft)


def _logit(share: Floats) -> Floats:
    drawn_in = INSET + (1 - 2 * INSET) * share
    return np.asarray(np.log(drawn_in / (1 - drawn_in)))


SHARES = Tried(values="shares", scale=_logit, between=np.linspace, written=lambda share: f"{share:.2f}")


def _forest(found: Panel) -> Forest:
    values = [found.value(i) for i in range(len(found.arms))]
    bars = [Bar.of(arm.label, value, plain(value)) for arm, value in zip(found.arms, values, strict=True)]
    return Forest(title="pass@1 by share of fine-tuning", axis=Scale.share("pass@1 after training"), bars=tuple(bars))


def _chart(found: Panel, best: Optimum) -> Chart:
    curve = band_and_line(
        "quadratic in logit share", "fit", best.grid, best.fitted, best.band, band="95% band of the fit"
    )
    traces = (*curve, points(found, label="measured, 95% over problems and seeds", group="measured"))
    top = () if isinstance(best.at, str) else (best.at.value,)
    guides = tuple(Guide(axis="x", value=share, label=f"best {share:.2f}") for share in top)
    return Chart(
        title="pass@1 by share of fine-tuning",
        x=Scale.share("share of problems for fine-tuning"),
        y=Scale.share("pass@1 after training"),
        traces=traces,
        guides=guides,
    )
