"""A chunk: runs of one shape that are one job array, or one run that is a job; written down before SLURM hears of it.

    slurm/<chunk>.json      which run is which element; written before `sbatch`
    slurm/<chunk>.sh        what was submitted
    slurm/<chunk>.job       the array's job id, written after `sbatch`
    slurm/<chunk>.over      runs that a person said are over, on a cluster that cannot be asked from where they are

The chunk's name is the job's name and the first word of its comment. Jobs are found in the queue by it, those too of a
submitter that was killed between `sbatch` and its own record, and those that were renamed; accounting is asked by id. A
chunk without a record that is nowhere in the queue was never submitted.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rewards.bounded_file import read_json, read_text
from sweeper.host.errors import DamagedError
from sweeper.host.files import undamaged, write_atomic
from sweeper.spec.bounds import adapter
from sweeper.spec.run_id import RunId

if TYPE_CHECKING:
    from sweeper.launch.slurm.shape import Shape  # the spec behind it takes as long to import as `status` takes

PREFIX = "sweep-"
_JOB_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One array of runs."""

    name: str
    run_ids: tuple[RunId, ...]  # by array index
    code: str  # folder of the frozen code
    digest: str = ""  # of its manifest; empty, as in arrays of earlier versions: nothing is started from it
    canary: RunId | None = None  # the run whose first step lets this array go; its own array names it, too
    gpus: int = 1  # of one run
    at_once: int = 1  # elements that may be active
    lane: int = 1  # GPUs that it and the arrays it waits for use in turns
    lane_runs: int | None = None  # runs that they may have active; None: as many as the GPUs hold
    after: tuple[int, ...] = ()  # jobs that must have ended before an element starts
    is_exported: bool = False  # a person submits it, or nobody
    cluster: str = ""  # whose queue it went to, by ClusterName; empty: not known
    user: int | None = None  # uid of who submitted it, or wrote it to be submitted; None: of an earlier version
    shape: Mapping[str, Any] = field(default_factory=dict)  # as `in_json` has it

    @classmethod
    def new(cls, run_ids: Sequence[RunId], **values: Any) -> "Chunk":
        """A chunk with a name of its own; `values` are the other fields."""
        return cls(name=f"{PREFIX}{secrets.token_hex(5)}", run_ids=tuple(run_ids), user=os.getuid(), **values)

    @classmethod
    def exported(cls, results_dir: Path, run_ids: Sequence[RunId], **values: Any) -> "Chunk":
        """A chunk for a person to submit; it takes the place of one of the same runs that was never submitted."""
        about = "\n".join([str(results_dir), *run_ids])  # the same runs of another folder are other jobs
        name = f"{PREFIX}{hashlib.sha256(about.encode()).hexdigest()[:10]}"
        if (folder(results_dir) / f"{name}.job").exists():
            return cls.new(run_ids, is_exported=True, **values)
        return cls(name=name, run_ids=tuple(run_ids), is_exported=True, user=os.getuid(), **values)

    @property
    def is_array(self) -> bool:
        """Whether it is a job array; else its one run is a job of its own (`cluster.arrays=false`)."""
        return bool(self.shape.get("arrays", True))

    @property
    def is_held(self) -> bool:
        """Whether SLURM is asked to hold it at first."""
        return self.canary is not None and self.canary not in self.run_ids

    @classmethod
    def read(cls, results_dir: Path, name: str) -> "Chunk":
        """The chunk of that name.

        Raises:
            DamagedError: its file is not what was written.
        """
        path = folder(results_dir) / f"{name}.json"
        with undamaged(path, cure=f"cancel its jobs (scancel --name={name}), then remove it"):
            chunk: Chunk = adapter(Chunk).validate_python({**read_json(path), "name": name})
            return chunk

    def write(self, results_dir: Path, script: str) -> Path:
        """Write down what is about to be submitted; returns the script."""
        place = folder(results_dir)
        path = place / f"{self.name}.sh"
        write_atomic(path, script)
        values = {key: value for key, value in asdict(self).items() if key != "name"}
        write_atomic(place / f"{self.name}.json", json.dumps(values) + "\n")
        return path

    def remember(self, results_dir: Path, job: int) -> None:
        """Record the array's job id."""
        write_atomic(folder(results_dir) / f"{self.name}.job", f"{job}\n")

    def job(self, results_dir: Path) -> int | None:
        """The array's job id; None: not recorded."""
        path = folder(results_dir) / f"{self.name}.job"
        if not path.exists():
            return None
        with undamaged(path, cure="remove it: SLURM's queue names the job again while it is there"):
            return int(read_text(path, _JOB_BYTES))

    def over(self, results_dir: Path) -> frozenset[RunId]:
        """Its runs of which a person said that they have no job any more, on a cluster that cannot be asked here."""
        path = folder(results_dir) / f"{self.name}.over"
        if not path.exists():
            return frozenset()
        with undamaged(path, cure="remove it, and say again which jobs are over (python -m sweeper cancel --gone)"):
            return frozenset(adapter(tuple[RunId, ...]).validate_python(read_json(path)))

    def say_over(self, results_dir: Path, run_ids: Iterable[RunId]) -> None:
        """Remember that some of its runs have no job any more."""
        known = sorted({*self.over(results_dir), *run_ids})
        write_atomic(folder(results_dir) / f"{self.name}.over", json.dumps(known) + "\n")

    def forget(self, results_dir: Path) -> None:
        """Take away a chunk that SLURM never got."""
        for suffix in (".json", ".sh", ".released"):
            (folder(results_dir) / f"{self.name}{suffix}").unlink(missing_ok=True)


def folder(results_dir: Path) -> Path:
    """Where chunks lie."""
    return results_dir / "slurm"


def chunks(results_dir: Path, damaged: list[DamagedError] | None = None) -> list[Chunk]:
    """All chunks of a results folder, in order of name: a file each, so who needs them reads them once.

    `damaged` gets an error for each file that is none, which is left out.

    Raises:
        DamagedError: without `damaged`, a file is no chunk; whoever submits does not know then what is queued.
    """
    found = []
    for path in sorted(folder(results_dir).glob(f"{PREFIX}*.json")):
        try:
            found.append(Chunk.read(results_dir, path.stem))
        except DamagedError as error:
            if damaged is None:
                raise
            damaged.append(error)
    return found


def in_json(shape: "Shape") -> dict[str, Any]:
    """A shape as a chunk's file has it; that runs share arrays is not said, as in those of earlier versions."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(shape)))
    return {key: value for key, value in values.items() if (key, value) != ("arrays", True)}
