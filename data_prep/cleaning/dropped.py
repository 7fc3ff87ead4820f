"""Rows that cleaning took out, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from data_prep.files.row import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """One row with the step that took it out and the reason, in words that name the row it collided with."""

    row: Row
    step: str
    reason: str


# The rows that stay, in their order, and those that go, in theirs.
Clean = tuple[list[Row], list[Dropped]]


def split(rows: Sequence[Row], reasons: dict[int, str], step: str) -> Clean:
    """The rows without a reason, and those with one."""
    kept = [row for number, row in enumerate(rows) if number not in reasons]
    dropped = [Dropped(row=rows[number], step=step, reason=reasons[number]) for number in sorted(reasons)]
    return kept, dropped
