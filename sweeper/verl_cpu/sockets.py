"""Weights go from verl to vLLM through sockets of the run's own.

verl binds them below /tmp and names them by Ray's job id. Every run here starts a Ray of its own, whose first job is
always 01000000: two runs on one node would bind the same path, the second in the place of the first, and one run's
engine would be sent the other's weights. The folder that a run's Ray has for itself (`RAY_TMPDIR`) is known to sender
and receiver alike, is no other run's, and goes with the run.
"""

import functools
import os
from types import ModuleType
from typing import Any

from sweeper.host.imports import after_import

_PLACE = "ipc:///tmp/"


def keep_apart() -> None:
    """Change where both ends of verl's rollout meet, when their modules are imported."""
    after_import("verl.workers.rollout.vllm_rollout.vllm_rollout", _sender)
    after_import("verl.workers.rollout.vllm_rollout.utils", _receiver)


def of_this_run(handle: str) -> str:
    """A socket's address in the run's folder; as it was where no run of ours set one.

    Raises:
        RuntimeError: verl makes it elsewhere than where it was looked for.
    """
    folder = os.environ.get("RAY_TMPDIR")
    if folder is None:
        return handle
    if not handle.startswith(_PLACE):
        raise RuntimeError(f"verl's socket {handle} is not below {_PLACE}: look at sweeper/verl_cpu/sockets.py")
    return f"ipc://{folder}/{handle.removeprefix(_PLACE)}"


def _sender(module: ModuleType) -> None:
    made = module.ServerAdapter.__init__

    @functools.wraps(made)
    def make(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        self.zmq_handle = of_this_run(self.zmq_handle)

    module.ServerAdapter.__init__ = make


def _receiver(module: ModuleType) -> None:
    named = module.vLLMColocateWorkerExtension._get_zmq_handle

    @functools.wraps(named)
    def name(self: Any) -> str:
        return of_this_run(named(self))

    module.vLLMColocateWorkerExtension._get_zmq_handle = name
