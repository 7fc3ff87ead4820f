"""What becomes of a run that a folder brings, beside what is here of it.

Precedence is that of the states (`sweeper.runs.state`), where one history contains the other or one has the result:

    done     beats all else; two results have to be the same, number for number
    longer   of two that are not done, whichever goes on from the other's last attempt
    new      gives way to any attempt

Whatever two histories neither of which contains the other, without a result, is refused: which of them goes on is for
people to say. So is whatever a job is at.
"""

import filecmp
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from sweeper.oversight.merge.side import Side
from sweeper.rows.table import record
from sweeper.runs.state import State

_NAMED = 3  # columns in which two results differ


class Outcome(StrEnum):
    """Of a run that a folder brings."""

    new = "new"  # it is not here: it comes
    same = "same"  # it is here, and no less of it
    taken = "taken over"  # it is further there: it comes in the place of what is here
    kept = "further here"  # it stays as it is here
    refused = "refused"  # the two contradict each other, or a job is at one


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An outcome, and why."""

    outcome: Outcome
    why: str = ""


def judge(theirs: Side, ours: Side | None, *, checkpoint: bool = False) -> Verdict:
    """What becomes of a run.

    Args:
        theirs: As the folder that is merged has it.
        ours: As it is here; None: it is not.
        checkpoint: Whether a last checkpoint is there, is to come, and is not here.
    """
    if theirs.fault is not None:
        return Verdict(outcome=Outcome.refused, why=theirs.fault)
    if ours is None:
        return Verdict(outcome=Outcome.new)
    if ours.fault is not None:
        if theirs.state is State.new:
            return Verdict(outcome=Outcome.kept, why="it was not begun there")
        return Verdict(outcome=Outcome.refused, why=f"here {ours.fault}")
    done = theirs.state is State.done, ours.state is State.done
    if all(done):
        found = _of_two_results(theirs, ours)
    elif any(done):
        taken = done[0]
        found = Verdict(
            outcome=Outcome.taken if taken else Outcome.kept, why=f"{theirs.state} there, {ours.state} here"
        )
    else:
        found = _of_two_histories(theirs, ours)
    if checkpoint and found.outcome is Outcome.same:
        return Verdict(outcome=Outcome.taken, why="its last checkpoint is not here")
    return found


def _of_two_results(theirs: Side, ours: Side) -> Verdict:
    if theirs.row != ours.row:
        words = "; ".join(_differences(theirs, ours))
        return Verdict(outcome=Outcome.refused, why=f"it is done in both, with different rows: {words}")
    for there, here in zip(theirs.measured, ours.measured, strict=True):
        if _is_file(there) and _is_file(here) and not filecmp.cmp(there, here, shallow=False):
            why = f"its row is the same in both, and {there.name} is not"
            return Verdict(outcome=Outcome.refused, why=why)
    if theirs.run_dir.is_there() and len(theirs.history) > len(ours.history):
        return Verdict(outcome=Outcome.taken, why="here is its row alone, or less of its folder")
    if any(_is_file(there) and not here.exists() for there, here in zip(theirs.measured, ours.measured, strict=True)):
        return Verdict(outcome=Outcome.taken, why="its counts per problem are not here")
    return Verdict(outcome=Outcome.same)


def _of_two_histories(theirs: Side, ours: Side) -> Verdict:
    """Neither has the result."""
    shared = min(len(theirs.history), len(ours.history))
    if theirs.history[:shared] != ours.history[:shared]:
        why = (
            f"it was tried in both ({theirs.state} there, {ours.state} here), and neither goes on from the other: "
            "move one of the two away"
        )
        return Verdict(outcome=Outcome.refused, why=why)
    there, here = (len(theirs.history), *theirs.came), (len(ours.history), *ours.came)
    if there == here and None not in (theirs.result, ours.result) and theirs.row != ours.row:
        why = f"its rows say different things: {'; '.join(_differences(theirs, ours))}"
        return Verdict(outcome=Outcome.refused, why=why)
    there_too, here_too = (*there, theirs.result is not None), (*here, ours.result is not None)
    if there_too == here_too:
        return Verdict(outcome=Outcome.same)
    words = f"{_history(theirs)} there, {_history(ours)} here"
    return Verdict(outcome=Outcome.taken if there_too > here_too else Outcome.kept, why=words)


def _history(side: Side) -> str:
    n = len(side.history)
    return f"{side.state} after {n} attempt{'' if n == 1 else 's'}" if n else str(side.state)


def _differences(theirs: Side, ours: Side) -> Iterator[str]:
    """What tells two rows apart: columns of the table of results first, else parts of the rows."""
    columns: list[str] = []
    if theirs.result is not None and ours.result is not None:
        there, here = record(theirs.result), record(ours.result)
        names = [*(name for name in there if "pass@" in name), *there]
        for name in dict.fromkeys(names):
            if there[name] != here.get(name):
                columns.append(f"{name} {_shown(there[name])} there, {_shown(here.get(name))} here")
    rows = dict(theirs.row or {}), dict(ours.row or {})
    parts = [name for name in sorted({*rows[0], *rows[1]}) if rows[0].get(name) != rows[1].get(name)]
    yield from islice(columns, _NAMED)
    if len(columns) > _NAMED:
        yield f"and {len(columns) - _NAMED} more columns"
    elif not columns:
        yield f"in {', '.join(parts[:_NAMED])}"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
