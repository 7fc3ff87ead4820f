"""The last part of a run predicted from its first, form by form, against the last value seen.

Rolling origin (`analysis.laws.ranking`): each curve is cut after 25, 50 and 75% of its points; a form fitted before the
cut predicts what follows. The unit is the run: a form beats the last value where the mean over runs of the difference
of their errors is below 0 (Student's t over runs, Holm over forms).
"""

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Bar, Forest, Guide, Scale
from analysis.laws.ranking import BASELINE, Ranked, rank
from analysis.laws.sample import LawError, Sample
from analysis.passk.crossed import crossed_mean, holm
from analysis.questions import Question, Settings
from analysis.questions.reply import left_out, missing, reply
from analysis.runs.selection import Run, Selection

ALPHA = 0.05  # Holm-corrected over forms: the best of several is compared
FEWEST_POINTS = 20  # five before the first cut
MOST_CURVES = 12  # each costs some twenty fits


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    del settings
    notes = left_out(selection)
    what, curves = _curves(selection.completed, notes)
    if not curves:
        return missing(
            question, f"no run has {FEWEST_POINTS} measured steps of validation or of training reward", notes
        )
    ranked = _ranked(curves, notes)
    forms = [form for form in dict.fromkeys(form for item in ranked.values() for form in item) if form != BASELINE]
    rows = [_row(form, ranked) for form in forms]
    rows = sorted((row for row in rows if row["runs"]), key=lambda row: float(str(row["mae"])))
    if not rows:
        return missing(question, "no form could be fitted to the first part of any run", notes)
    for row, p in zip(rows, holm([_end(row["p"]) for row in rows]), strict=True):
        row["p_holm"] = p
    baseline = float(np.mean([item[BASELINE].mae for item in ranked.values()]))
    notes.append(f"curves: 1 - {what}; cut after 25, 50 and 75% of {len(ranked)} runs; errors are mean absolute errors")
    tables = {"forms": pd.DataFrame([*rows, {"form": BASELINE, "runs": len(ranked), "mae": baseline}])}
    figures = {"forms": _forest(rows)}
    best = rows[0]
    low, high = _end(best["low"]), _end(best["high"])
    ends = "no interval" if low is None or high is None else f"[{low:+.4f}, {high:+.4f}]"
    verdict = (
        f"of {len(rows)} forms {best['form']} predicts the rest of {len(ranked)} runs best, off by "
        f"{float(str(best['mae'])):.4f} in {what}; the last value is off by {baseline:.4f}, a difference of "
        f"{float(str(best['minus_last_value'])):+.4f} {ends} over runs"
    )
    p, reason = _end(best["p_holm"]), None
    if all((_end(row["low"]) or 0) > 0 for row in rows):
        verdict += ": repeating the last value is better"
    elif p is None or p >= ALPHA or high is None or high >= 0:
        reason = "no form is shown to predict better than repeating the last value"
    return reply(question, f"{verdict}.", reason, tables=tables, figures=figures, notes=notes)


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


def _forest(rows: list[dict[str, object]]) -> Forest:
    bars = (
        Bar(
            label=str(row["form"]),
            value=float(str(row["minus_last_value"])),
            low=_end(row["low"]),
            high=_end(row["high"]),
        )
        for row in rows
    )
    return Forest(
        title="held-out error minus that of the last value",
        axis=Scale(label="difference of mean absolute errors"),
        bars=tuple(bars),
        guides=(Guide(axis="x", value=0.0, label="last value"),),
    )


def _row(form: str, ranked: dict[str, dict[str, Ranked]]) -> dict[str, object]:
    """One table row a form, over the curves it could be fitted to at every cut."""
    pairs = [(item[form], item[BASELINE]) for item in ranked.values() if form in item and not item[form].n_failed]
    row: dict[str, object] = {"form": form, "runs": len(pairs)}
    if not pairs:
        return row
    gaps = np.array([[mine.mae - last.mae] for mine, last in pairs])
    mean = crossed_mean(gaps)
    return row | {
        "mae": float(np.mean([mine.mae for mine, _ in pairs])),
        "bias": float(np.mean([mine.bias for mine, _ in pairs])),
        "wins": float(np.mean([mine.wins for mine, _ in pairs])),
        **mean.interval().columns("minus_last_value"),
        "p": mean.p_value(),
        "runs_without_fit": len(ranked) - len(pairs),
    }


def _curves(runs: tuple[Run, ...], notes: list[str]) -> tuple[str, dict[str, Sample]]:
    """Validation where every run has enough of it, else training reward."""
    validation = {run.row.run_id: found for run in runs if (found := _curve(run, "val_pass1")) is not None}
    if validation:
        return "validation pass@1", validation
    reward = {run.row.run_id: found for run in runs if (found := _curve(run, "reward")) is not None}
    if reward:
        notes.append(f"no run has {FEWEST_POINTS} validations: the curves are of training reward, not of held-out data")
    return "training reward", reward


def _curve(run: Run, field: str) -> Sample | None:
    points = [(point.step, getattr(point, field)) for point in run.row.curve if point.step > 0]
    known = [(step, value) for step, value in points if value is not None]
    if len(known) < FEWEST_POINTS:
        return None
    return Sample(
        columns={"x": np.array([float(step) for step, _ in known])}, y=np.array([1 - value for _, value in known])
    )


def _end(value: object) -> float | None:
    return float(value) if isinstance(value, float | int) else None
