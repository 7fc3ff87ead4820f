"""Performance along a run: the error of its validations against training steps, configuration by configuration.

error = A x^-alpha of each configuration's curves; over three model sizes or more the k(N) law of arXiv 2509.25300.
The unit of an interval is the run; one run has AR(1) residuals and a lower bound on the uncertainty.
"""

import pandas as pd

from analysis.drawing.answer import Answer
from analysis.laws.inference import LOWER_BOUND, Inference
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
    figures = {"curves": curve_chart("validation pass@1 along training", laws, Axis.steps)}
    verdict = counted(laws, "training steps") + "."
    open_ones = all(item.falls is None for item in laws)
    reason = "no configuration has an exponent whose interval excludes 0" if open_ones else None
    return reply(question, verdict, reason, tables=tables, figures=figures, notes=notes)


def counted(laws: list[ArmLaw], along: str) -> str:
    """In how many configurations the error falls, with the steepest one."""
    falling, rising = [item for item in laws if item.falls], sum(item.falls is False for item in laws)
    fitted = [item for item in laws if item.law is not None]
    said = (
        f"along {along} the validation error falls in {len(falling)} of {len(laws)} configurations, rises in {rising}, "
        f"and the interval of the exponent leaves {len(fitted) - len(falling) - rising} open"
    )
    if len(fitted) < len(laws):
        said += f" ({len(laws) - len(fitted)} have too few validations)"
    steepest = max(fitted, key=lambda item: item.law.fit.natural["alpha"] if item.law else 0.0, default=None)
    if steepest and steepest.alpha and steepest.alpha.interval and steepest.alpha.value is not None:
        ends = steepest.alpha.interval
        said += f"; the steepest is {steepest.label} with x^-{steepest.alpha.value:.3f}"
        if ends.low is not None and ends.high is not None:
            said += f", exponent in [{ends.low:.3f}, {ends.high:.3f}]"
    return said


def kn_table(selection: Selection, axis: Axis, notes: list[str]) -> list[dict[str, object]]:
    """The k(N) law of every stratum of sizes."""
    rows = []
    for stratum in strata(selection.completed, free=["model"]):
        law = joint_law(points_of_curves(stratum.runs, stratum.label, axis, []), axis)
        rows += law_rows(law, stratum.label)
        if isinstance(law, Inference) and LOWER_BOUND in law.flags:
            notes.append(f"k(N) law: {LOWER_BOUND}")
    if any(row["parameter"] is not None for row in rows):
        notes.append(f"k(N) law: equal weight a size, x = {axis}; its levels E are log10 of the error at x = 1")
    return rows
