"""Which runs belong to a grid: `grids/NAME.json`, one record per thing that launches asked for.

A launch that asks less of the same (fewer models, one seed) changes nothing; one that asks more (further seeds) adds
its runs; one that asks something else (another family, another setting fixed) has a record of its own. No run ever
leaves a record.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from rewards.bounded_file import read_json
from sweeper.host.errors import ConfigError, DamagedError
from sweeper.host.files import undamaged, write_atomic
from sweeper.spec.bounds import adapter
from sweeper.spec.digest import digest_of
from sweeper.spec.run_id import RunId

# What a report can answer (`analysis.questions`); a grid's file lists those that it asks.
QUESTIONS = (
    *("size", "steps", "data", "compute", "sample_efficiency", "compute_efficiency", "marginal_return", "reuse"),
    *("sft_share", "rollout_allocation", "curriculum", "transfer", "min_data", "stability", "algorithm"),
    *("unseen_size", "rest_of_run", "agent_turns", "tool_gain", "tool_use"),
)


_COLUMNS = ("run_id", "choice", "devices", "device_hours")  # of a member, in the order of a record's lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a launch of several runs asks for."""

    name: str  # of its record and report
    grid: str | None  # the file of conf/grid; None: the command line has all axes
    is_named: bool = False  # by the user: whatever has that name belongs together
    settings: tuple[str, ...] = ()  # overrides that the command line fixes beside the grid's own axes
    narrowed: Mapping[str, str] = field(default_factory=dict)  # own axes of the grid that it fixes to one label


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A run as a point of a grid; None: written by an earlier version, or not known when it was launched."""

    run_id: RunId
    choice: tuple[str, ...] | None = None  # its label on each axis; "": it was launched without that axis
    devices: int | None = None
    device_hours: float | None = None  # planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A grid as it was launched, its runs in the order of their axes."""

    name: str
    grid: str | None  # as in `Launch`
    axes: dict[str, tuple[str, ...]]  # labels by key
    members: tuple[Member, ...]
    questions: tuple[str, ...] = ()  # what its report answers
    settings: tuple[str, ...] | None = None  # as in `Launch`; None: written by an earlier version

    def write(self, results_dir: Path) -> None:
        """Remember it."""
        value = {
            "name": self.name,
            "grid": self.grid,
            "settings": self.settings,
            "axes": {key: list(labels) for key, labels in self.axes.items()},
            "questions": list(self.questions),
            "run_ids": [member.run_id for member in self.members],
            "choices": [member.choice for member in self.members],
            "devices": [member.devices for member in self.members],
            "device_hours": [member.device_hours for member in self.members],
        }
        write_atomic(_path(results_dir, self.name), json.dumps(value, separators=(",", ":")) + "\n")

    @classmethod
    def read(cls, results_dir: Path, which: str) -> "Membership":
        """A record by its name, or by that of its grid where it is the only one of it.

        Raises:
            ConfigError: no such grid was launched into this results folder, or it was in several ways.
            DamagedError: its file is not what was written.
        """
        names = matching(results_dir, which)
        if not names:
            known = ", ".join(grids(results_dir)) or "none"
            near = get_close_matches(which, grids(results_dir), n=1)
            hint = f"; did you mean {near[0]}?" if near else ";"
            raise ConfigError(f"grid {which!r} was never launched into {results_dir}{hint} known grids: {known}")
        if which not in names and len(names) > 1:
            raise ConfigError(f"grid {which!r} was launched in several ways: name one of {', '.join(names)}")
        name = which if which in names else names[0]
        path = _path(results_dir, name)
        with undamaged(path, cure="the next launch of the grid writes it anew; its runs and rows are not touched"):
            value = read_json(path)
            run_ids: Sequence[str] = value["run_ids"]
            nothing = [None] * len(run_ids)
            columns = (value.get(key, nothing) for key in ("choices", "devices", "device_hours"))
            found: Membership = adapter(Membership).validate_python(
                {
                    "name": name,
                    "grid": value.get("grid", name),
                    "axes": {key: tuple(map(str, labels)) for key, labels in value["axes"].items()},
                    "members": [
                        dict(zip(_COLUMNS, member, strict=True)) for member in zip(run_ids, *columns, strict=True)
                    ],
                    "questions": value.get("questions", ()),
                    "settings": value.get("settings"),
                }
            )
            found.require_sound()
            return found

    def require_sound(self) -> None:
        """Require of what was read that each run is a folder of its own, with a label on each axis.

        Raises:
            ValueError: it is not so.
        """
        for member in self.members:
            if member.run_id in ("", ".", "..") or "/" in member.run_id or "\0" in member.run_id:
                raise ValueError(f"{member.run_id!r} is no name of a run")
            if member.choice and len(member.choice) != len(self.axes):
                raise ValueError(f"{member.run_id} has {len(member.choice)} labels on {len(self.axes)} axes")

    def widened(self, more: "Membership") -> "Membership":
        """With the axes and runs of another launch of the same; what that knows of a run replaces what was known."""
        keys = list(dict.fromkeys((*self.axes, *more.axes)))
        axes = {key: tuple(dict.fromkeys((*self.axes.get(key, ()), *more.axes.get(key, ())))) for key in keys}
        members = {member.run_id: _on(keys, self.axes, member) for member in self.members}
        members |= {member.run_id: _on(keys, more.axes, member) for member in more.members}
        in_order = sorted(members.values(), key=lambda member: _place(axes, member))
        return replace(more, name=self.name, axes=axes, members=tuple(in_order))

    def joined(self, more: "Membership") -> "Membership | None":
        """With the runs of a record of the same from another folder; None: that one asked for something else.

        What is known here of a run, and what its report answers, stays.
        """
        if self.settings is None or more.settings is None:  # an earlier version did not say what was asked
            alike = set(self.axes) == set(more.axes) or self.holds(member.run_id for member in more.members[:1])
        else:
            alike = set(self.settings) == set(more.settings)
        if self.grid != more.grid or not alike:
            return None
        here = {member.run_id for member in self.members}
        new = replace(more, members=tuple(member for member in more.members if member.run_id not in here))
        found = self.widened(new)
        return replace(
            found, settings=self.settings, questions=tuple(dict.fromkeys((*self.questions, *more.questions)))
        )

    def of_its_settings(self) -> "Membership":
        """Under the name of a launch that asks for something else than the record of its grid's name."""
        return replace(self, name=f"{self.name.partition('+')[0]}+{digest_of(list(self.settings or ()))[:6]}")

    def holds(self, run_ids: Iterable[str]) -> bool:
        """Whether all of these runs are members."""
        return {member.run_id for member in self.members}.issuperset(run_ids)


def grids(results_dir: Path) -> list[str]:
    """The names of the records in a results folder."""
    return sorted(path.stem for path in (results_dir / "grids").glob("*.json"))


def matching(results_dir: Path, which: str | None) -> list[str]:
    """The records that a name may mean: the one of that name first, then the others of that grid."""
    names = [name for name in grids(results_dir) if which in (name, name.partition("+")[0])]
    return sorted(names, key=lambda name: name != which)


def tell_others(results_dir: Path, name: str) -> None:
    """Say on stderr which of several launches of a grid is shown, and how the others are named."""
    others = [item for item in matching(results_dir, name.partition("+")[0]) if item != name]
    if others:
        print(f"this is {name}; its grid was also launched as {', '.join(others)}", file=sys.stderr)


def readable(results_dir: Path, names: Iterable[str]) -> list[Membership]:
    """The records of these names without those that are damaged: a launch writes them anew."""
    found = []
    for name in names:
        with suppress(DamagedError):
            found.append(Membership.read(results_dir, name))
    return found


def places(results_dir: Path) -> dict[RunId, dict[str, dict[str, str]]]:
    """The label of each run on the axes of each grid that it is in, by the grid's name."""
    found: dict[RunId, dict[str, dict[str, str]]] = {}
    for grid in readable(results_dir, grids(results_dir)):
        for member in grid.members:
            found.setdefault(member.run_id, {})[grid.name] = dict(zip(grid.axes, member.choice or (), strict=False))
    return found


def record_name(results_dir: Path, launch: Launch, run_ids: Sequence[str]) -> str:
    """The record that a launch belongs to: one that has all its runs already, else the one of its name.

    Where another thing that was asked for has that name, it gets one of its own.
    """
    known = readable(results_dir, matching(results_dir, launch.name.partition("+")[0]))
    for record in known:
        if record.grid == launch.grid and record.holds(run_ids):
            return record.name
    same = next((record for record in known if record.name == launch.name), None)
    if same is None or _asks_the_same(same, launch, run_ids):
        return launch.name
    return f"{launch.name}+{digest_of(list(launch.settings))[:6]}"


def _asks_the_same(record: Membership, launch: Launch, run_ids: Sequence[str]) -> bool:
    if launch.is_named:
        return True
    if record.settings is not None:
        return record.grid == launch.grid and set(record.settings) == set(launch.settings)
    return any(record.holds((run_id,)) for run_id in run_ids)  # an earlier version did not say what was asked


def _path(results_dir: Path, name: str) -> Path:
    return results_dir / "grids" / f"{name}.json"


def _on(keys: Sequence[str], axes: Mapping[str, Sequence[str]], member: Member) -> Member:
    """The member with a label on each of the keys."""
    if member.choice is None:
        return member
    labels = dict(zip(axes, member.choice, strict=True))
    return replace(member, choice=tuple(labels.get(key, "") for key in keys))


def _place(axes: Mapping[str, Sequence[str]], member: Member) -> tuple[int, ...]:
    pairs = zip(axes.values(), member.choice or (), strict=False)
    return tuple(labels.index(label) if label in labels else -1 for labels, label in pairs)
