"""What a run that is done did: its settings, its gain, its time, and where what it left lies."""

import json
import subprocess
import sys
from collections import ChainMap

from sweeper.host.amounts import duration
from sweeper.rows.device_time import device_time
from sweeper.rows.differences import short_name, shown
from sweeper.rows.grid_file import places
from sweeper.rows.money import cost_of
from sweeper.rows.row import ResultRow, base_problems_path, problems_path
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import hash_of

_ASKED_S = 60.0  # what the interval of a gain may take


def what_it_did(run_dir: RunDir, row: ResultRow) -> list[str]:
    """Lines for people; what was not measured has none."""
    choice = dict(ChainMap(*places(run_dir.results_dir).get(run_dir.run_id, {}).values()))
    settings = ", ".join(f"{short_name(key, choice)} {shown(label)}" for key, label in choice.items() if label)
    lines = [f"{run_dir.run_id}: done", *([f"settings: {settings}"] if settings else []), *_gain(run_dir, row)]
    lines += _time(run_dir, row)
    attempts = run_dir.attempts()
    for number, attempt in enumerate(attempts if len(attempts) > 1 else (), start=1):
        end = attempt.read("exit")
        told = f"{end['status']} in {end['phase']}" if end else "left no record of its end"
        lines.append(f"attempt {number}: {told}")
    places_of = {
        "samples": run_dir.path / "counts.samples.jsonl",
        "log": attempts[-1].log if attempts else None,
        "checkpoints": run_dir.checkpoints,
    }
    lines += [f"{name}: {path}" for name, path in places_of.items() if path is not None and path.exists()]
    if attempts and attempts[-1].log.exists():
        return [*lines, f"read the log with: python -m sweeper logs {hash_of(run_dir.run_id)[:8]}"]
    return [*lines, "it has no log here"]


def _gain(run_dir: RunDir, row: ResultRow) -> list[str]:
    base, trained = row.score(base=True), row.score()
    first, last = (score.at(1) if score else None for score in (base, trained))
    if last is None or trained is None:
        return []
    steps = f" after {row.steps} steps" if row.steps else ""
    if first is None:
        return [f"pass@1: {last:.3f}{steps}; its base model was not measured"]
    inside = _interval(run_dir)
    over = f" over {trained.n_problems} problems" if inside is None else f" [{inside[0]:+.3f}, {inside[1]:+.3f}]"
    return [f"pass@1: {first:.3f} before, {last:.3f}{steps}; gain {last - first:+.3f}{over}"]


def _interval(run_dir: RunDir) -> tuple[float, float] | None:
    """Ends of the gain's 95 % interval over problems, as `analysis passk` has it; None: it cannot say."""
    trained, base = (of(run_dir.results_dir, run_dir.run_id) for of in (problems_path, base_problems_path))
    if not (trained.is_file() and base.is_file()):
        return None
    command = [sys.executable, "-m", "analysis", "passk", str(trained), "--base", str(base), "--ks", "1", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ASKED_S)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        return None
    found = next((item for item in json.loads(done.stdout)["paired"] if item["group"] == "all"), None)
    ends: dict[str, float | None] = found["differences"][0]["problems"] if found else {}
    low, high = ends.get("low"), ends.get("high")
    return None if low is None or high is None else (low, high)


def _time(run_dir: RunDir, row: ResultRow) -> list[str]:
    timing, spent = row.timing, device_time(row)
    if timing is None or timing.total_s is None:
        return []
    phases = {"training": timing.train_s, "pass@k": timing.evaluate_s}
    parts = ", ".join(f"{name} {duration(seconds)}" for name, seconds in phases.items() if seconds is not None)
    tries = f" in {timing.attempts} tries" if timing.attempts > 1 else ""
    line = f"took {duration(timing.total_s)}{f' ({parts})' if parts else ''}{tries}"
    if spent is not None and row.provenance is not None:
        line += f": {spent.whole:.2f} device-hours of {row.provenance.n_devices} x {row.provenance.device_name}"
        if spent.own is not None:
            line += f", {spent.own:.2f} of them of its own (the rest is shared: base model and data, made once)"
    paid = cost_of(run_dir.results_dir, row)
    return [line if paid is None else f"{line}, {paid.currency} {paid.amount:,.2f}"]
