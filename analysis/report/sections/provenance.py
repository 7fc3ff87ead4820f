"""How the numbers were made: the reporting checklist of (Mis)fitting, filled in, with exclusions and digests."""

import pandas as pd

from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section
from analysis.report.checklist import checklist
from analysis.report.evidence import Evidence


def section(evidence: Evidence) -> Section:
    """One table of statements."""
    table = frame_table(
        pd.DataFrame(checklist(evidence), columns=["part", "item", "statement"]),
        name="checklist",
        caption="After the checklist of (Mis)fitting, arXiv:2502.18969: hypothesis, set-up, data, fitting.",
        fold=99,
    )
    return Section(anchor="provenance", title="How these numbers were made", tables=(table,))
