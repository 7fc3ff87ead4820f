"""How the numbers were made: the reporting checklist of (Mis)fitting, filled in, with exclusions and digests."""

import pandas as pd

from analysis.drawing.page import Line, Section, Table, columns
from analysis.report.checklist import checklist
from analysis.report.evidence import Evidence


def section(evidence: Evidence) -> Section:
    """One table of statements."""
    items = checklist(evidence)
    table = Table(
        name="checklist",
        caption="After the checklist of (Mis)fitting, arXiv:2502.18969: hypothesis, set-up, data, fitting.",
        columns=columns("part", "item", "statement", wide=("statement",)),
        lines=tuple(Line(cells=item) for item in items),
        data=pd.DataFrame(items, columns=["part", "item", "statement"]),
    )
    return Section(anchor="provenance", title="How these numbers were made", tables=(table,))
