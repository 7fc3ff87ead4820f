"""The share of problems that goes to supervised fine-tuning before RL, the total held fixed.

R = a + b z + c z^2 with z the share on a logit scale; c < 0 and the top inside the shares tried are needed for an
optimum. Shares are drawn 5% towards a half first: a share of 0 has no logit, and near 0 the logit would give one arm
all the leverage. The optimum and its interval come from joint draws of all arms (`analysis.estimates.panel`). The flat
top is what one can choose from: the shares whose fitted R is within one standard error of the top.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Bar, Chart, Figure, Forest, Guide, Scale, band_and_line
from analysis.estimates.numerals import plain
from analysis.estimates.panel import Panel
from analysis.passk.estimate import Estimate
from analysis.questions import Question, Settings
from analysis.questions.levels import compared, points
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, strata
from analysis.runs.counts import Floats
from analysis.runs.selection import ALL_RUNS, Selection
from sweeper.rows.row import ResultRow

MIN_SHARES = 4  # three coefficients and one share to contradict them
INSET = 0.05  # how far shares are drawn towards a half before their logit is taken
MOST_AT_EDGE = 0.05  # share of draws without an optimum inside, above which none is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """Where the quadratic is highest.

    Attributes:
        share: Best share with its 95% interval, or why none is given.
        flat: First and last of the shares within one standard error of the top.
        grid: Shares of the fitted curve.
        fitted: The curve.
        band: Lower and upper ends of its 95% band, 2 x shares.
        misfit: Whether the arms lie further off the quadratic than seeds and problems explain.
    """

    share: Estimate | str
    flat: tuple[float, float]
    grid: Floats
    fitted: Floats
    band: Floats
    misfit: bool


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes, rows, texts, reasons = left_out(selection), [], [], []
    shares_found: list[Estimate] = []
    figures: dict[str, Figure] = {}
    for name, found in _panels(selection, notes):
        rows += _rows(name, found)
        shares = len(set(found.x.tolist()))
        if shares < MIN_SHARES:
            reasons.append(f"with {name}, {shares} shares were run and a curve with a check needs {MIN_SHARES}")
            figures[name] = _forest(found)
            continue
        best = optimum(found)
        figures[name] = _chart(found, best)
        if best.misfit:
            notes.append(
                f"With {name}: the shares lie further off a quadratic than seeds and problems explain, so the "
                f"intervals are widened; the best share measured is {found.x[int(np.argmax(found.values))]:.2f}"
            )
        if isinstance(best.share, str):
            reasons.append(f"with {name}, {best.share}")
        else:
            shares_found.append(best.share)
            texts.append(
                f"With {name}: the best share is {plain(best.share)}; shares from {best.flat[0]:.2f} to "
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
    z = _logit(found.x)
    centre, width = z.mean(), max(float(np.ptp(z)), 1e-12)
    design = np.vander((z - centre) / width, 3, increasing=True)
    pull = np.linalg.pinv(design)
    grid = np.linspace(found.x.min(), found.x.max(), 201)
    basis = np.vander((_logit(grid) - centre) / width, 3, increasing=True)
    hat = np.eye(len(z)) - design @ pull
    misfit = float(((hat @ found.values) ** 2).sum())
    expected = (((found.draws - found.values) @ hat.T) ** 2).sum(axis=1)
    df = len(z) - 3
    draws = found.draws
    # What the arms lie off the quadratic beyond the noise of the draws: other runs, or another shape.
    excess = max(misfit - float(expected.mean()), 0.0)
    if df > 0 and excess > 0:
        rng = np.random.default_rng(90217)
        spread = np.sqrt(excess / rng.chisquare(df, size=len(draws)))
        draws = draws + rng.normal(size=draws.shape) * spread[:, None]
    curves = (draws @ pull.T) @ basis.T
    fitted = basis @ (pull @ found.values)
    best, of_draws = int(np.argmax(fitted)), np.argmax(curves, axis=1)
    inside = (of_draws > 0) & (of_draws < len(grid) - 1)
    at_edge = float(1 - inside.mean())
    # The standard error of a loss against the top, share by share, from the same draws.
    behind = (curves - curves[:, [best]]).std(axis=0)
    flat = grid[fitted[best] - fitted <= behind]
    low, high = np.quantile(grid[of_draws], [0.025, 0.975])
    share: Estimate | str = Estimate(float(grid[best]), float(low), float(high))
    if best in (0, len(grid) - 1):
        share = f"the fitted curve is highest at the edge of the shares tried ({grid[best]:.2f}): try shares beyond it"
    elif at_edge > MOST_AT_EDGE:
        share = f"{at_edge:.0%} of the draws are highest at an edge of the shares tried: the curve is too flat"
    return Optimum(
        share=share,
        flat=(float(flat.min()), float(flat.max())),
        grid=grid,
        fitted=fitted,
        band=np.quantile(curves, [0.025, 0.975], axis=0),
        misfit=bool(df > 0 and misfit > float(np.quantile(expected, 0.95))),
    )


def _total(row: ResultRow) -> int | None:
    return None if row.n_unique is None or row.n_sft is None else row.n_unique + row.n_sft


def _share(row: ResultRow) -> float:
    if row.n_unique is None or row.n_sft is None:
        raise ValueError(f"{row.run_id} does not say how many problems it used")
    return row.n_sft / (row.n_unique + row.n_sft)


def _logit(share: Floats) -> Floats:
    drawn_in = INSET + (1 - 2 * INSET) * share
    return np.asarray(np.log(drawn_in / (1 - drawn_in)))


def _forest(found: Panel) -> Forest:
    values = [found.value(i) for i in range(len(found.arms))]
    bars = [Bar.of(arm.label, value, plain(value)) for arm, value in zip(found.arms, values, strict=True)]
    return Forest(title="pass@1 by share of fine-tuning", axis=Scale.share("pass@1 after training"), bars=tuple(bars))


def _chart(found: Panel, best: Optimum) -> Chart:
    curve = band_and_line(
        "quadratic in logit share", "fit", best.grid, best.fitted, best.band, band="95% band of the fit"
    )
    traces = (*curve, points(found, label="measured, 95% over problems and seeds", group="measured"))
    top = () if isinstance(best.share, str) else (best.share.value,)
    guides = tuple(Guide(axis="x", value=share, label=f"best {share:.2f}") for share in top)
    return Chart(
        title="pass@1 by share of fine-tuning",
        x=Scale.share("share of problems for fine-tuning"),
        y=Scale.share("pass@1 after training"),
        traces=traces,
        guides=guides,
    )
