"""Verdicts that a limit of time decided as columns of the results table; where no run has any there are none."""

from collections.abc import Sequence
from typing import Any

from rewards import Outcome
from rewards.problem.verdict import Late
from sweeper.rows.row import ResultRow

NAMES = ("late_verdicts", *(f"late_{late}" for late in Late), "evaluation_timeouts", "base_evaluation_timeouts")


def late_columns(row: ResultRow) -> dict[str, Any]:
    """Shares, 0 to 1; None: not measured.

    `late_verdicts` is of the verdicts of training steps, `late_program`, `late_algebra`, ... its parts by what was
    late; the other two are of the samples of an evaluation.
    """
    found = row.verdicts if row.verdicts and row.verdicts.n else None
    columns: dict[str, Any] = {"late_verdicts": found.share if found else None}
    columns |= {f"late_{late}": found.late.get(late, 0) / found.n if found else None for late in Late}
    for prefix, score in (("", row.score()), ("base_", row.score(base=True))):
        n = sum(score.outcomes.values()) if score else 0
        columns[f"{prefix}evaluation_timeouts"] = score.outcomes.get(Outcome.TIMEOUT, 0) / n if score and n else None
    return columns


def any_late(row: ResultRow) -> bool:
    """Whether any of a row's shares is not zero."""
    return any(late_columns(row).values())


def late_note(rows: Sequence[ResultRow]) -> list[str]:
    """What is to be said of them below the table."""
    known = {row.run_id: row.verdicts for row in rows if row.verdicts and row.verdicts.late}
    if not known:
        return []
    most = max(known, key=lambda run_id: known[run_id].share or 0)
    late, n = sum(sum(one.late.values()) for one in known.values()), sum(one.n for one in known.values())
    parts = ", ".join(f"{count} {name}" for name, count in known[most].late.items())
    return [
        f"late: {late:,} of {n:,} verdicts in training ({late / n:.2%}) of {len(known)} run"
        f"{'s' if len(known) > 1 else ''} are those of a limit of time or of an outage, and may be others on another "
        f"machine (most in {most}: {known[most].share:.2%}; {parts})"
    ]
