"""One try at a run: what its job does now, how it ended, and what was printed.

attempts/001/{log.txt, metrics.jsonl, heartbeat.json, alive.json, exit.json, env.json}
"""

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rewards.bounded_file import last_bytes, open_regular, read_json, require_regular
from sweeper.host.amounts import duration
from sweeper.host.files import undamaged, write_atomic
from sweeper.spec.bounds import adapter, in_one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What a job is doing now."""

    phase: str
    step: int | None
    total_steps: int
    reward: float | None  # mean training reward of the last step
    val_pass1: float | None
    seconds_left: float | None  # of training, from the median step time
    time: float  # Unix seconds
    pid: int
    host: str
    without_signal: float | None = None  # share of the last step's groups, 0 to 1

    def __str__(self) -> str:
        """One line: phase and for how long, or step, reward, time left."""
        if self.phase != "train" or self.step is None:
            what = "starting verl, about a minute" if self.phase == "train" else self.phase
            return f"{what}, {duration(max(0.0, time.time() - self.time))}"
        parts = [f"step {self.step}/{self.total_steps}"]
        parts += [f"reward {self.reward:.3f}"] if self.reward is not None else []
        parts += [f"{self.without_signal:.0%} of groups without signal"] if self.without_signal is not None else []
        parts += [f"val accuracy {self.val_pass1:.3f}"] if self.val_pass1 is not None else []
        parts += [f"{duration(self.seconds_left)} left"] if self.seconds_left is not None else []
        return ", ".join(parts)


@dataclass(frozen=True)
class _Exit:
    status: str
    phase: str


@dataclass(frozen=True)
class _Env:
    time: float


@dataclass(frozen=True)
class _Alive:
    time: float


_SHAPES = {
    "heartbeat": Heartbeat,
    "alive": _Alive,
    "exit": _Exit,
    "env": _Env,
}  # what the files of an attempt hold at least
_LOG_CURE = "move it away: all else that is known of this attempt stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a run; the logs of earlier tries are kept."""

    path: Path

    @property
    def number(self) -> int:
        """1 for the first try."""
        return int(self.path.name)

    @property
    def log(self) -> Path:
        """Everything the job and its children printed."""
        return self.path / "log.txt"

    @property
    def metrics(self) -> Path:
        """Verl's file logger: one JSON object a line, `step` and `data`."""
        return self.path / "metrics.jsonl"

    def write(self, name: str, value: dict[str, Any]) -> None:
        """Write `name`.json atomically."""
        write_atomic(self.path / f"{name}.json", json.dumps(value, indent=1, sort_keys=True) + "\n")

    def read(self, name: str) -> dict[str, Any] | None:
        """What `write` wrote; None: nothing.

        Raises:
            DamagedError: it is not what was written.
        """
        path = self.path / f"{name}.json"
        if not path.exists():
            return None
        with undamaged(path, cure="remove it: all else that is known of this attempt stays"):
            value: dict[str, Any] = read_json(path)
            if (shape := _SHAPES.get(name)) is not None:
                _require(shape, value)
            return value

    def open_log(self) -> BinaryIO:
        """Its log, to read its bytes.

        Raises:
            DamagedError: it is no regular file.
        """
        with undamaged(self.log, cure=_LOG_CURE):
            return open_regular(self.log)

    def log_end(self) -> bytes:
        """The last MiB of its log; empty: there is none.

        Raises:
            DamagedError: it is no regular file.
        """
        with undamaged(self.log, cure=_LOG_CURE):
            return last_bytes(self.log) if self.log.exists() else b""

    def require_whole(self) -> None:
        """Require that each of its files, where it is there, holds what was written into it, and its log is a file.

        Raises:
            DamagedError: one does not.
        """
        for name in _SHAPES:
            self.read(name)
        with undamaged(self.log, cure=_LOG_CURE), suppress(FileNotFoundError):
            require_regular(self.log)

    def beat(self, heartbeat: Heartbeat) -> None:
        """Publish what the job is doing."""
        self.write("heartbeat", asdict(heartbeat))

    def heartbeat(self) -> Heartbeat | None:
        """The last published heartbeat."""
        value = self.read("heartbeat")
        if value is None:
            return None
        return Heartbeat(**{key: value[key] for key in Heartbeat.__dataclass_fields__ if key in value})

    def seconds(self) -> float:
        """Wall seconds from its start to its last sign of life, however it ended; 0: it left none."""
        env, alive, beat = self.read("env"), self.read("alive"), self.heartbeat()
        signs = [*([alive["time"]] if alive else []), *([beat.time] if beat else [])]
        return 0.0 if env is None or not signs else max(0.0, max(signs) - env["time"])


def _require(shape: Any, value: Any) -> None:
    """Require what a file of an attempt holds at least, each of its kind.

    Raises:
        KeyError: something is missing.
        TypeError: something is of another kind.
    """
    from pydantic import ValidationError

    try:
        adapter(shape).validate_python(value)
    except ValidationError as error:
        missing = [item["loc"][-1] for item in error.errors() if item["type"] == "missing"]
        if missing:
            raise KeyError(*missing) from None
        raise TypeError(in_one_line(error)) from None
