"""Where every run stands, in what step it is, and why it is not done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from sweeper.host.amounts import duration
from sweeper.host.errors import DamagedError
from sweeper.host.printed_table import WIDE, Room, paragraph, printed
from sweeper.launch.slurm.queue import Queue
from sweeper.oversight.paid import tell_cost
from sweeper.oversight.summary import summary
from sweeper.rows.differences import short_name, shown, unnamed
from sweeper.rows.earlier_row import frozen_settings
from sweeper.rows.grid_file import Member, Membership, grids, matching, tell_others
from sweeper.rows.row import Status as RowStatus
from sweeper.rows.row_cache import Brief, briefs
from sweeper.rows.seen_files import SeenFiles
from sweeper.runs.attempt import Attempt, Heartbeat
from sweeper.runs.folder import RunDir, find_run, known_runs
from sweeper.runs.progress import progress_of
from sweeper.runs.state import State
from sweeper.runs.triage import Diagnosis
from sweeper.spec.run_id import RunId, handles

Status = dict[str, Any]
_LEAST_READ = ("planned", "tries", "device-h", "reward", "left")
_HELD = "JobHeldUser"  # squeue's word


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found before in rows, specs and logs, by a process that looks again and again and writes nothing."""

    rows: SeenFiles = field(default_factory=lambda: SeenFiles(None))
    specs: SeenFiles = field(default_factory=lambda: SeenFiles(None))
    logs: SeenFiles = field(default_factory=lambda: SeenFiles(None))


def run_statuses(
    results_dir: Path,
    which: str | None,
    queue: Queue | None = None,
    damaged: list[DamagedError] | None = None,
    seen: Seen | None = None,
) -> list[Status]:
    """State, progress and reason of the runs of a grid, of the run whose id starts or ends with `which`, or of all.

    SLURM is asked now if `queue` does not say what it said. `damaged` gets an error for each row and each grid's file
    that cannot be read. What was seen before is kept in the results folder, or in `seen`: then nothing is written.

    Raises:
        RunFailedError: `which` is neither a grid nor a run.
    """
    queue = Queue.ask(results_dir) if queue is None else queue
    damaged = [] if damaged is None else damaged
    sound_specs = SeenFiles(results_dir / ".specs.json") if seen is None else seen.specs
    logs = SeenFiles(None) if seen is None else seen.logs
    rows = briefs(results_dir, damaged, None if seen is None else seen.rows)
    statuses = [
        _status(
            RunDir(results_dir=results_dir, run_id=run.run_id),
            run,
            grid,
            queue,
            rows.get(run.run_id),
            sound_specs,
            logs,
        )
        for grid, run in _members(results_dir, which, damaged)
    ]
    logs.write(only_asked=True)
    tell_cost(statuses, results_dir, sound_specs)
    sound_specs.write(only_asked=which is None)
    _tell_held(statuses, results_dir, queue)
    _tell_apart([item for item in statuses if item["choice"] is None], results_dir)
    return statuses


def _tell_apart(alone: Sequence[Status], results_dir: Path) -> None:
    """Say of runs that no grid has what differs between them and is not in their ids."""
    specs = [RunDir(results_dir=results_dir, run_id=item["run_id"]).spec_path for item in alone]
    own = unnamed([frozen_settings(path) for path in specs])
    for i, item in enumerate(alone):
        item["choice"] = {difference.key: difference.texts[i] for difference in own} or None


def _tell_held(statuses: Sequence[Status], results_dir: Path, queue: Queue) -> None:
    """Say of runs that SLURM holds which canary they wait for, and what became of it."""
    held = [item for item in statuses if _HELD in (item["scheduler"] or "")]
    if not held:
        return
    from sweeper.launch.slurm.array import chunks
    from sweeper.launch.slurm.canary import waiting

    canaries = waiting(results_dir, chunks(results_dir, []))
    for item in held:
        canary = canaries.get(item["run_id"])
        if canary is not None:
            state = queue.state(RunDir(results_dir=results_dir, run_id=canary))
            item["scheduler"] += f"; held until {canary} has taken a training step, which is {state}"


def chosen(results_dir: Path, which: str | None) -> list[RunId]:
    """The runs of a grid, the one run of that name, or all.

    Raises:
        RunFailedError: `which` is neither a grid nor a run.
    """
    return [member.run_id for _, member in _members(results_dir, which, [])]


def _members(
    results_dir: Path, which: str | None, damaged: list[DamagedError]
) -> Iterator[tuple[Membership | None, Member]]:
    """Every run once: with the first grid that it belongs to, in the order of its axes; then those of no grid."""
    names = grids(results_dir)
    if which is not None and matching(results_dir, which):
        grid = Membership.read(results_dir, which)
        tell_others(results_dir, grid.name)
        yield from ((grid, member) for member in grid.members)
        return
    one = None if which is None else find_run(results_dir, which, names).run_id
    seen = set()
    for name in names:
        try:
            grid = Membership.read(results_dir, name)
        except DamagedError as error:  # its runs are found by their folders
            damaged.append(error)
            continue
        for member in grid.members:
            if member.run_id not in seen and one in (None, member.run_id):
                seen.add(member.run_id)
                yield grid, member
    for run_id in known_runs(results_dir) if one is None else [one]:
        if run_id not in seen:
            yield None, Member(run_id=run_id)


def _status(
    run_dir: RunDir,
    member: Member,
    grid: Membership | None,
    queue: Queue,
    row: Brief | None,
    sound_specs: SeenFiles,
    logs: SeenFiles,
) -> Status:
    done = row is not None and row.status is RowStatus.completed
    state = queue.state(run_dir, is_done=done)
    # Of a run that is done nothing more than its row is looked at: there are thousands of them.
    # A state that is decided later than "damaged" (`sweeper.runs.state`) says that nothing is.
    is_looked_at = state in (State.failed, State.unknown, State.interrupted, State.new)
    damage = None if done or is_looked_at else run_dir.damage(sound_specs)
    attempts = [] if done or damage else run_dir.attempts()
    beat = attempts[-1].heartbeat() if attempts else None
    ended = queue.endings.get(run_dir.run_id) if queue.error is None else None
    is_over = state in (State.failed, State.interrupted)
    diagnosis = _diagnosis(run_dir, attempts, ended, logs, queue) if is_over else None
    at_work = progress_of(attempts[-1], beat) if beat and state is State.running else None
    return {
        "run_id": run_dir.run_id,
        "grid": grid.name if grid else None,
        "choice": dict(zip(grid.axes, member.choice, strict=True)) if grid and member.choice else None,
        "state": str(state),
        "attempts": None if done else len(attempts),
        "progress": asdict(beat) if beat else None,
        "pass@1": row.pass1 if row else None,
        "steps": row.steps if row else None,
        "reward": row.reward if row else None,
        "reason": str(damage) if damage else row.reason if row and state is State.failed else None,
        "failure_class": str(diagnosis.failure_class) if diagnosis else None,
        "evidence": diagnosis.evidence if diagnosis else None,
        "scheduler": queue.reason(run_dir.run_id) if not done else None,
        "log": str(attempts[-1].log) if attempts else None,
        "device_hours": row.device_hours if done and row else None if damage else _spent(attempts, member),
        "planned_device_hours": member.device_hours,
        **({"cluster": queue.clusters[run_dir.run_id]} if not done and run_dir.run_id in queue.clusters else {}),
        **({"doing": at_work.text, "share": at_work.whole} if at_work else {}),
        **({"devices": member.devices} if at_work and member.devices is not None else {}),
    }


def _diagnosis(
    run_dir: RunDir, attempts: Sequence[Attempt], ended: str | None, logs: SeenFiles, queue: Queue
) -> Diagnosis | None:
    """Why a run ended; of one without a row the log says it, which is read once as long as it stays as it is.

    Of a job that ended before its first attempt only what SLURM's step printed can say it.
    """
    if not attempts and ended is not None and run_dir.run_id in queue.places:
        from sweeper.launch.slurm.ledger import step_log

        return run_dir.diagnosis(ended, step_log(run_dir.results_dir, run_dir.run_id, queue.places[run_dir.run_id]))
    log = attempts[-1].log if attempts else None
    about = log.stat() if log is not None and log.exists() else None
    known = None if about is None else logs.get(run_dir.run_id, about)
    if known is not None and known[0] == ended:
        found: Diagnosis | None = known[1]
        return found
    found = run_dir.diagnosis(ended)
    if about is not None:
        logs.put(run_dir.run_id, about, (ended, found))
    return found


def _spent(attempts: Sequence[Attempt], member: Member) -> float | None:
    if member.devices is None:
        return None
    return sum(attempt.seconds() for attempt in attempts) * member.devices / 3600


def status_text(statuses: Sequence[Status], queue: Queue | None = None, now: float = 0.0, room: Room = WIDE) -> str:
    """One line per run, grouped by grid and first axis, then the count of each state and the device-hours.

    It tells how old what SLURM said is at `now`, in Unix seconds.
    """
    if not statuses:
        return "no runs yet; start some with: python -m sweeper +grid=model_scale -m"
    short = {} if room.ids else handles(item["run_id"] for item in statuses)
    several = queue is not None and len(set(queue.clusters.values())) > 1
    parts = [
        _section(list(members), short, room, several)
        for _, members in groupby(statuses, key=lambda item: str(item["grid"]))
    ]
    total = summary(statuses, queue, now)
    return "\n\n".join([*parts, paragraph(total, room)])


def _section(members: Sequence[Status], short: Mapping[str, str], room: Room, with_clusters: bool) -> str:
    """The lines of one grid; a line between the values of its first axis."""
    lines = [_line(item, short, with_clusters) for item in members]
    columns = list(dict.fromkeys(name for line in lines for name in line))
    # What no run has says nothing.
    shown_columns = [name for name in columns if any(line.get(name) for line in lines)]
    cells = [{name: line.get(name) or "-" for name in shown_columns} for line in lines]
    alike = [name for name in shown_columns if len({row[name] for row in cells}) == 1 and name not in ("run", "state")]
    head, line, *rows = printed(cells, room, drop=[*_LEAST_READ, *alike], cut_start="run").split("\n")
    out = [*([f"{members[0]['grid']}:"] if members[0]["grid"] else []), head, line]
    first, last = members[0]["choice"] is not None and len(members[0]["choice"]) > 1, None
    for item, row in zip(members, rows, strict=False):
        value = next(iter(item["choice"].values())) if first and item["choice"] else None
        out += [""] if last is not None and value != last else []
        last = value
        out.append(row)
    return "\n".join([*out, *rows[len(members) :]])


def _line(item: Status, short: Mapping[str, str], with_clusters: bool) -> Mapping[str, str | None]:
    beat = Heartbeat(**item["progress"]) if item["progress"] else None
    choice = item["choice"] or {}
    training = beat is not None and beat.phase == "train" and beat.step is not None
    own = {
        "state": item["state"],
        "cluster": item.get("cluster") if with_clusters else None,
        "tries": None if item["attempts"] in (None, 0, 1) else str(item["attempts"]),
        "step": f"{beat.step}/{beat.total_steps}" if beat and training else None,
        "reward": _number(beat.reward if beat else None),
        "pass@1": _number(item["pass@1"]),
        "left": duration(beat.seconds_left) if beat and training and beat.seconds_left is not None else None,
        "device-h": _number(item["device_hours"], ".2f"),
        "planned": _number(item["planned_device_hours"], ".2f"),
        "run": short.get(item["run_id"], item["run_id"]) if choice else item["run_id"],
        "": _detail(item, None if training else beat),
    }
    names = {key: short_name(key, choice) for key in choice}
    return {key if names[key] in own else names[key]: shown(text) for key, text in choice.items()} | own


def _number(value: float | None, form: str = ".3f") -> str | None:
    return None if value is None else format(value, form)


def _detail(item: Status, beat: Heartbeat | None) -> str | None:
    kind = f"[{item['failure_class']}] " if item["failure_class"] not in (None, "unknown") else ""
    if item["reason"]:
        return f"{kind}{item['reason']}"
    if item["evidence"] and not item["attempts"]:
        return f"{kind}{item['evidence']}"
    words = [item["doing"]] if beat and "doing" in item else []
    words += [item["scheduler"]] if item["scheduler"] else []
    words += [item["start"]["words"]] if "start" in item else []
    return kind + "; ".join(words) or None
