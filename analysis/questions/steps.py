"""Performance along a run: the error of its validations against training steps, configuration by configuration.

error = A x^-alpha of each configuration's curves; over three model sizes or more the k(N) law of arXiv 2509.25300.
The unit of an interval is the run; one run has AR(1) residuals and a lower bound on the uncertainty.
"""

import pandas as pd

from analysis.drawing.answer import Answer
from analysis.estimates.numerals import plain
from analysis.laws.inference import LOWER_BOUND, Inference
from analysis.passk.estimate import Estimate
from analysis.questions import Question, Settings
from analysis.questions.curve_laws import ArmLaw, arm_laws, curve_chart, law_row, law_rows, points_of_curves
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import configurations, strata
from analysis.row_laws.curve_law import joint_law
from analysis.runs.checkpoints import Axis
from analysis.runs.selection import Selection


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    laws = arm_laws(configurations(selection.completed), Axis.steps, notes)
    if not laws:
        return missing(question, "no run was validated during training", notes)
    tables = {
        "curves": pd.DataFrame([law_row(item) for item in laws]),
        "k_of_n": pd.DataFrame(kn_table(selection, Axis.steps, notes)),
    }
    figures = {"curves": curve_chart("validation accuracy along training", laws, Axis.steps)}
    text = counted(laws, "training steps")
    open_ones = all(item.falls is None for item in laws)
    reason = "no configuration has an exponent whose interval excludes 0" if open_ones else None
    said = counted_verdict(laws, "training")
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def counted(laws: list[ArmLaw], along: str) -> str:
    """In how many configurations the error falls, with the steepest one."""
    falling, rising = [item for item in laws if item.falls], sum(item.falls is False for item in laws)
    fitted = [item for item in laws if item.law is not None]
    n, undecided = len(laws), len(fitted) - len(falling) - rising
    said = (
        f"Along {along} the interval of the exponent shows the validation error falling in {len(falling)} of {n} "
        f"configurations and rising in {rising}, and leaves {undecided} open "
        f"({_uncorrected(n)})"
    )
    if len(fitted) < len(laws):
        said += f", and {len(laws) - len(fitted)} have too few validations"
    steepest = max(fitted, key=lambda item: item.law.fit.natural["alpha"] if item.law else 0.0, default=None)
    if steepest and steepest.alpha and steepest.alpha.interval and steepest.alpha.value is not None:
        ends = steepest.alpha.interval
        found = plain(Estimate(steepest.alpha.value, ends.low, ends.high))
        said += f". The steepest is {steepest.label}, with exponent {found}"
    return f"{said}."


def counted_verdict(laws: list[ArmLaw], along: str) -> str:
    """The same in one short sentence."""
    falling, rising = (sum(item.falls is side for item in laws) for side in (True, False))
    n = len(laws)
    if not falling and not rising:
        return f"Not decided: along {along} no validation error of {n} configurations is shown to fall or rise."
    said = f"Along {along} the interval of the exponent shows the validation error falling in {falling} of {n} "
    said += f"configurations{f' and rising in {rising}' if rising else ''}"
    return f"{said} ({_uncorrected(n)})."


def _uncorrected(n: int) -> str:
    return f"95% each, not corrected for {n} comparisons" if n > 1 else "95%"


def kn_table(selection: Selection, axis: Axis, notes: list[str]) -> list[dict[str, object]]:
    """The k(N) law of every stratum of sizes."""
    rows = []
    for stratum in strata(selection.completed, free=["model"]):
        law = joint_law(points_of_curves(stratum.runs, stratum.label, axis, []), axis)
        rows += law_rows(law, stratum.label)
        if isinstance(law, Inference) and LOWER_BOUND in law.flags:
            notes.append(f"Slope by model size: {LOWER_BOUND}")
    if any(row["parameter"] is not None for row in rows):
        notes.append(
            f"Slope by model size: every size has the same weight, x is {axis}; the levels E are log10 of the error at "
            "x = 1"
        )
    return rows
