"""Results folders joined by run id: what is further comes, contradictions are refused, no source is changed."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_prep.files.lock import locked
from rewards.program import UserError
from sweeper.host.amounts import number_of, size
from sweeper.host.errors import ResultsError
from sweeper.host.files import open_results
from sweeper.host.printed_table import Room, paragraph
from sweeper.launch.slurm import array
from sweeper.launch.slurm.queue import Queue
from sweeper.oversight.merge.plan import BRINGS, Brought, Folder, plan, sources
from sweeper.oversight.merge.take import finish_earlier, take
from sweeper.oversight.merge.verdict import Outcome, Verdict
from sweeper.runs.state import State

_LOCK = ".merge.lock"


def merge(folders: Sequence[Path], into: Path, *, dry_run: bool = False, checkpoints: bool = False) -> list[Folder]:
    """Join folders into one.

    Args:
        folders: Results folders, which are only read.
        into: Where all goes; made if absent. It may have runs already.
        dry_run: Write nothing.
        checkpoints: Bring the last checkpoints of runs that are done, too.

    Returns:
        What was done with each, or would be.

    Raises:
        ConfigError: as `sources`.
        ResultsError: there is no room for what would come.
    """
    into = into.resolve()
    found = sources(folders, into)
    if dry_run:
        return plan(found, into, queue=Queue.ask(into, writes=False), checkpoints=checkpoints)
    open_results(into)
    with ExitStack() as around:
        around.enter_context(locked(into / _LOCK, wait=True))
        if array.folder(into).is_dir():  # nobody submits a run while it is brought
            around.enter_context(locked(array.folder(into) / "lock", wait=True))
        finish_earlier(into)
        queue = Queue.ask(into)
        planned = plan(found, into, queue=queue, checkpoints=checkpoints)
        _require_room(planned, into)
        for folder in planned:
            _execute(folder, into, queue)
    return planned


def _require_room(planned: Sequence[Folder], into: Path) -> None:
    needed, free = sum(folder.room for folder in planned), shutil.disk_usage(into).free
    if needed > free:
        raise ResultsError(f"{size(needed)} would come to {into}, where {size(free)} are free; nothing was copied")


def _execute(folder: Folder, into: Path, queue: Queue) -> None:
    """Bring what comes; what cannot be brought after all is refused with its reason, and costs itself."""
    coming = [run for run in folder.runs if run.brings]
    if coming:
        print(f"{folder.path}: {number_of(len(coming), 'run')} come, {size(folder.room)}", file=sys.stderr, flush=True)
    for run in coming:
        try:
            take(run.theirs, into, run.ours, queue, with_checkpoint=run.with_checkpoint)
        except (UserError, OSError) as error:
            run.verdict = Verdict(outcome=Outcome.refused, why=str(error))
    for place, part in enumerate(folder.parts):
        if part.bring is not None:
            try:
                part.bring()
            except (UserError, OSError) as error:
                folder.parts[place] = replace(part, outcome=Outcome.refused, why=str(error))


def in_json(folders: Sequence[Folder]) -> list[dict[str, Any]]:
    """As `--json` has it."""
    return [
        {
            "folder": str(folder.path),
            "counts": {str(outcome): folder.counts()[outcome] for outcome in Outcome},
            "bytes": folder.room,
            "runs": [
                {"run_id": run.run_id, "outcome": str(run.verdict.outcome), "why": run.verdict.why or None}
                for run in folder.runs
            ],
            "shared": [
                {"kind": part.kind, "name": part.name, "outcome": str(part.outcome), "why": part.why or None}
                for part in folder.parts
            ],
            "stays": dict(folder.stays) | {"checkpoints": sum(run.checkpoint for run in _left_behind(folder))},
        }
        for folder in folders
    ]


def text(folders: Sequence[Folder], into: Path, room: Room, *, dry_run: bool) -> str:
    """As people read it; the same for a dry run, but for its last line."""
    lines = [line for folder in folders for line in _of_folder(folder)]
    n = sum(folder.counts()[Outcome.refused] for folder in folders)
    lines += [f"into {into}" + (f"; {number_of(n, 'run')} refused: what is here and there of them stays" if n else "")]
    lines += ["nothing was written (--dry-run)"] if dry_run else []
    return "\n".join(paragraph(line, room, indent="    ") for line in lines)


def _of_folder(folder: Folder) -> Iterator[str]:
    counts = folder.counts()
    said = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    yield f"{folder.path}: {number_of(len(folder.runs), 'run')}{f' ({said})' if said else ''}, {size(folder.room)}"
    for run in folder.runs:
        if run.verdict.outcome not in (Outcome.new, Outcome.same):
            yield f"  {run.verdict.outcome}: {run.run_id}: {run.verdict.why}"
    for kind in dict.fromkeys(part.kind for part in folder.parts):
        parts = [part for part in folder.parts if part.kind == kind]
        by_outcome = {outcome: [part for part in parts if part.outcome is outcome] for outcome in Outcome}
        yield f"  {kind}: " + ", ".join(f"{len(some)} {outcome}" for outcome, some in by_outcome.items() if some)
        for part in parts:
            if part.why:
                yield f"    {part.outcome}: {part.name}: {part.why}"
    kept = [f"{name} ({size(amount)})" for name, amount in folder.stays.items()]
    behind = _left_behind(folder)
    if behind:
        amount = size(sum(run.checkpoint for run in behind))
        kept.append(f"the last checkpoints of {number_of(len(behind), 'run')} that are done ({amount}; --checkpoints)")
    if kept:
        yield f"  stays there: {', '.join(kept)}"
    begun = [run for run in folder.runs if run.verdict.outcome in BRINGS and _begins_anew(run)]
    if begun:
        yield f"  {number_of(len(begun), 'run')} of those that come are neither done nor have a checkpoint: anew if run"


def _left_behind(folder: Folder) -> list[Brought]:
    return [
        run
        for run in folder.runs
        if run.checkpoint and not run.with_checkpoint and run.verdict.outcome is not Outcome.refused
    ]


def _begins_anew(run: Brought) -> bool:
    return run.theirs.state is not State.done and bool(run.theirs.history) and not run.checkpoint
