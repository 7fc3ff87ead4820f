"""Which problems training gained and lost: solved at least once, and clearly more or less often."""

import numpy as np
import pandas as pd

from analysis.drawing.answer import Scale, Stack, Stacks
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section
from analysis.report.evidence import Evidence
from analysis.runs.selection import Point
from sweeper.rows.clear_change import clear_changes
from sweeper.rows.passk import Count

TITLE = "Problems gained and lost"
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
    titles = {"model": "Model", "series": evidence.varying, "n_problems": "Problems", "both": "Solved by both"}
    titles |= {"gained": "Gained", "lost": "Lost", "neither": "By neither"}
    titles |= {"clearly_up": "Clearly up", "clearly_down": "Clearly down"}
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
    changed = clear_changes(
        *([Count(int(n), int(c)) for n, c in zip(ns, cs, strict=True)] for ns, cs in ((n0, c0), (n1, c1)))
    )
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
        "clearly_up": changed.count(1),
        "clearly_down": changed.count(-1),
    }
