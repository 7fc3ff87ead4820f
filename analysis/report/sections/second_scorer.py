"""Kept samples that a second scorer judges differently, along training: where that grows, it is a warning."""

import pandas as pd

from analysis.drawing.answer import Status
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section, Verdict
from analysis.report.evidence import Evidence
from analysis.report.headline import run_name
from analysis.runs.selection import Run
from analysis.verdicts.audit_text import said_of
from analysis.verdicts.verdict_audit import Compared, Share, VerdictAudit

ANCHOR, TITLE = "second-scorer", "Verdicts beside a second scorer's"
LEAD = (
    "Samples that runs kept, judged again: mathematics by math-verify, programs by the same tests in another isolation "
    "(sweeper audit RUN). A share that grows along training says that the policy may have found answers which one of "
    "the two takes for right by mistake. Intervals are over problems."
)
TITLES = {"run": "Run", "measurement": "Measurement", "samples": "Samples", "differ": "Judged differently"}
TITLES |= {"run_alone": "Paid by the run alone", "second_alone": "Paid by the second alone"}


def section(evidence: Evidence) -> Section:
    """One line per audited run and measurement; those of runs in which a share grows stand out."""
    found = [(run, evidence.audits[run.row.run_id]) for run in evidence.runs if run.row.run_id in evidence.audits]
    damaged = tuple(evidence.damaged_audits)
    if not found:
        nothing = "No run's kept samples were judged by a second scorer: sweeper audit RUN."
        return Section(anchor=ANCHOR, title=TITLE, missing=(nothing, *damaged))
    lines = [(run, audit, one) for run, audit in found for one in audit.measurements]
    table = frame_table(
        pd.DataFrame([_record(run, one) for run, _, one in lines]),
        name="second_scorer",
        caption="Samples that both scorers judged, and the shares on which they differ.",
        titles=TITLES,
        alarm=[audit.grows for _, audit, _ in lines],
        fold=24,
    )
    some = f"{len(found)} of {len(evidence.runs)} runs were audited."
    said = [f"{run_name(run)}: judged differently, {said_of(audit.differ)}." for run, audit in found if audit.grows]
    alone = [
        f"{run_name(run)}: paid by the run alone, {said_of(audit.run_alone)}." for run, audit in found if audit.grows
    ]
    notes = tuple(f"{run_name(run)}: {rest}." for run, audit in found if (rest := _rest(audit)))
    return Section(
        anchor=ANCHOR, title=TITLE, lead=(LEAD, some, *said, *alone), tables=(table,), missing=damaged, notes=notes
    )


def warning(evidence: Evidence) -> tuple[Verdict, ...]:
    """For the first screen, where a share grows in any run; else nothing."""
    grown = [run for run in evidence.runs if (audit := evidence.audits.get(run.row.run_id)) and audit.grows]
    if not grown:
        return ()
    sentence = (
        f"Warning: in {len(grown)} of {len(evidence.audits)} audited runs ({', '.join(map(run_name, grown[:3]))}"
        f"{', ...' if len(grown) > 3 else ''}) a second scorer disagrees more and more along training."
    )
    return (Verdict(question=TITLE, sentence=sentence, status=Status.answered, link=ANCHOR),)


def _record(run: Run, one: Compared) -> dict[str, object]:
    return {
        "run": run_name(run),
        "run_id": run.row.run_id,
        "measurement": str(one.origin) if one.step is None else f"validation {one.step}",
        "samples": one.n,
        "problems": one.n_problems,
        "late": one.late,
        **_ends("differ", one.differ),
        **_ends("run_alone", one.run_alone),
        **_ends("second_alone", one.second_alone),
    }


def _ends(name: str, share: Share | None) -> dict[str, float | None]:
    """As columns; a share that does not exist is empty."""
    value, low, high = (share.value, share.low, share.high) if share is not None else (None, None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _rest(audit: VerdictAudit) -> str:
    """What was not judged again."""
    left = [f"{count:,} {reason}" for reason, count in audit.left_out.items()]
    alone = [f"{count:,} of {source}, which has no second scorer" for source, count in audit.alone.items()]
    return f"not judged again: {'; '.join([*left, *alone])}" if left or alone else ""
