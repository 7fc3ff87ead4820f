"""Where every run stands, from its folder alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sweeper.progress import describe
from sweeper.results import read_row, row_path
from sweeper.runs import Heartbeat, RunDir, State, find_run
from sweeper.spec import RunId

Status = dict[str, Any]


def run_statuses(results_dir: Path, which: str | None) -> list[Status]:
    """State, progress and reason of the runs of a grid, of one run, or of all.

    Raises:
        RunFailedError: `which` is neither a grid nor a run.
    """
    from sweeper.plan import grid_members

    if which is None:
        ids = sorted(path.name for path in (results_dir / "runs").glob("*") if path.is_dir())
    elif (results_dir / "grids" / f"{which}.json").exists():
        ids = grid_members(results_dir, which)
    else:
        ids = [find_run(results_dir, which).run_id]
    return [_status(RunDir(results_dir=results_dir, run_id=RunId(run_id))) for run_id in ids]


def _status(run_dir: RunDir) -> Status:
    state, attempts = run_dir.state(), run_dir.attempts()
    beat = attempts[-1].heartbeat() if attempts else None
    failure = run_dir.failure() if state is State.failed else None
    return {
        "run_id": run_dir.run_id,
        "state": str(state),
        "attempts": len(attempts),
        "progress": asdict(beat) if beat else None,
        "pass@1": _pass_at_1(run_dir) if state is State.done else None,
        "reason": f"{failure.phase}: {failure.reason}" if failure else None,
        "log": str(attempts[-1].log) if attempts else None,
    }


def _pass_at_1(run_dir: RunDir) -> float | None:
    score = read_row(row_path(run_dir.results_dir, run_dir.run_id)).score()
    return score.at(1) if score else None


def status_text(statuses: Sequence[Status]) -> str:
    """One line a run, then the count of each state."""
    from tabulate import tabulate

    if not statuses:
        return "no runs yet; start some with: python -m sweeper +grid=model_scale -m"
    lines = [
        {"run": item["run_id"], "state": item["state"], "attempts": item["attempts"], "": _detail(item)}
        for item in statuses
    ]
    counts = Counter(item["state"] for item in statuses)
    total = ", ".join(f"{n} {state}" for state, n in counts.items())
    return f"{tabulate(lines, headers='keys', tablefmt='simple')}\n\n{total}"


def _detail(item: Status) -> str:
    if item["reason"]:
        return f"{item['reason']} (log: {item['log']})"
    if item["pass@1"] is not None:
        return f"pass@1 {item['pass@1']:.3f}"
    return describe(Heartbeat(**item["progress"])) if item["progress"] else ""
