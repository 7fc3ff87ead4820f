"""What a merge of results folders would do, folder after folder: found before anything is written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.host.errors import ConfigError, DamagedError, SweeperError
from sweeper.launch.slurm.queue import Queue
from sweeper.oversight.merge.shared import Part, Shared, stays
from sweeper.oversight.merge.side import Side, side_of
from sweeper.oversight.merge.take import last_checkpoint, room_of, with_weights
from sweeper.oversight.merge.verdict import Outcome, Verdict, judge
from sweeper.runs.folder import RunDir, known_runs
from sweeper.runs.samples import data_folder
from sweeper.runs.state import State
from sweeper.spec.run_id import RunId

BRINGS = (Outcome.new, Outcome.taken)


@dataclass(slots=True, kw_only=True)
class Brought:
    """A run of a folder.

    Attributes:
        theirs: As that folder has it.
        ours: As it is here, or will be by then; None: it is not.
        verdict: What becomes of it.
        checkpoint: Bytes of its last checkpoint with weights kept beside it; 0: it has none, or none that can be read.
        with_checkpoint: Whether that comes.
    """

    theirs: Side
    ours: Side | None
    verdict: Verdict
    checkpoint: int
    with_checkpoint: bool

    @property
    def run_id(self) -> RunId:
        """Its name."""
        return self.theirs.run_dir.run_id

    @property
    def brings(self) -> bool:
        """Whether it comes."""
        return self.verdict.outcome in BRINGS

    @property
    def room(self) -> int:
        """Bytes on the disk that come."""
        return (self.theirs.room + (self.checkpoint if self.with_checkpoint else 0)) if self.brings else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What a merge does with one folder."""

    path: Path
    runs: list[Brought] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    stays: Mapping[str, int] = field(default_factory=dict)  # bytes on the disk by name

    @property
    def room(self) -> int:
        """Bytes on the disk that come."""
        return sum(run.room for run in self.runs) + sum(part.room for part in self.parts)

    def counts(self) -> Counter[Outcome]:
        """Runs by what becomes of them."""
        return Counter(run.verdict.outcome for run in self.runs)

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is refused."""
        return all(
            outcome is not Outcome.refused
            for outcome in (*(run.verdict.outcome for run in self.runs), *(part.outcome for part in self.parts))
        )


def sources(folders: Sequence[Path], into: Path) -> list[Path]:
    """The folders to merge, absolute.

    Raises:
        ConfigError: one is no results folder, stands there twice, or lies in the other folder or around it.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: there is no such folder; name results folders (the results_dir of runs)")
        path = folder.resolve()
        if not any((path / name).is_dir() for name in ("runs", "rows")):
            raise ConfigError(f"{folder} is no results folder: it has neither runs nor rows")
        if path in found:
            raise ConfigError(f"{folder} is named twice; leave one out")
        if path == into or path in into.parents or into in path.parents:
            raise ConfigError(f"{folder} and {into} lie in each other; name the folders to merge, and one beside them")
        found.append(path)
    return found


def plan(folders: Sequence[Path], into: Path, *, queue: Queue, checkpoints: bool) -> list[Folder]:
    """What becomes of everything in the `sources`.

    Args:
        folders: As `sources` has them; a later one is held against what an earlier one brings.
        into: Where all goes.
        queue: What SLURM says of the runs there.
        checkpoints: Whether the last checkpoints of runs that are done come, too.
    """
    by_then: dict[RunId, Side] = {}
    shared = Shared(into)
    return [_of_folder(folder, into, queue, by_then, shared, checkpoints=checkpoints) for folder in folders]


def _of_folder(
    source: Path, into: Path, queue: Queue, by_then: dict[RunId, Side], shared: Shared, *, checkpoints: bool
) -> Folder:
    there = Queue.ask(source, writes=False)
    runs, data = list[Brought](), set[str]()
    for run_id in known_runs(source):
        theirs = side_of(source, run_id, there, is_foreign=True)
        if theirs is None:  # it went meanwhile
            continue
        ours = by_then.get(run_id) or side_of(into, run_id, queue, is_foreign=False)
        brought = _brought(theirs, ours, checkpoints=checkpoints)
        runs.append(brought)
        if brought.brings:
            by_then[run_id] = theirs
        if brought.verdict.outcome is not Outcome.refused:
            with suppress(DamagedError, OSError):
                folder = data_folder(theirs.run_dir)
                data |= {folder.name} if folder else set()
    return Folder(path=source, runs=runs, parts=list(shared.parts(source, data)), stays=dict(stays(source)))


def _brought(theirs: Side, ours: Side | None, *, checkpoints: bool) -> Brought:
    """A run that is not done goes on from its last checkpoint, which therefore comes; of one that is done if asked."""
    try:
        last = None if theirs.fault else last_checkpoint(theirs.run_dir)
        size = sum(map(room_of, with_weights(last))) if last is not None else 0
    except (SweeperError, OSError) as error:
        verdict = Verdict(outcome=Outcome.refused, why=str(error))
        return Brought(theirs=theirs, ours=ours, verdict=verdict, checkpoint=0, with_checkpoint=False)
    wanted = last is not None and (checkpoints or theirs.state is not State.done)
    is_here = ours is not None and _has_checkpoint(ours.run_dir)
    verdict = judge(theirs, ours, checkpoint=wanted and not is_here)
    return Brought(theirs=theirs, ours=ours, verdict=verdict, checkpoint=size, with_checkpoint=wanted)


def _has_checkpoint(run_dir: RunDir) -> bool:
    with suppress(SweeperError, OSError):
        return last_checkpoint(run_dir) is not None or run_dir.checkpoints.is_symlink()
    return False
