"""What `status` needs of each row, remembered between calls: rows of ended runs do not change."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_json
from sweeper.host.errors import DamagedError
from sweeper.host.files import undamaged
from sweeper.rows.row import ROW_CURE, Status
from sweeper.rows.seen_files import SeenFiles
from sweeper.spec.bounds import adapter
from sweeper.spec.run_id import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A row in short; None: not measured."""

    status: Status
    pass1: float | None
    device_hours: float | None  # of all attempts, evaluation included
    reason: str | None  # of a failed run
    steps: int | None  # that it trained
    reward: float | None  # of its last step


_FIELDS = tuple(field.name for field in fields(Brief))


def briefs(results_dir: Path, damaged: list[DamagedError], seen: SeenFiles | None = None) -> dict[RunId, Brief]:
    """Every row in short, by run; `damaged` gets an error for each file that is no row, which is left out.

    What was seen before lies in the results folder, or is `seen`.
    """
    seen, found = SeenFiles(results_dir / ".status.json") if seen is None else seen, {}
    for entry in _rows(results_dir):
        run_id = RunId(entry.name.removesuffix(".json"))
        try:
            with undamaged(Path(entry.path), cure=ROW_CURE):
                about = entry.stat()
            values = seen.get(run_id, about)
            brief = None if values is None else _kept(values)
            if brief is None:
                brief = _brief(Path(entry.path))
                seen.put(run_id, about, astuple(brief))
        except DamagedError as error:
            damaged.append(error)
            continue
        found[run_id] = brief
    seen.write(only_asked=True)
    return found


def _kept(values: Sequence[Any]) -> Brief | None:
    """What was remembered of a row; None: it is not what was written."""
    with suppress(ValueError):
        return _checked(dict(zip(_FIELDS, values, strict=True)))
    return None


def _checked(values: dict[str, Any]) -> Brief:
    brief: Brief = adapter(Brief).validate_python(values)
    return brief


def _rows(results_dir: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(results_dir / "rows") as entries:
            return [entry for entry in entries if entry.name.endswith(".json")]
    except FileNotFoundError:
        return []


def _brief(path: Path) -> Brief:
    """Of one row; without full validation, which takes ten times as long, unless something is amiss."""
    with undamaged(path, cure=ROW_CURE):
        row = read_json(path)
        failure, timing, provenance = row["failure"], row["timing"], row["provenance"]
        score = next((item for item in row["trained"] if item["domain"] == "all"), None)
        pass1 = next((item["value"] for item in score["pass_at_k"] if item["k"] == 1), None) if score else None
        hours = None
        if timing and provenance and timing["total_s"] is not None:
            hours = timing["total_s"] * provenance["n_devices"] / 3600
        reason = f"{failure['phase']}: {failure['reason']} (log: {failure['log']})" if failure else None
        rewards = [point["reward"] for point in row["curve"] if point["reward"] is not None]
        told = {"status": row["status"], "pass1": pass1, "device_hours": hours, "reason": reason}
        return _checked(told | {"steps": row["steps"], "reward": rewards[-1] if rewards else None})
