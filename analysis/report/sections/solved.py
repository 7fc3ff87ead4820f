"""Which problems training gained and lost: solved at least once, and clearly more or less often."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from analysis.drawing.page import Figure, Key, Line, Section, Table, columns
from analysis.drawing.svg import WIDTH_IN, inline_svg, new_panel, style
from analysis.report.evidence import Evidence
from analysis.runs.selection import Counts, Point

TITLE = "Problems gained and lost"
LEVEL = 0.05  # of the family of problems of one configuration
PARTS = (
    ("both", "solved by both", "#B8C4CE"),
    ("gained", "gained: trained only", "#0072B2"),
    ("lost", "lost: base only", "#D55E00"),
    ("neither", "solved by neither", "#F0F0F0"),
)
MOST_BARS = 16


def section(evidence: Evidence) -> Section:
    """A bar a configuration."""
    found = [(point, counts) for point in evidence.points if (counts := _counts(point)) is not None]
    if not found:
        missing = "Gained and lost problems need per-problem counts of base and trained model on the same problems."
        return Section(anchor="solved", title=TITLE, missing=(missing,))
    records = [_record(point, *counts) for point, counts in found]
    lead = [
        "Solved means that at least one sample was correct; by luck a problem can count as solved once and not the "
        "next "
        "time, so small gains and losses are noise. Clearly up or down: the share of correct samples differs at the "
        "95% level over all problems of the configuration (two-proportion z, Holm)."
    ]
    if len(records) > MOST_BARS:
        lead.append(f"Drawn: the first {MOST_BARS} of {len(records)} configurations; the table and the data hold all.")
    return Section(
        anchor="solved", title=TITLE, lead=tuple(lead), figures=(_figure(records),), tables=(_table(evidence, records),)
    )


def _counts(point: Point) -> tuple[Counts, list[Counts], list[Counts]] | None:
    base = [run.base for run in point.runs if run.base]
    trained = [run.trained for run in point.runs if run.trained]
    if not point.paired or not trained:
        return None
    return trained[0], base, trained


def _record(point: Point, first: Counts, base: list[Counts], trained: list[Counts]) -> dict[str, object]:
    n0, c0 = _total([item.n for item in base]), _total([item.c for item in base])
    n1, c1 = _total([item.n for item in trained]), _total([item.c for item in trained])
    before, after = c0 > 0, c1 > 0
    up, down = _clearly_different(n0, c0, n1, c1)
    return {
        "model": point.row.model,
        "series": point.series,
        "group_id": point.row.group_id,
        "n_problems": len(first.n),
        "samples_base": int(n0.min()),
        "samples_trained": int(n1.min()),
        "both": int((before & after).sum()),
        "gained": int((~before & after).sum()),
        "lost": int((before & ~after).sum()),
        "neither": int((~before & ~after).sum()),
        "clearly_up": up,
        "clearly_down": down,
    }


def _total(columns_of: list[tuple[int, ...]]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.array(columns_of, dtype=np.int64).sum(axis=0)
    return total


def _clearly_different(
    n0: NDArray[np.int64], c0: NDArray[np.int64], n1: NDArray[np.int64], c1: NDArray[np.int64]
) -> tuple[int, int]:
    """Problems whose share of correct samples rose and fell, Holm's correction over the problems."""
    shared = (c0 + c1) / (n0 + n1)
    error = np.sqrt(shared * (1 - shared) * (1 / n0 + 1 / n1))
    difference = c1 / n1 - c0 / n0
    z = np.divide(difference, error, out=np.zeros_like(difference), where=error > 0)
    p = 2 * norm.sf(np.abs(z))
    order = np.argsort(p, kind="stable")
    passed = p[order] <= LEVEL / (len(p) - np.arange(len(p)))
    count = len(p) if passed.all() else int(np.argmin(passed))
    chosen = order[:count]
    return int((difference[chosen] > 0).sum()), int((difference[chosen] < 0).sum())


def _figure(records: list[dict[str, object]]) -> Figure:
    frame = pd.DataFrame(records)
    shown = frame.head(MOST_BARS).iloc[::-1]
    labels = [f"{model}, {series}" for model, series in zip(shown["model"], shown["series"], strict=True)]
    with style("solved"):
        figure, axes = new_panel("Problems solved at least once", fitted=True)
        figure.set_size_inches(WIDTH_IN, 0.9 + 0.26 * len(shown))
        left = np.zeros(len(shown))
        for name, _, colour in PARTS:
            share = (shown[name] / shown["n_problems"]).to_numpy()
            axes.barh(
                range(len(shown)), share, left=left, color=colour, edgecolor="#444444", linewidth=0.4, height=0.72
            )
            left = left + share
        axes.set_yticks(range(len(shown)), labels)
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of problems")
        axes.grid(visible=False, axis="y")
        panel = inline_svg(figure, name="solved", description="problems gained and lost by training")
    keys = tuple(Key(label=label, colour=colour, block=True) for _, label, colour in PARTS)
    return Figure(name="solved", keys=keys, panels=(panel,), data=frame)


def _table(evidence: Evidence, records: list[dict[str, object]]) -> Table:
    names = ("n_problems", "both", "gained", "lost", "neither", "clearly_up", "clearly_down")
    titles = ("problems", "solved by both", "gained", "lost", "by neither", "clearly up", "clearly down")
    return Table(
        name="solved_table",
        caption="Problems by what training changed.",
        columns=columns("model", evidence.varying, *titles, numbers=titles),
        lines=tuple(
            Line(cells=(str(item["model"]), str(item["series"]), *(str(item[name]) for name in names)))
            for item in records
        ),
        data=pd.DataFrame(records),
        folded=len(records) > 24,
    )
