"""The last part of a run predicted from its first, form by form, against the last value seen.

Rolling origin (`analysis.laws.ranking`): each curve is cut after 25, 50 and 75% of its points; a form fitted before the
cut predicts what follows. The unit is the run: a form beats the last value where the mean over runs of the difference
of their errors is below 0 (Student's t over runs, Holm over forms).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Bar, Forest
from analysis.estimates.numerals import change, number, signed
from analysis.laws.ranking import BASELINE, Ranked, rank
from analysis.laws.sample import LawError, Sample
from analysis.passk.crossed import CrossedMean, crossed_mean
from analysis.questions import Question, Settings
from analysis.questions.reply import ALPHA, left_out, missing, reply
from analysis.runs.selection import Run, Selection
from sweeper.rows.clear_change import holm

FEWEST_POINTS = 20  # five before the first cut
MOST_CURVES = 12  # each costs some twenty fits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """A form beside the last value, over the curves it could be fitted to at every cut; `gap`: its error minus that."""

    form: str
    ranked: tuple[Ranked, ...]
    gap: CrossedMean

    @property
    def mae(self) -> float:
        return float(np.mean([item.mae for item in self.ranked]))

    def row(self, p_holm: float | None, n_curves: int) -> dict[str, object]:
        return {
            "form": self.form,
            "runs": len(self.ranked),
            "mae": self.mae,
            "bias": float(np.mean([item.bias for item in self.ranked])),
            "wins": float(np.mean([item.wins for item in self.ranked])),
            **self.gap.interval().columns("minus_last_value"),
            "p": self.gap.p_value(),
            "runs_without_fit": n_curves - len(self.ranked),
            "p_holm": p_holm,
        }


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    what, curves = _curves(selection.completed, notes)
    if not curves:
        return missing(
            question, f"no run has {FEWEST_POINTS} measured steps of validation or of training reward", notes
        )
    ranked = _ranked(curves, notes)
    forms = [form for form in dict.fromkeys(form for item in ranked.values() for form in item) if form != BASELINE]
    compared = [found for form in forms if (found := _beside(form, ranked)) is not None]
    if not compared:
        return missing(question, "no form could be fitted to the first part of any run", notes)
    compared.sort(key=lambda item: item.mae)
    adjusted = holm([item.gap.p_value() for item in compared])
    baseline = float(np.mean([item[BASELINE].mae for item in ranked.values()]))
    notes.append(
        f"Curves are 1 - {what}, cut after 25, 50 and 75% of {len(ranked)} runs; errors are mean absolute errors"
    )
    rows = [item.row(p, len(ranked)) for item, p in zip(compared, adjusted, strict=True)]
    tables = {"forms": pd.DataFrame([*rows, {"form": BASELINE, "runs": len(ranked), "mae": baseline}])}
    figures = {"forms": _forest(compared)}
    best, gap = compared[0], compared[0].gap.interval()
    text = (
        f"Of {len(rows)} forms the {_words(best.form)} predicts the rest of {len(ranked)} runs best, off by "
        f"{number(best.mae)} in {what}; the last value is off by {number(baseline)}, a difference of {signed(gap)} "
        "over runs"
    )
    said = f"The {_words(best.form)} predicts the rest of a run better than its last value: by {change(gap)} in {what}."
    p, reason = adjusted[0], None
    if all(item.gap.interval().sign > 0 for item in compared):
        text += ": repeating the last value is better"
        said = f"Repeating the last value predicts the rest of a run better than all {len(rows)} forms."
    elif p is None or p >= ALPHA or gap.sign >= 0:
        reason = "no form is shown to predict better than repeating the last value"
        said = f"Not decided: none of {len(rows)} forms is shown to predict better than repeating the last value."
    return reply(question, selection.completed, said, f"{text}.", reason, tables=tables, figures=figures, notes=notes)


def _words(form: str) -> str:
    return {"power": "power law", "power_floor": "power law with a floor"}.get(form, form.replace("_", " "))


def _ranked(curves: dict[str, Sample], notes: list[str]) -> dict[str, dict[str, Ranked]]:
    """Forms by name of each curve that can be cut, of at most `MOST_CURVES` curves."""
    names = list(curves)
    if len(names) > MOST_CURVES:
        notes.append(f"{MOST_CURVES} of {len(names)} curves, evenly spread, were ranked")
        names = [names[int(i)] for i in np.linspace(0, len(names) - 1, MOST_CURVES)]
    ranked: dict[str, dict[str, Ranked]] = {}
    for name in names:
        try:
            ranked[name] = {item.form: item for item in rank(curves[name])}
        except LawError as error:
            notes.append(f"{name}: {error}")
    return ranked


def _forest(compared: list[_Beside]) -> Forest:
    bars = (Bar.of(item.form, item.gap.interval()) for item in compared)
    title, axis = "Held-out error minus that of the last value", "difference of mean absolute errors"
    return Forest.of_differences(title, axis, bars, zero="last value")


def _beside(form: str, ranked: dict[str, dict[str, Ranked]]) -> _Beside | None:
    """None: it could be fitted to no curve."""
    pairs = [(item[form], item[BASELINE]) for item in ranked.values() if form in item and not item[form].n_failed]
    if not pairs:
        return None
    gaps = np.array([[mine.mae - last.mae] for mine, last in pairs])
    return _Beside(form=form, ranked=tuple(mine for mine, _ in pairs), gap=crossed_mean(gaps))


def _curves(runs: tuple[Run, ...], notes: list[str]) -> tuple[str, dict[str, Sample]]:
    """Validation where every run has enough of it, else training reward."""
    validation = {run.row.run_id: found for run in runs if (found := _curve(run, "val_pass1")) is not None}
    if validation:
        return "validation accuracy", validation
    reward = {run.row.run_id: found for run in runs if (found := _curve(run, "reward")) is not None}
    if reward:
        notes.append(f"No run has {FEWEST_POINTS} validations: the curves are of training reward, not of held-out data")
    return "training reward", reward


def _curve(run: Run, field: str) -> Sample | None:
    points = [(point.step, getattr(point, field)) for point in run.row.curve if point.step > 0]
    known = [(step, value) for step, value in points if value is not None]
    if len(known) < FEWEST_POINTS:
        return None
    return Sample(
        columns={"x": np.array([float(step) for step, _ in known])}, y=np.array([1 - value for _, value in known])
    )
