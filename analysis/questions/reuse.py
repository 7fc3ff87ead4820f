"""How often problems can be reused at a fixed number of samples: the reuse factor tau of arXiv 2509.25300.

Arms see the same number of samples from ever fewer problems. Each tau is compared with the smallest one on paired
problems. The law is that of `data_reuse` over runs: error = E + B D_eff^-beta, D_eff = U (1 + r (1 - exp(-(tau-1)/r))).
"""

from dataclasses import dataclass

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
from analysis.questions.levels import compared, joined, points, within
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, strata
from analysis.runs.selection import Selection


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    notes, rows, laws, texts, findings = left_out(selection), [], [], [], []
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
        findings.append(_Finding.of(found, gaps, settings.margin))
        texts.append(f"{within(stratum.label)}: {findings[-1].text(found, gaps)}")
        laws += law_rows(_law(found), stratum.label)
    if not texts:
        return missing(question, "no two reuse factors were run at the same number of samples", notes)
    notes.append("Differences are to the least reuse, 95% each, not corrected for how many are compared")
    tables = {"reuse": pd.DataFrame(rows), "law": pd.DataFrame(laws)}
    said, text = min(findings, key=lambda item: item.harmless).verdict(len(findings)), joined(texts)
    return reply(question, selection.completed, said, text, tables=tables, figures=figures, notes=notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """How far reuse may go.

    Attributes:
        harmless: Most uses of a problem up to which no loss is seen.
        loss: Uses from which on there is one; None: up to none.
        ruled_out: Uses up to which a loss of more than the margin is ruled out; None: none but the first.
        margin: The smallest loss that counts.
    """

    harmless: float
    loss: float | None
    ruled_out: float | None
    margin: float

    @classmethod
    def of(cls, found: Panel, gaps: list[Estimate], margin: float) -> "_Finding":
        worse = [i for i, gap in enumerate(gaps) if gap.sign < 0]
        same = [i for i, gap in enumerate(gaps) if i and gap.low is not None and gap.low > -margin]
        unbroken = bool(same) and same == list(range(1, len(same) + 1))
        return cls(
            harmless=float(found.x[worse[0] - 1 if worse else len(gaps) - 1]),
            loss=float(found.x[worse[0]]) if worse else None,
            ruled_out=float(found.x[same[-1]]) if unbroken else None,
            margin=margin,
        )

    def verdict(self, settings: int) -> str:
        where = f" in the most sensitive of {settings} settings" if settings > 1 else ""
        if self.loss is not None:
            return (
                f"Performance suffers when each problem is seen {self.loss:.3g} times{where}; no loss is seen before."
            )
        ruled = "for no larger reuse" if self.ruled_out is None else f"up to {self.ruled_out:.3g} times"
        return (
            f"No loss is seen up to {self.harmless:.3g} uses of each problem{where}; one above {self.margin:g} is "
            f"ruled out {ruled}."
        )

    def text(self, found: Panel, gaps: list[Estimate]) -> str:
        least = "once" if found.x[0] == 1 else f"{found.x[0]:.3g} times"
        first = f"no loss against seeing each problem {least} is seen up to {self.harmless:.3g} times"
        gap = dict(zip(found.x.tolist(), gaps, strict=True))
        if self.harmless != found.x[0]:
            first += f" ({signed(gap[self.harmless])})"
        if self.loss is not None:
            first += f", and a loss from {self.loss:.3g} times on ({signed(gap[self.loss])})"
        to = "for no larger reuse" if self.ruled_out is None else f"up to {self.ruled_out:.3g} times"
        return f"{first}; a loss of more than {self.margin:g} is ruled out {to}"


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
        x=Scale(label="how often each problem is seen", log=True),
        y=Scale.share("pass@1 after training"),
        traces=(points(found, label=f"{label}: pass@1, 95%", group=label),),
        guides=(Guide(axis="y", value=float(found.values[0]), label=f"seen {found.x[0]:.3g} times"),),
    )
