"""What was ever submitted from a results folder, and where it is in SLURM's queue."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rewards.bounded_file import last_bytes
from sweeper.host.files import undamaged
from sweeper.launch.slurm import accounting, scheduler
from sweeper.launch.slurm.array import Chunk, chunks, folder
from sweeper.launch.slurm.scheduler import Element, SchedulerError
from sweeper.rows.row import row_path
from sweeper.spec.run_id import RunId

_ORDER = ("RUNNING", "COMPLETING")  # what a run's state is told by, where it has several elements; then the others
_HIDDEN = "accounting says so, squeue does not list it; if that lasts: sacctmgr show runawayjobs"


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """Where the jobs of a results folder are, as far as SLURM tells."""

    elements: Mapping[RunId, Element] = field(default_factory=dict)  # that are not over, one a run
    twins: Mapping[RunId, tuple[Element, ...]] = field(default_factory=dict)  # more of them, of runs that have several
    endings: Mapping[RunId, str] = field(default_factory=dict)  # of those submitted that are gone and have no row
    places: Mapping[RunId, tuple[int, int]] = field(default_factory=dict)  # the elements that ended so
    earlier: Mapping[RunId, tuple[tuple[int, int], ...]] = field(default_factory=dict)  # all that those runs ever had
    unseen: Mapping[RunId, str] = field(default_factory=dict)  # why nothing can be told of them from here
    arrays: Mapping[int, Chunk] = field(default_factory=dict)  # the chunk of each array that `elements` are of
    clusters: Mapping[RunId, str] = field(default_factory=dict)  # on which the jobs of `elements` and `unseen` are

    def all_elements(self) -> Iterator[Element]:
        """Twins too."""
        yield from self.elements.values()
        for more in self.twins.values():
            yield from more


def ask(results_dir: Path, known: Sequence[Chunk], *, records: bool = True) -> Jobs:
    """Where the jobs of a results folder's chunks are: one squeue, and one sacct if there is something else to tell.

    Jobs are known by their chunk's name, which is the job's, and the first word of its comment should the job be
    renamed; whoever asks. A number alone is not enough: a cluster that was set up anew gives it to others. It is
    recorded if it was not (its submitter was killed, or a person submitted it) and this `records` at all.

    Raises:
        SchedulerError: squeue did not answer.
    """
    if not known:
        return Jobs()
    ledger = _Ledger(results_dir, known)
    found: dict[RunId, list[Element]] = {}
    completing: list[tuple[RunId, Element]] = []
    for run_id, element in ledger.mine(scheduler.queue(ledger.users), records=records):
        if element.state == "COMPLETING":
            completing.append((run_id, element))
        else:
            found.setdefault(run_id, []).append(element)
    unseen = ledger.elsewhere()
    gone = {
        run_id: where
        for run_id, where in submitted(results_dir, known, ledger.ids_here()).items()
        if where is not None and run_id not in found and run_id not in unseen
    }
    asked = {*(job for job, _ in gone.values()), *(item.job for _, item in completing)}
    accounts, missing = _accounts({job: ledger.by_job[job].name for job in sorted(asked)})
    for run_id, element in completing:
        # Its node is being cleaned up. What was requeued meanwhile is called so, too; only accounting knows.
        account = accounting.account_of(accounts, element.job, element.index)
        if account is None or not accounting.is_over(account):
            found.setdefault(run_id, []).append(element)
    endings = dict[RunId, str]()
    for run_id, (job, index) in gone.items():
        account, chunk = accounting.account_of(accounts, job, index), ledger.by_job[job]
        if run_id in found:
            continue
        if account is not None and accounting.is_alive(account):
            state = account.partition(",")[0]
            about = {"name": chunk.name, "state": state, "reason": _HIDDEN}
            found[run_id] = [Element(job=job, index=index, in_array=chunk.is_array, **about)]
        elif account is None and chunk.user not in ledger.visible:
            unseen[run_id] = (
                f"SLURM does not tell you of job {job}_{index}, which is user {chunk.user}'s: let them look"
            )
        else:
            endings[run_id] = missing if account is None else account
    said = {
        run_id: words
        for run_id, words in ledger.said_over().items()
        if run_id not in (found.keys() | gone.keys() | unseen.keys())
    }
    for each in found.values():
        each.sort(key=lambda item: (_ORDER.index(item.state) if item.state in _ORDER else len(_ORDER), item.job))
    return Jobs(
        elements={run_id: each[0] for run_id, each in found.items()},
        twins={run_id: tuple(each[1:]) for run_id, each in found.items() if len(each) > 1},
        endings=endings | said,
        places={run_id: gone[run_id] for run_id in endings},
        earlier=_earlier(known, ledger.ids, endings),
        unseen=unseen,
        arrays={item.job: ledger.by_job[item.job] for each in found.values() for item in each},
        clusters=ledger.clusters(unseen, {run_id: each[0].job for run_id, each in found.items()}),
    )


def _earlier(
    known: Sequence[Chunk], ids: Mapping[str, int], wanted: Collection[RunId]
) -> dict[RunId, tuple[tuple[int, int], ...]]:
    """Every element (array job, index) of some runs whose job is known."""
    found: dict[RunId, list[tuple[int, int]]] = {}
    for chunk in known if wanted else ():
        for index, run_id in enumerate(chunk.run_ids):
            if chunk.name in ids and run_id in wanted:
                found.setdefault(run_id, []).append((ids[chunk.name], index))
    return {run_id: tuple(places) for run_id, places in found.items()}


def live(results_dir: Path, known: Sequence[Chunk] | None = None) -> Mapping[RunId, Element]:
    """The runs of a results folder that have jobs, each with the element that came furthest, as `ask` has it."""
    return ask(results_dir, chunks(results_dir, []) if known is None else known).elements


class _Ledger:
    """The chunks of a results folder with what was recorded of their jobs."""

    def __init__(self, results_dir: Path, known: Sequence[Chunk]) -> None:
        self._results_dir, self._known = results_dir, known
        self.ids = {chunk.name: job for chunk in known if (job := chunk.job(results_dir)) is not None}
        self.by_job = {self.ids[chunk.name]: chunk for chunk in known if chunk.name in self.ids}
        self._recorded = set(self.ids)
        # Users of whose jobs SLURM tells. None: who submitted is not known, as of an earlier version's chunks.
        self.visible: set[int | None] = {None, os.getuid()}

    @property
    def users(self) -> set[int]:
        """Whose jobs they may be."""
        return {chunk.user for chunk in self._known if chunk.user is not None}

    @cached_property
    def _here(self) -> str:
        """The cluster that is asked; empty: it does not say."""
        try:
            return scheduler.configuration().cluster
        except SchedulerError:
            return ""

    def mine(self, elements: Sequence[Element], *, records: bool) -> Iterator[tuple[RunId, Element]]:
        """Those of the queue's elements that are of these chunks, with their runs."""
        by_name = {chunk.name: chunk for chunk in self._known}
        for element in elements:
            chunk = by_name.get(element.mark) or by_name.get(element.name)
            if chunk is None or element.index >= len(chunk.run_ids):
                continue
            if self.by_job.get(element.job) is chunk and chunk.cluster:
                self._here = chunk.cluster  # number and name are ours, so this is the cluster: it need not be asked
            self.visible.add(chunk.user)
            self.by_job[element.job] = chunk
            if self.ids.setdefault(chunk.name, element.job) == element.job and records:
                self._record(chunk, element.job)
            yield chunk.run_ids[element.index], element

    def _record(self, chunk: Chunk, job: int) -> None:
        if chunk.name not in self._recorded:
            self._recorded.add(chunk.name)
            with suppress(OSError):  # another's results folder, or no room: found by its name the next time, too
                chunk.remember(self._results_dir, job)

    def is_elsewhere(self, chunk: Chunk) -> bool:
        """Whether a chunk went to another cluster than the one that is asked."""
        return bool(chunk.cluster and self._here) and chunk.cluster != self._here

    def ids_here(self) -> dict[str, int]:
        """Job ids by chunk, of the cluster that is asked: another's numbers say nothing of what is later."""
        return {chunk.name: self.ids[chunk.name] for chunk in self._known if chunk.name in self.ids.keys() - self._away}

    @cached_property
    def _away(self) -> set[str]:
        return {chunk.name for chunk in self._known if chunk.name in self.ids and self.is_elsewhere(chunk)}

    def elsewhere(self) -> dict[RunId, str]:
        """Runs that may have jobs on another cluster: those whose row, if any, is older than their job."""
        found = dict[RunId, str]()
        for chunk in self._chunks_away():
            words = (
                f"job {self.ids[chunk.name]} is on cluster {chunk.cluster}, and this machine asks {self._here}: look "
                "from there; if it is over: python -m sweeper cancel RUN --gone"
            )
            over = chunk.over(self._results_dir)
            found |= {run_id: words for run_id in self._without_later_row(chunk) if run_id not in over}
        return found

    def clusters(self, unseen: Collection[RunId], jobs: Mapping[RunId, int]) -> dict[RunId, str]:
        """On which cluster runs have jobs, where it was recorded: of those `unseen`, and of those with `jobs` here."""
        away = {run_id: chunk.cluster for chunk in self._chunks_away() for run_id in chunk.run_ids if run_id in unseen}
        return away | {run_id: name for run_id, job in jobs.items() if (name := self.by_job[job].cluster)}

    def said_over(self) -> dict[RunId, str]:
        """Runs without a row that had jobs on another cluster, of which a person said that they are over."""
        return {
            run_id: f"over on cluster {chunk.cluster}, as it was said (cancel --gone)"
            for chunk in self._chunks_away()
            for run_id in chunk.over(self._results_dir)
            if not row_path(self._results_dir, run_id).exists()
        }

    def say_over(self, wanted: Collection[RunId]) -> set[RunId]:
        """Remember of some runs that their jobs on other clusters are over; returns those that had some."""
        may_live = self.elsewhere().keys() & wanted
        for chunk in self._chunks_away():
            if here := may_live.intersection(chunk.run_ids):
                chunk.say_over(self._results_dir, here)
        return may_live

    def _chunks_away(self) -> Iterator[Chunk]:
        yield from (chunk for chunk in self._known if chunk.name in self._away)

    def _without_later_row(self, chunk: Chunk) -> Iterator[RunId]:
        began = (folder(self._results_dir) / f"{chunk.name}.job").stat().st_mtime
        for run_id in chunk.run_ids:
            row = row_path(self._results_dir, run_id)
            if not row.exists() or row.stat().st_mtime < began:
                yield run_id


def say_over(results_dir: Path, wanted: Collection[RunId]) -> list[RunId]:
    """Remember of some runs that their jobs on other clusters are over, by the word of a person who looked there.

    Returns:
        Those that had such jobs; the next launch may submit them here.
    """
    return sorted(_Ledger(results_dir, chunks(results_dir, [])).say_over(wanted))


def _accounts(jobs: Mapping[int, str]) -> tuple[dict[tuple[int, int], str], str]:
    """What accounting says, and what is said of whom it does not know."""
    try:
        return accounting.endings(jobs), "ended; no account of it"
    except SchedulerError as error:
        return {}, f"ended; why is not known: {error}"


def submitted(
    results_dir: Path, known: Sequence[Chunk] | None = None, ids: Mapping[str, int] | None = None
) -> dict[RunId, tuple[int, int] | None]:
    """The last element (array job, index) of each run without a row that was ever submitted; `ids` are known of jobs.

    What was exported for a person to submit counts from the moment at which SLURM is seen to have it.
    None: its submitter was killed before it wrote the job's id down, or before SLURM got the job.
    """
    found: dict[RunId, tuple[int, int] | None] = {}
    rows = row_path(results_dir, "").parent
    with_row = {path.stem for path in rows.glob("*.json")}
    for chunk in chunks(results_dir, []) if known is None else known:
        job = chunk.job(results_dir) if ids is None else ids.get(chunk.name)
        if job is None and chunk.is_exported:
            continue
        for index, run_id in enumerate(chunk.run_ids):
            if run_id not in with_row:
                last = found.get(run_id)
                found[run_id] = last if job is None else max(last or (0, 0), (job, index))
    return found


def step_log(results_dir: Path, run_id: RunId, where: tuple[int, int] | None = None) -> list[str]:
    """What SLURM's own programs wrote of a run's last element, the last MiB: why it was killed, if they did it.

    `where` is the element, if it is known.

    Raises:
        DamagedError: there is something else than a file of theirs.
    """
    where = where or submitted(results_dir).get(run_id)
    said = []
    for path in _logs(results_dir, *where) if where else ():
        with undamaged(path, cure="move it away"):
            said += last_bytes(path).decode(errors="replace").splitlines()
    return [line for line in said if line.strip()]


def deaths(results_dir: Path, elements: Iterable[tuple[int, int]]) -> int:
    """Elements (array job, index) of a run without attempts that began all the same: setup or its Python failed."""
    return sum(bool(_logs(results_dir, job, index)) for job, index in elements)


def _logs(results_dir: Path, job: int, index: int) -> list[Path]:
    """Of its tasks, one a node: looked for by name, as there are the logs of all runs beside them."""
    place, found = folder(results_dir) / "logs", list[Path]()
    while os.path.lexists(path := place / f"{job}_{index}_{len(found)}_log.out"):
        found.append(path)
    return found
