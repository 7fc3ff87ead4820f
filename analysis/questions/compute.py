"""Performance against training compute: between configurations, and along each run.

Between: error after training = A C^-alpha over runs, C all training FLOPs of the run. Where compute and size are
varied together this is the law of size again, and is said to be. Along: the curve of each configuration against its
own cumulative FLOPs, and over three sizes or more the k(N) law.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Scale
from analysis.estimates.numerals import change
from analysis.estimates.panel import Arm
from analysis.passk.estimate import Estimate
from analysis.questions import Question, Settings
from analysis.questions.curve_laws import arm_laws, curve_chart, law_row
from analysis.questions.levels import Levels, exponent, law_sentence, level_chart, level_rows, levels, trend_row
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.steps import counted, counted_verdict, kn_table
from analysis.questions.strata import configurations, strata
from analysis.row_laws import final
from analysis.row_laws.power_law import PowerLaw
from analysis.runs.checkpoints import Axis
from analysis.runs.selection import Run, Selection
from analysis.runs.spent import mean_flops
from sweeper.rows.row import ResultRow

NO_FLOPS = "no run has a count of its training FLOPs"


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    runs = counted_runs(selection, notes)
    if not runs:
        return missing(question, NO_FLOPS, notes)
    if len({run.row.flops.accounting for run in runs if run.row.flops}) > 1:
        notes.append("Runs counted by several accountings are not on one axis: read exponents within one of them")
    several = _between(runs, notes)
    laws = arm_laws(configurations(runs), Axis.compute, notes)
    tables = {
        "configurations": pd.DataFrame([row for found in several for row in level_rows(found, "flops")]),
        "laws": pd.DataFrame([trend_row(found, "size" if _rung(runs) else "compute") for found in several]),
        "curves": pd.DataFrame([law_row(item) for item in laws]),
        "k_of_n": pd.DataFrame(kn_table(selection, Axis.compute, notes)),
    }
    scale = Scale(label=str(Axis.compute), log=True)
    figures = {"configurations": level_chart("pass@1 after training by compute", several, scale)} if several else {}
    if laws:
        figures["curves"] = curve_chart("validation accuracy by compute", laws, Axis.compute)
    overall = next((law for law in final.fit_laws(runs) if law.axis is final.Axis.flops), None)
    texts, verdict = [], None
    decided = any(item.falls is not None for item in laws) or any(found.decided for found in several)
    open_one = "no exponent has an interval that excludes 0"
    if overall is not None:
        notes += overall.notes
        law = several[0].law if len(several) == 1 else overall.result  # of one setting the table has the same law
        texts.append(f"{law_sentence(law, overall.ladder)}, over all configurations.")
        verdict = law_verdict(law, repeats_size=overall.repeats_size)
        if isinstance(law, PowerLaw):  # the verdict is of this law, so the status is
            decided = not law.warnings
            open_one = f"over all configurations, {'; '.join(law.warnings)}"
    if laws:
        texts.append(counted(laws, "its FLOPs"))
        verdict = verdict or counted_verdict(laws, "training compute")
    nothing = "One amount of compute: nothing changes with it."
    text = " ".join(texts) or nothing
    reason = None if decided else open_one
    return reply(
        question, selection.completed, verdict or nothing, text, reason, tables=tables, figures=figures, notes=notes
    )


def law_verdict(law: PowerLaw | str, *, repeats_size: bool) -> str | None:
    """The power law in one short sentence; None where there is none.

    Args:
        law: Or why there is none.
        repeats_size: Whether compute and size move together in these runs.
    """
    if isinstance(law, str):
        return None
    apart = "; not separate from size: both move together here" if repeats_size else ""
    if law.warnings:
        return f"Not decided: the exponent of the error over training FLOPs is {exponent(law)}{apart}."
    moves = "better: the error falls" if law.alpha > 0 else "worse: the error rises"
    said = change(Estimate(law.alpha, law.alpha_low, law.alpha_high))
    return f"More compute is {moves} as a power of training FLOPs, with exponent {said}{apart}."


def counted_runs(selection: Selection, notes: list[str]) -> list[Run]:
    """Completed runs with a total of their training FLOPs; a note says how they were counted."""
    runs = [run for run in selection.completed if mean_flops([run.row])]
    if runs:
        accountings = sorted({run.row.flops.accounting for run in runs if run.row.flops})
        notes.append(f"Compute is {Axis.compute}; accounting {', '.join(accountings)}")
    return runs


def _between(runs: list[Run], notes: list[str]) -> list[Levels]:
    several: list[Levels] = []
    for stratum in strata(runs, free=["model", "n_unique", "reuse", "steps"]):
        members = [
            Arm(label=arm.label, x=mean_flops(run.row for run in arm.runs) or np.nan, runs=arm.runs)
            for arm in configurations(stratum.runs)
        ]
        ordered = tuple(sorted(members, key=lambda arm: arm.x))
        several += levels(stratum.label, ordered, notes, rung=_rung(stratum.runs))
    return several


def _rung(runs: Sequence[Run]) -> Callable[[ResultRow], float] | None:
    """What the largest of is held out: size where it varies, else compute."""
    sizes = {run.row.n_params_non_embedding for run in runs}
    return (lambda row: float(row.n_params_non_embedding)) if len(sizes) > 1 else None
