"""Settings of a run's next attempts that differ from its frozen spec; never what is part of its identity.

    runs/<run_id>/adjustment.json      beside spec.json, which stays as it is

Keys are those of the configuration (`model.resources.offload`). Whoever writes them says why, attempt by attempt.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_json, shallow
from sweeper.host.errors import ConfigError
from sweeper.host.files import undamaged, write_atomic
from sweeper.host.secret import hidden_in
from sweeper.spec.bounds import adapter
from sweeper.spec.idle import setting
from sweeper.spec.run import RunSpec

FILE = "adjustment.json"
CURE = "remove it: the next attempt then runs as the spec says"
Changes = Mapping[str, Any]
CONFIGURATION = {"configuration": "as of this launch"}  # why a change applies that no failure asked for


@dataclass(frozen=True)
class _Entry:
    changes: dict[str, Any]


@dataclass(frozen=True)
class _Kept:
    changes: dict[str, Any]
    history: list[_Entry]


def applied(spec: RunSpec, changes: Changes) -> RunSpec:
    """The spec with some settings changed.

    Raises:
        ConfigError: a change would make it another run.
    """
    values = json.loads(spec.to_json())
    for key, value in changes.items():
        part, _, name = key.rpartition(".")
        setting(values, part)[name] = value
    changed = RunSpec.from_dict(values)
    if changed.run_id != spec.run_id:
        raise ConfigError(f"{', '.join(changes)}: changes the mathematics of {spec.run_id}: that is a new point")
    return changed


def read(folder: Path) -> Changes:
    """What applies to a run's next attempt; empty: nothing differs from its spec."""
    found: Changes = _kept(folder)["changes"]
    return found


def configured(folder: Path) -> Changes:
    """Of all that was ever adjusted, what the configuration said when the run was last launched."""
    said = [entry["changes"] for entry in _kept(folder)["history"] if CONFIGURATION.keys() <= entry.keys()]
    return {key: value for changes in said for key, value in changes.items()}


def last(folder: Path) -> Changes:
    """What a failure last made of the settings: `changes`, and after which `attempt`; empty: none did."""
    said = [entry for entry in _kept(folder)["history"] if "attempt" in entry]
    found: Changes = said[-1] if said else {}
    return found


def _kept(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    found: dict[str, Any] = {"changes": {}, "history": []}
    if path.exists():
        with undamaged(path, cure=CURE):
            found |= shallow(read_json(path))
            adapter(_Kept).validate_python(found)
    return found


def add(folder: Path, changes: Changes, *, why: Mapping[str, Any]) -> None:
    """Let changes apply from the next attempt on, and remember why."""
    known = _kept(folder)
    known["changes"] |= changes
    known["history"].append({**hidden_in(why), "changes": dict(changes)})
    write_atomic(folder / FILE, json.dumps(known, indent=1) + "\n")


def differing(frozen: RunSpec, now: RunSpec) -> Changes:
    """What the configuration says otherwise now than when the run was frozen, outside its identity."""
    before, values = json.loads(frozen.to_json()), json.loads(now.to_json())
    keys = [f"{part}.{name}" for part in ("model.resources", "cluster", "logging") for name in setting(values, part)]
    new = {key: setting(values, key) for key in (*keys, "training.save_freq")}
    return {key: value for key, value in new.items() if setting(before, key) != value}


def text(spec: RunSpec, changes: Changes) -> str:
    """Changes as people read them: `model.resources.offload=True (was False)`."""
    before = json.loads(spec.to_json())
    return ", ".join(f"{key}={value} (was {setting(before, key)})" for key, value in changes.items())
