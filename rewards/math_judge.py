"""Symbolic equality of two answers by math-verify, in a process that is killed when it is late."""

import json
from enum import StrEnum

from rewards.frames import WorkerDied, WorkerTimeout
from rewards.worker import Worker, WorkerPool, pool_size

LIMIT_S = 2.0

# Each process holds sympy (about 100 MB), so fewer than the sandbox's.
_pool = WorkerPool("rewards.math_worker", min(2, pool_size()))


class MathVerifyMissing(ImportError):
    """math-verify cannot be imported by this interpreter."""


class Judgement(StrEnum):
    """The symbolic comparison's answer."""

    EQUAL = "equal"
    DIFFERENT = "different"
    TIMEOUT = "timeout"
    ERROR = "error"


def judge(pred: str, gold: str) -> Judgement:
    """Whether `pred` equals `gold`, two TeX expressions, within `LIMIT_S` seconds of wall time.

    A text that math-verify cannot parse is DIFFERENT. ERROR is a process that dies twice on the same pair.

    Raises:
        MathVerifyMissing: math-verify is not installed.
    """
    try:
        answer = json.loads(_pool.ask(json.dumps({"pred": pred, "gold": gold}).encode(), LIMIT_S, check=_installed))
    except WorkerTimeout:
        return Judgement.TIMEOUT
    except WorkerDied:
        return Judgement.ERROR
    return Judgement.EQUAL if answer.get("equal") is True else Judgement.DIFFERENT


def _installed(worker: Worker) -> None:
    if "error" in worker.hello:
        raise MathVerifyMissing(
            f"math answers need math-verify, which this Python cannot import ({worker.hello['error']}). "
            "Install it: pip install math-verify"
        )
