"""What runs share in a results folder: base models' measurements, annotations, prepared data, grids' records.

Measurements and data are named by what they are of, so one that is here already stays. Code does not come along: what a
launch freezes (`code/`, `rewards/`, `agents/`) it freezes anew from what its user has. Models and weights are made or
fetched again.
"""

import filecmp
import os
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from data_prep.files.atomic_folder import make_once
from sweeper.host.errors import DamagedError, SweeperError
from sweeper.host.files import is_leftover, whole
from sweeper.oversight.garbage import link_to
from sweeper.oversight.merge.plain_copy import copy_file, copy_folder, found_in
from sweeper.oversight.merge.verdict import Outcome
from sweeper.rows.counts import samples_path
from sweeper.rows.grid_file import Membership, grids

_MANIFEST = "manifest.json"
_FILES = ("base", "annotations")
_COMES = (*_FILES, "data", "grids", "rows", "runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that runs share.

    Attributes:
        kind: The folder that it is in.
        name: In that folder.
        outcome: What becomes of it; `taken`: a grid's record gets more runs.
        why: In words.
        room: Bytes on the disk that come.
        bring: Brings it.
    """

    kind: str
    name: str
    outcome: Outcome
    why: str = ""
    room: int = 0
    bring: Callable[[], object] | None = None


@dataclass(slots=True)
class Shared:
    """What is here, with what earlier folders of the same merge bring.

    Attributes:
        results_dir: The folder that all goes into.
        places: Of files and folders, by kind and name.
        records: Of grids, by name.
    """

    results_dir: Path
    places: dict[tuple[str, str], Path] = field(default_factory=dict)
    records: dict[str, Membership] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in grids(self.results_dir):
            with suppress(DamagedError):
                self.records[name] = Membership.read(self.results_dir, name)

    def parts(self, source: Path, data: Collection[str]) -> Iterator[Part]:
        """What becomes of each thing in a folder; of prepared data those named."""
        for kind in _FILES:
            for path in _entries(source / kind):
                if not path.name.endswith(".samples.jsonl") and not is_leftover(path):
                    yield self._guarded(kind, path, self._file)
        for path in _entries(source / "data"):
            if path.name in data:
                yield self._guarded("data", path, self._folder)
        for path in _entries(source / "grids"):
            if path.suffix == ".json" and not path.name.startswith("."):
                yield self._guarded("grids", path, self._record)

    def _guarded(self, kind: str, path: Path, judge: Callable[[str, Path], Part]) -> Part:
        try:
            if link := link_to(path, path.parents[1]):
                return Part(kind=kind, name=path.name, outcome=Outcome.refused, why=f"{link} is a link")
            return judge(kind, path)
        except (SweeperError, OSError) as error:
            return Part(kind=kind, name=path.name, outcome=Outcome.refused, why=str(error))

    def _file(self, kind: str, path: Path) -> Part:
        """A file with the samples that lie beside it, which are written first."""
        if not stat.S_ISREG(path.lstat().st_mode):
            return Part(kind=kind, name=path.name, outcome=Outcome.refused, why=f"{path} is no file")
        here = self.places.get((kind, path.name), self.results_dir / kind / path.name)
        if here.exists():
            if here.is_file() and filecmp.cmp(path, here, shallow=False):
                return Part(kind=kind, name=path.name, outcome=Outcome.same)
            why = "measured in both; what is here stays, and each row keeps the numbers that it was measured with"
            return Part(kind=kind, name=path.name, outcome=Outcome.kept, why=why)
        self.places[kind, path.name] = path
        samples = samples_path(path)
        both = [*([samples] if _is_plain_file(samples) else []), path]

        def bring() -> None:
            for one in both:
                with whole(self.results_dir / kind / one.name) as temporary:
                    copy_file(one, temporary)

        room = sum(one.lstat().st_blocks * 512 for one in both)
        return Part(kind=kind, name=path.name, outcome=Outcome.new, room=room, bring=bring)

    def _folder(self, kind: str, path: Path) -> Part:
        here = self.places.get((kind, path.name), self.results_dir / kind / path.name)
        if here.exists():
            return Part(kind=kind, name=path.name, outcome=Outcome.same)
        room = sum(found.room for found in found_in(path))
        if not _is_plain_file(path / _MANIFEST):
            why = f"{path} has no {_MANIFEST}: it was never finished"
            return Part(kind=kind, name=path.name, outcome=Outcome.refused, why=why)
        self.places[kind, path.name] = path

        def bring() -> None:
            make_once(self.results_dir / kind / path.name, done=_MANIFEST, make=lambda to: copy_folder(path, to))

        return Part(kind=kind, name=path.name, outcome=Outcome.new, room=room, bring=bring)

    def _record(self, kind: str, path: Path) -> Part:
        more = Membership.read(path.parents[1], path.stem)
        mine, renamed = self.records.get(more.name), ""
        found = None if mine is None else mine.joined(more)
        if mine is not None and found is None and more.settings is not None:
            more, renamed = more.of_its_settings(), f"here {mine.name} asks for something else"
            mine = self.records.get(more.name)
            found = None if mine is None else mine.joined(more)
        if mine is not None and found is None:
            why = f"here {mine.name} asks for something else"
            return Part(kind=kind, name=path.stem, outcome=Outcome.refused, why=why)
        if mine is None and os.path.lexists(self.results_dir / kind / f"{more.name}.json"):
            return Part(kind=kind, name=path.stem, outcome=Outcome.refused, why="here it is damaged: see status")
        if found is not None and mine is not None and found == mine:
            return Part(kind=kind, name=more.name, outcome=Outcome.same, why=renamed)
        record = found or more
        self.records[record.name] = record
        n = len(record.members) - (len(mine.members) if mine else 0)
        return Part(
            kind=kind,
            name=record.name,
            outcome=Outcome.new if mine is None else Outcome.taken,
            why=renamed or (f"{n} more runs" if mine else ""),
            bring=lambda: record.write(self.results_dir),
        )


def stays(source: Path) -> Iterator[tuple[str, int]]:
    """What does not come along at all: folders with their bytes on the disk, and files that nobody knows."""
    for path in _entries(source):
        if path.name in _COMES or path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield path.name, _size(path)
        else:
            yield path.name, path.lstat().st_size


def _size(folder: Path) -> int:
    found = 0
    for at, names, others, descriptor in os.fwalk(folder, follow_symlinks=False):
        del at, names
        for name in others:
            with suppress(OSError):
                found += os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_blocks * 512
    return found


def _entries(folder: Path) -> list[Path]:
    if folder.is_symlink():
        return []
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(folder.iterdir())
    return []


def _is_plain_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
