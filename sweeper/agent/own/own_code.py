"""Runs a user's tool or environment in processes of its own, which are killed when they take too long.

The code is the user's, so it is trusted with files and the network, as a reward function is; what it does wrong costs a
call or an episode, and is told in the log: the first time, the tenth, the hundredth.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from rewards.own.reward_file import BadRewardFile, RewardFile, file_and_name
from rewards.program import UserError
from rewards.sandbox.frames import WorkerDied, WorkerTimeout
from rewards.sandbox.worker import START_LIMIT_S, Worker, WorkerPool, pool_size
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent, ToolLimits

logger = logging.getLogger(__name__)


class OwnCodeError(UserError, RuntimeError):
    """A user's tool or environment cannot be loaded here."""


class OwnCode:
    """One function or class of a file, ready to answer from any thread."""

    def __init__(self, kind: str, path: Path, name: str, memory_mb: int) -> None:
        """Nothing is started yet.

        Args:
            kind: `inside.TOOL` or `inside.ENVIRONMENT`.
            path: Of the file.
            name: Of the function or class.
            memory_mb: That a process may allocate after loading.
        """
        self._shown = f"{path.name}:{name}"
        self._pool = WorkerPool(pool_size(), partial(_started, kind, path, name, memory_mb))
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._answers = self._failures = 0

    def hello(self) -> dict[str, Any]:
        """What the file's process greeted with.

        Raises:
            OwnCodeError: The file does not load.
        """
        with self._pool.borrow() as worker:
            return worker.hello

    def ask(self, request: Mapping[str, Any], limits: ToolLimits) -> dict[str, Any]:
        """The answer, with `cpu_s`; or `error`, in one line, where the code failed or ran past a limit.

        Raises:
            OwnCodeError: The file does not load.
        """
        spent: list[float] = []
        try:
            answer: dict[str, Any] = self._pool.use(lambda worker: _ask(worker, request, limits, spent))
        except WorkerTimeout:
            answer = {"error": f"TimeoutError: stopped after {limits.wall_s:g} s"}
        except WorkerDied as error:
            answer = {"error": f"its process died: {error}"}
        self._count(answer.get("error"))
        return {"cpu_s": sum(spent)} | answer

    def _count(self, failure: str | None) -> None:
        with self._lock:
            self._answers += 1
            self._failures += failure is not None
            told = f"failed for {self._failures} of {self._answers} calls, the last: {failure}"
            tell = failure is not None and self._failures == 10 ** (len(str(self._failures)) - 1)
        if tell:
            logger.warning("%s %s", self._shown, told)


def _ask(worker: Worker, request: Mapping[str, Any], limits: ToolLimits, spent: list[float]) -> Any:
    begun = _cpu_s(worker.pid)
    try:
        return worker.ask(request, limits.wall_s)
    except (WorkerTimeout, WorkerDied):
        spent.append(max(0.0, _cpu_s(worker.pid) - begun))  # while it is still there to be asked
        raise


def _cpu_s(process: int) -> float:
    try:
        used = psutil.Process(process).cpu_times()
    except psutil.Error:
        return 0.0
    return float(used.user + used.system + used.children_user + used.children_system)


def _started(kind: str, path: Path, name: str, memory_mb: int) -> Worker:
    worker = Worker(
        "sweeper.agent.own.inside",
        ("-P",),
        (kind, str(path.resolve()), name, str(memory_mb)),
        environment={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    error = worker.hello.get("error")
    if error is not None:
        worker.kill()
        raise OwnCodeError(f"{path}:{name} does not load: {error}")
    return worker


@lru_cache(64)
def own_code(kind: str, path: Path, name: str, memory_mb: int) -> OwnCode:
    """One per process, whoever asks: trajectories share its processes."""
    return OwnCode(kind, path, name, memory_mb)


def is_reference(name: str) -> bool:
    """Whether a name is `FILE.py:NAME`, of the user's own."""
    file, _, _ = name.rpartition(":")
    return file.endswith(".py")


def split_reference(reference: str) -> tuple[Path, str]:
    """File and name of `FILE.py:NAME`.

    Raises:
        ConfigError: It has another form.
    """
    found = file_and_name(reference)
    if found is None:
        raise ConfigError(f"{reference!r} is no FILE.py:NAME, as in my_tools.py:weather")
    return found


def examine(kind: str, path: Path, name: str) -> tuple[RewardFile, dict[str, Any]]:
    """The file, and its process's greeting, once a copy of what counts as the file was loaded and found to fit.

    Raises:
        ConfigError: No such file, function or class, code that does not load, an argument without a type.
    """
    try:
        file = RewardFile.read(path)
    except BadRewardFile as error:
        raise ConfigError(str(error)) from None
    return file, json.loads(_greeting(kind, file, name))


@lru_cache(64)
def _greeting(kind: str, file: RewardFile, name: str) -> str:
    with TemporaryDirectory(prefix="agent-") as folder:
        file.write(Path(folder))
        try:
            worker = _started(kind, Path(folder) / file.name, name, 1024)
        except OwnCodeError as error:
            said = str(error).partition(" does not load: ")[2].replace(f"{folder}/", "")
            raise ConfigError(f"{file.name}:{name} cannot be used: {said}") from None
        except WorkerDied as error:
            hung = isinstance(error.__cause__, WorkerTimeout)
            why = f"took more than {START_LIMIT_S:g} s to load" if hung else "ended the process that loads it"
            raise ConfigError(f"{file.name}:{name} cannot be used: its code {why}") from None
        worker.kill()
        return json.dumps(worker.hello)


def frozen_path(reference: str, agent: Agent, files: Path | None) -> Path:
    """Where a run's copy of `FILE.py:NAME` is.

    Raises:
        ConfigError: It is not there.
    """
    file, _ = split_reference(reference)
    digest = agent.versions.get(reference, "")
    path = None if files is None else files / digest / file.name
    if path is None or not digest or not path.is_file():
        raise ConfigError(f"{reference}: its copy for this run is not at {path}; launch the command again")
    return path
