"""How often problems can be reused at a fixed number of samples: the reuse factor tau of arXiv 2509.25300.

Arms see the same number of samples from ever fewer problems. Each tau is compared with the smallest one on paired
problems. The law is that of `data_reuse` over runs: error = E + B D_eff^-beta, D_eff = U (1 + r (1 - exp(-(tau-1)/r))).
"""

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Chart, Figure, Guide, Scale
from analysis.estimates.numerals import signed
from analysis.estimates.panel import Arm, Panel
from analysis.laws.catalogue import DATA_REUSE
from analysis.laws.fitting import fit
from analysis.laws.inference import Inference, infer
from analysis.laws.sample import LawError, Sample
from analysis.passk.estimate import Estimate
from analysis.questions import Question, Settings
from analysis.questions.curve_laws import law_rows
from analysis.questions.levels import compared, joined, points
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, strata
from analysis.runs.selection import Selection


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    notes, rows, laws, said = left_out(selection), [], [], []
    figures: dict[str, Figure] = {}
    for stratum in strata(selection.completed, free=("n_unique", "reuse")):
        members = arms(stratum, label=lambda row: f"{row.reuse:.3g}", x=lambda row: row.reuse)
        found = compared(stratum.label, members, notes)
        if found is None:
            continue
        gaps = [found.difference(i, 0) for i in range(len(found.arms))]
        for i, arm in enumerate(found.arms):
            rows.append(_row(stratum.label, arm, found.value(i), gaps[i]))
        figures[stratum.label] = _chart(stratum.label, found)
        said.append(f"{stratum.label}: {_finding(found, gaps, settings.margin)}")
        laws += law_rows(_law(found), stratum.label)
    if not said:
        return missing(question, "no two reuse factors were run at the same number of samples", notes)
    notes.append("differences are to the smallest tau, 95% each, not corrected for the number of tau compared")
    tables = {"reuse": pd.DataFrame(rows), "law": pd.DataFrame(laws)}
    return reply(question, joined(said), tables=tables, figures=figures, notes=notes)


def _finding(found: Panel, gaps: list[Estimate], margin: float) -> str:
    first = found.x[0]
    worse = [i for i, gap in enumerate(gaps) if gap.sign < 0]
    up_to = worse[0] - 1 if worse else len(gaps) - 1
    text = f"no loss against tau = {first:.3g} is seen up to tau = {found.x[up_to]:.3g}"
    if up_to:
        text += f" ({signed(gaps[up_to])})"
    if worse:
        text += f", and a loss from tau = {found.x[worse[0]]:.3g} on ({signed(gaps[worse[0]])})"
    same = [i for i, gap in enumerate(gaps) if i and gap.low is not None and gap.low > -margin]
    text += (
        f"; a loss of more than {margin:g} is ruled out up to tau = {found.x[same[-1]]:.3g}"
        if same and same == list(range(1, len(same) + 1))
        else f"; a loss of more than {margin:g} is ruled out for no larger tau"
    )
    return text


def _law(found: Panel) -> Inference | str:
    """The law over all runs of the arms, or why it is not fitted."""
    runs = [(run, value) for arm in found.arms for run in arm.runs if (value := run.pass1()) is not None]
    sample = Sample(
        columns={
            "unique": np.array([float(run.row.problems_seen or run.row.n_unique or np.nan) for run, _ in runs]),
            "tau": np.array([run.row.reuse or np.nan for run, _ in runs], dtype=np.float64),
        },
        y=np.array([1 - value for _, value in runs]),
    )
    try:
        return infer(fit(DATA_REUSE, sample, keep_repeats=True), draws=0)
    except LawError as error:
        return str(error)


def _row(label: str, arm: Arm, value: Estimate, gap: Estimate) -> dict[str, object]:
    return {
        "runs": label,
        "tau": arm.x,
        "n_unique": arm.runs[0].row.n_unique,
        "problems_seen": arm.runs[0].row.problems_seen,
        "seeds": len(arm.runs),
        **value.columns("pass1"),
        **gap.columns("difference_to_first", "difference_to_first_"),
    }


def _chart(label: str, found: Panel) -> Chart:
    return Chart(
        title="pass@1 by reuse",
        x=Scale(label="tau, how often each problem is seen", log=True),
        y=Scale(label="pass@1 after training"),
        traces=(points(found, label=f"{label}: pass@1, 95%", group=label),),
        guides=(Guide(axis="y", value=float(found.values[0]), label=f"tau = {found.x[0]:.3g}"),),
    )
