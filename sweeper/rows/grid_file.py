"""Which runs belong to a grid: `grids/NAME.json`, written by every launch of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.host.errors import ConfigError
from sweeper.host.files import undamaged, write_atomic
from sweeper.spec.run_id import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A run as a point of a grid; None: written by an earlier version, or not known when it was launched."""

    run_id: RunId
    choice: tuple[str, ...] | None = None  # its label on each axis
    devices: int | None = None
    device_hours: float | None = None  # planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A grid as it was last launched, its runs in the order of its axes."""

    grid: str
    axes: dict[str, tuple[str, ...]]  # labels by key
    members: tuple[Member, ...]
    questions: tuple[str, ...] = ()  # what its report answers

    def write(self, results_dir: Path) -> None:
        """Remember it."""
        value = {
            "grid": self.grid,
            "axes": {key: list(labels) for key, labels in self.axes.items()},
            "questions": list(self.questions),
            "run_ids": [member.run_id for member in self.members],
            "choices": [member.choice for member in self.members],
            "devices": [member.devices for member in self.members],
            "device_hours": [member.device_hours for member in self.members],
        }
        write_atomic(_folder(results_dir) / f"{self.grid}.json", json.dumps(value, separators=(",", ":")) + "\n")

    @classmethod
    def read(cls, results_dir: Path, grid: str) -> "Membership":
        """A grid's last launch.

        Raises:
            ConfigError: no such grid was launched into this results folder.
            DamagedError: its file is not what was written.
        """
        path = _folder(results_dir) / f"{grid}.json"
        if not path.exists():
            known = ", ".join(grids(results_dir)) or "none"
            raise ConfigError(f"grid {grid!r} was never launched into {results_dir}; known: {known}")
        with undamaged(path, cure="the next launch of the grid writes it anew; its runs and rows are not touched"):
            value = json.loads(path.read_text())
            run_ids: Sequence[str] = value["run_ids"]
            nothing = [None] * len(run_ids)
            columns = (value.get(key, nothing) for key in ("choices", "devices", "device_hours"))
            members = tuple(
                Member(run_id=RunId(run_id), choice=choice and tuple(choice), devices=devices, device_hours=hours)
                for run_id, choice, devices, hours in zip(run_ids, *columns, strict=True)
            )
            axes = {key: tuple(labels) for key, labels in value["axes"].items()}
            return cls(grid=grid, axes=axes, members=members, questions=tuple(value.get("questions", ())))


def grids(results_dir: Path) -> list[str]:
    """The grids that were ever launched into a results folder."""
    return sorted(path.stem for path in _folder(results_dir).glob("*.json"))


def _folder(results_dir: Path) -> Path:
    return results_dir / "grids"
