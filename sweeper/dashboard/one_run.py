"""One run as its page shows it: settings, attempts and what became of them, the end of its log."""

from collections import deque
from pathlib import Path
from threading import Lock
from typing import Any

from sweeper.dashboard.words import told, told_in
from sweeper.host.errors import DamagedError, ResultsError
from sweeper.launch.slurm.ledger import step_log
from sweeper.rows.differences import differences, written
from sweeper.rows.earlier_row import frozen_settings
from sweeper.rows.row import ResultRow
from sweeper.rows.seen_files import SeenFiles
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import RunDir
from sweeper.runs.readable_log import readable
from sweeper.spec.run_id import RunId

LOG_LINES, SLURM_LINES = 400, 20


def run_dir_of(results_dir: Path, run_id: str) -> RunDir:
    """The folder of a run.

    Raises:
        ResultsError: that is no name of a run.
    """
    if run_id in ("", ".", "..") or "/" in run_id or "\0" in run_id:
        raise ResultsError(f"{run_id!r} is no name of a run")
    return RunDir(results_dir=results_dir, run_id=RunId(run_id))


def details(run_dir: RunDir, status: dict[str, Any]) -> dict[str, Any]:
    """What the page tells beside the curves, the log and the samples; a file that cannot be read is named."""
    damaged: list[str] = []
    row, attempts, said = None, list[Attempt](), list[str]()
    try:
        row = run_dir.row()
    except DamagedError as error:
        damaged.append(str(error))
    try:
        attempts = run_dir.attempts()
        said = step_log(run_dir.results_dir, run_dir.run_id)[-SLURM_LINES:] if status["state"] != "done" else []
    except DamagedError as error:
        damaged.append(str(error))
    settings = frozen_settings(run_dir.spec_path) or (row.settings if row else None) or {}
    return {
        "status": status,
        "attempts": [_attempt(item, damaged, is_last=item is attempts[-1], status=status) for item in attempts],
        "slurm_log": told("\n".join(said)),
        "settings": [[key, told(written(value))] for key, value in settings.items()],
        "scores": _scores(row) if row else [],
        "damaged": told_in(damaged),
        "folder": told(str(run_dir.path)),
    }


def _attempt(attempt: Attempt, damaged: list[str], *, is_last: bool, status: dict[str, Any]) -> dict[str, Any]:
    try:
        env, end, seconds = attempt.read("env"), attempt.read("exit"), attempt.seconds()
    except DamagedError as error:
        damaged.append(str(error))
        env, end, seconds = None, None, 0.0
    silent = "is running" if is_last and status["state"] == "running" else "left no record of its end"
    return {
        "number": attempt.number,
        "became": told(f"{end['status']} in {end['phase']}" if end else silent),
        "began": env["time"] if env else None,
        "seconds": seconds or None,
        "where": told_in(" ".join(str(env[key]) for key in ("host", "device") if env.get(key))) if env else None,
        "log": told(str(attempt.log)),
    }


def _scores(row: ResultRow) -> list[list[Any]]:
    """pass@k before and after, over all problems: k, base, trained."""
    base, trained = row.score(base=True), row.score()
    ks = [point.k for point in (trained.pass_at_k if trained else ())]
    return [[k, base.at(k) if base else None, trained.at(k) if trained else None] for k in ks]


def log_end(run_dir: RunDir, number: int | None) -> dict[str, Any]:
    """The last lines of an attempt's log that say something; the last attempt's without a `number`.

    Raises:
        DamagedError: it is no regular file.
    """
    attempts = [item for item in run_dir.attempts() if number in (None, item.number)]
    if not attempts:
        return {"attempt": None, "lines": []}
    lines = deque(readable(attempts[-1].log_end().decode(errors="replace").split("\n")), LOG_LINES)
    # Hidden as a whole: a key may be several lines.
    return {"attempt": attempts[-1].number, "lines": told("\n".join(lines)).split("\n")}


class Specs:
    """The settings of runs, remembered as long as their specifications stay; several threads may ask."""

    def __init__(self, results_dir: Path) -> None:
        self._results_dir = results_dir
        self._lock, self._seen = Lock(), SeenFiles(None)

    def what_differs(self, run_ids: list[str]) -> dict[str, Any]:
        """The settings in which runs differ: a column each, a line for each run."""
        with self._lock:
            found = differences([self._settings(run_id) for run_id in run_ids])
            self._seen.write(only_asked=False)
        return {
            "columns": [told_in(item.name.removesuffix(".name")) for item in found],
            "runs": {told_in(run_id): [told_in(item.texts[i]) for item in found] for i, run_id in enumerate(run_ids)},
        }

    def _settings(self, run_id: str) -> dict[str, Any] | None:
        path = run_dir_of(self._results_dir, run_id).spec_path
        if not path.exists():
            return None
        about = path.stat()
        known = self._seen.get(run_id, about)
        if known is None:
            known = [frozen_settings(path)]
            self._seen.put(run_id, about, known)
        settings: dict[str, Any] | None = known[0]
        return settings
