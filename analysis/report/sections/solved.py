"""Which problems training gained and lost: solved at least once, and clearly more or less often."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from analysis.drawing.answer import Scale, Stack, Stacks
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section
from analysis.passk.crossed import holm
from analysis.report.evidence import Evidence
from analysis.runs.selection import Point

TITLE = "Problems gained and lost"
Whole = NDArray[np.int64]
LEVEL = 0.05  # of the family of problems of one configuration
PARTS = {
    "both": "solved by both",
    "gained": "gained: trained only",
    "lost": "lost: base only",
    "neither": "solved by neither",
}
LEAD = (
    "Solved means that at least one sample was correct; by luck a problem can count as solved once and not the next "
    "time, so small gains and losses are noise. Clearly up or down: the share of correct samples differs at the "
    "95% level over all problems of the configuration (two-proportion z, Holm)."
)


def section(evidence: Evidence) -> Section:
    """One line per configuration."""
    found = [point for point in evidence.points if point.paired]
    if not found:
        missing = "Gained and lost problems need per-problem counts of base and trained model on the same problems."
        return Section(anchor="solved", title=TITLE, missing=(missing,))
    frame = pd.DataFrame([_record(point) for point in found])
    shares = frame[list(PARTS)].div(frame["n_problems"], axis="index").to_numpy().tolist()
    labels = frame["model"] + ", " + frame["series"]
    stacks = Stacks(
        title="Problems solved at least once",
        axis=Scale(label="share of problems"),
        parts=tuple(PARTS.values()),
        lines=tuple(Stack(label=label, shares=tuple(own)) for label, own in zip(labels, shares, strict=True)),
    )
    titles = {"model": "model", "series": evidence.varying, "n_problems": "problems", "both": "solved by both"}
    titles |= {"gained": "gained", "lost": "lost", "neither": "by neither"}
    titles |= {"clearly_up": "clearly up", "clearly_down": "clearly down"}
    table = frame_table(
        frame, name="solved_table", caption="Problems by what training changed.", titles=titles, fold=24
    )
    return Section(anchor="solved", title=TITLE, lead=(LEAD,), figures=(draw(stacks, name="solved"),), tables=(table,))


def _record(point: Point) -> dict[str, object]:
    base, trained = [run.base for run in point.runs if run.base], [run.trained for run in point.runs if run.trained]
    n0, c0, n1, c1 = (
        np.sum([getattr(item, name) for item in counts], axis=0) for counts in (base, trained) for name in ("n", "c")
    )
    before, after = c0 > 0, c1 > 0
    up, down = _clearly_different(n0, c0, n1, c1)
    return {
        "model": point.row.model,
        "series": point.series,
        "group_id": point.row.group_id,
        "n_problems": len(n0),
        "samples_base": int(n0.min()),
        "samples_trained": int(n1.min()),
        "both": int((before & after).sum()),
        "gained": int((~before & after).sum()),
        "lost": int((before & ~after).sum()),
        "neither": int((~before & ~after).sum()),
        "clearly_up": up,
        "clearly_down": down,
    }


def _clearly_different(n0: Whole, c0: Whole, n1: Whole, c1: Whole) -> tuple[int, int]:
    """Problems whose share of correct samples rose and fell, Holm's correction over the problems."""
    shared = (c0 + c1) / (n0 + n1)
    error = np.sqrt(shared * (1 - shared) * (1 / n0 + 1 / n1))
    difference = c1 / n1 - c0 / n0
    z = np.divide(difference, error, out=np.zeros_like(difference), where=error > 0)
    chosen = np.array([p is not None and p <= LEVEL for p in holm((2 * norm.sf(np.abs(z))).tolist())])
    return int((difference[chosen] > 0).sum()), int((difference[chosen] < 0).sum())
