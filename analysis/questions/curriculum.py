"""Ordered curricula against mixed order: differences of paired seeds on paired problems, and equivalence.

d = mean over seeds s and problems p of (ordered[s, p] - mixed[s, p]), with the two-way random-effects error of
`analysis.passk.crossed`. "Equivalent" is the result of a test, never the absence of a difference: both one-sided
tests of |d| >= margin are rejected at 5%.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Bar, Forest, Guide
from analysis.estimates.numerals import change, signed
from analysis.estimates.panel import LOWER_BOUND, common_problems
from analysis.passk.crossed import CrossedMean, crossed_mean
from analysis.questions import Question, Settings
from analysis.questions.reply import ALPHA, left_out, missing, p_text, reply
from analysis.questions.strata import Stratum, strata
from analysis.runs.selection import Run, Selection
from sweeper.rows.clear_change import holm

MIXED = "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contrast:
    stratum: str
    curriculum: str
    seeds: tuple[int, ...]
    mean: CrossedMean


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    contrasts: list[_Contrast] = []
    for stratum in strata(selection.completed, free=["curriculum"]):
        contrasts += _contrasts(stratum, notes)
    if not contrasts:
        return missing(
            question,
            "no ordered curriculum and mixed order were run with the same seed and otherwise the same settings",
            notes,
        )
    adjusted = holm([item.mean.p_value() for item in contrasts])
    margin, several = settings.margin, len({item.stratum for item in contrasts}) > 1
    rows: list[dict[str, object]] = []
    bars, texts = [], []
    for item, p in zip(contrasts, adjusted, strict=True):
        gap, finding = item.mean.interval(), _finding(item.mean, p, margin)
        rows.append(
            {
                "runs": item.stratum,
                "curriculum": item.curriculum,
                "seeds": len(item.seeds),
                "problems": item.mean.n_problems,
                **gap.columns("difference"),
                "p_holm": p,
                "p_equivalence": item.mean.equivalence_p(margin),
                "finding": finding,
            }
        )
        bars.append(Bar.of(f"{_words(item.curriculum)}{f', {item.stratum}' if several else ''}", gap))
        where = f" ({item.stratum})" if several else ""
        texts.append(f"{_words(item.curriculum)}{where}: {signed(gap)} pass@1 against mixed order, {finding}")
    notes.append(
        f"Equivalence: two one-sided tests against a margin of {margin:g} pass@1 (--margin), 5%; differences: "
        f"two-sided, Holm over {len(contrasts)}; intervals are 95% each"
    )
    if min(len(item.seeds) for item in contrasts) < 2:
        notes.append(LOWER_BOUND)
    forest = Forest.of_differences("Ordered minus mixed", "difference in pass@1", bars, zero="equal")
    margins = tuple(Guide(axis="x", value=side * margin, label="margin") for side in (-1, 1))
    figures = {"differences": replace(forest, guides=(*forest.guides, *margins))}
    tables = {"differences": pd.DataFrame(rows)}
    reason = None
    if all(row["finding"] == _UNDECIDED for row in rows):
        reason = "every interval holds both no difference and more than the margin: more seeds or problems are needed"
    said, text = (
        _verdict([(item, str(row["finding"])) for item, row in zip(contrasts, rows, strict=True)]),
        ". ".join(texts) + ".",
    )
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def _verdict(found: list[tuple[_Contrast, str]]) -> str:
    """The clear ones with their numbers, two at most; else how many are equivalent."""
    clear = [(item, finding) for item, finding in found if finding.startswith(("better", "worse"))]
    if clear:
        said = [
            f"{_words(item.curriculum)} is {finding.split()[0]} than mixed order by {change(item.mean.interval())}"
            for item, finding in clear[:2]
        ]
        more = f" ({len(clear) - 2} more are clear)" if len(clear) > 2 else ""
        return f"{'; '.join([said[0], *(text[0].lower() + text[1:] for text in said[1:])])}{more}."
    same = sum(finding.startswith("equivalent") for _, finding in found)
    if same:
        return (
            f"{same} of {len(found)} ordered curricula are equivalent to mixed order; none is clearly better or worse."
        )
    return f"Not decided: of {len(found)} comparisons with mixed order none is clear, and none shows equivalence."


def _words(curriculum: str) -> str:
    said = curriculum.replace("_", " ")
    return said[:1].upper() + said[1:]


_UNDECIDED = "undecided"


def _finding(mean: CrossedMean, p: float | None, margin: float) -> str:
    equivalence = mean.equivalence_p(margin)
    equivalent = equivalence is not None and equivalence < ALPHA
    if p is not None and p < ALPHA:
        found = f"{'better' if mean.value > 0 else 'worse'} ({p_text(p)})"
        return f"{found} but by less than {margin:g}" if equivalent else found
    return f"equivalent within {margin:g} ({p_text(equivalence)})" if equivalent else _UNDECIDED


def _contrasts(stratum: Stratum, notes: list[str]) -> list[_Contrast]:
    by: dict[tuple[str, int], Run] = {}
    for run in stratum.runs:
        if run.row.curriculum is None:
            continue
        key = (run.row.curriculum, run.row.seed)
        if key in by:
            notes.append(
                f"{run.row.run_id} and {by[key].row.run_id} differ in a setting that rows do not hold; neither is "
                "paired"
            )
            return []
        by[key] = run
    found = []
    for name in sorted({name for name, _ in by} - {MIXED}):
        seeds = tuple(sorted(seed for other, seed in by if other == name and (MIXED, seed) in by))
        if not seeds:
            continue
        table = common_problems([by[who, seed] for who in (name, MIXED) for seed in seeds])
        if isinstance(table, str):
            notes.append(f"{name} against mixed, {stratum.label}: {table}")
            continue
        ordered, mixed = np.split(table.values, 2)
        mean = crossed_mean(ordered - mixed)
        found.append(_Contrast(stratum=stratum.label, curriculum=name, seeds=seeds, mean=mean))
    return found
