"""Answers, with the notes that every one of them carries."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.drawing.answer import Answer, Chart, Figure, Status
from analysis.estimates.panel import LOWER_BOUND
from analysis.questions import Question
from analysis.runs.selection import Run, Selection

ALPHA = 0.05  # corrected p below which a sentence says that there is a difference


def reply(
    question: Question,
    runs: Sequence[Run],
    verdict: str,
    text: str,
    reason: str | None = None,
    *,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Figure] | None = None,
    notes: Sequence[str] = (),
) -> Answer:
    """What the rows say; with a reason, that they do not determine the quantity asked for.

    A chart without a trace is left out: there is nothing to draw. A note is said once.

    Args:
        question: What was asked.
        runs: Those that were asked, for what their seeds allow to say.
        verdict: The answer in one short sentence.
        text: The answer with its numbers.
        reason: Why the quantity is not determined; None: it is.
        tables: By name.
        figures: By name.
        notes: What the answer rests on.
    """
    return Answer(
        name=question.name,
        question=question.text,
        verdict=verdict,
        text=text + _caveat(runs, notes),
        status=Status.answered if reason is None else Status.not_identified,
        reason=reason,
        tables=tables,
        figures={name: item for name, item in (figures or {}).items() if not isinstance(item, Chart) or item.traces},
        notes=_sentences(notes),
    )


def missing(question: Question, reason: str, notes: Sequence[str] = ()) -> Answer:
    """Runs or measurements that the question needs are not there."""
    return Answer(
        name=question.name,
        question=question.text,
        verdict=f"Not answered: {reason}.",
        text=f"Not answered: {reason}.",
        status=Status.missing,
        reason=reason,
        notes=_sentences(notes),
    )


def left_out(selection: Selection) -> list[str]:
    """Runs without a result, so that none is left out in silence."""
    notes = []
    if selection.failed:
        names = ", ".join(run.row.run_id for run in selection.failed)
        what = "failed run is" if len(selection.failed) == 1 else "failed runs are"
        notes.append(f"{len(selection.failed)} {what} not in the answer: {names}")
    if selection.missing:
        what = "run of the grid has" if len(selection.missing) == 1 else "runs of the grid have"
        notes.append(f"{len(selection.missing)} {what} no row yet")
    notes += [f"left out: {text}" for text in selection.damaged]
    return notes


def p_text(p: float | None) -> str:
    """A p-value as people read it."""
    if p is None:
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _sentences(notes: Sequence[str]) -> tuple[str, ...]:
    """Each note once, with a capital unless it begins with a name."""
    return tuple(dict.fromkeys(f"{note[0].upper()}{note[1:]}" if note.split()[0].isalpha() else note for note in notes))


def _caveat(runs: Sequence[Run], notes: Sequence[str]) -> str:
    """What a reader of the text alone must know."""
    if not any(LOWER_BOUND in note or "one run per group" in note for note in notes):
        return ""
    seeds = Counter(run.row.group_id for run in runs)
    alone = sum(number == 1 for number in seeds.values())
    if alone == len(seeds):
        return " One seed: what another seed would change is not in these intervals."
    whose = "has" if alone == 1 else "have"
    said = f" {alone} of {len(seeds)} configurations {whose} one seed: what another would change is not in"
    return f"{said} {'its interval' if alone == 1 else 'their intervals'}." if alone else ""
