"""Symbolic equality of two answers by math-verify, in a process that is killed when it takes too much CPU time."""

import contextlib
import re
import threading
from functools import lru_cache

from rewards.problem.verdict import Outcome
from rewards.sandbox.cores import one_core
from rewards.sandbox.frames import WorkerDied, WorkerTimeout
from rewards.sandbox.worker import Worker, WorkerPool, pool_size

LIMIT_S = 4.0  # of CPU, for one comparison

# Each process holds sympy (about 100 MB), so fewer than the sandbox's.
_pool = WorkerPool(min(2, pool_size()), lambda: Worker("rewards.math.algebra.worker"))


class MathVerifyMissing(ImportError):
    """math-verify cannot be imported by this interpreter."""


class NotJudged(Exception):
    """Computer algebra gave no answer about a pair."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


_HEAVY = re.compile(r"\\(?:int|prod|lim|sum|iint|oint)(?![a-z])|!{2,}|\)!.*!")
_BIG_POWER = re.compile(r"\^\s*\{?\s*\(?[+-]?\d{5,}|\*\*\s*\d{5,}|\d{401,}")
_TOWER = re.compile(r"\^\s*\{?[^{}^]*\^\s*\{?[^{}^]*\^|\^\s*\{\s*\d+\s*\^")
_MAX_LENGTH = 1000
_BRACKET = re.compile(r"[(\[{]|\\l(?:floor|ceil)")
_ANY_BRACKET = re.compile(r"[()\[\]{}]|\\[lr](?:floor|ceil)")
_MAX_BRACKETS = 60
_MAX_DEPTH = 12


@lru_cache(maxsize=1)
def prepare() -> None:
    """Starts a comparison process in the background, once: importing sympy takes longer than most comparisons."""
    _start_spare()


def _start_spare() -> None:
    threading.Thread(target=_borrow_once, name="rewards-math-start", daemon=True).start()


def _borrow_once() -> None:
    with contextlib.suppress(WorkerDied, WorkerTimeout), _pool.borrow():
        pass


def is_too_heavy(pred: str, gold: str) -> bool:
    """Whether symbolic comparison should not even be tried: towers of powers, huge numbers, sums and integrals.

    A tower is two powers stacked; sympy would try to write 9^{9^{9}} out, in C code that no signal can stop.
    """
    if len(pred) > _MAX_LENGTH or len(_BRACKET.findall(pred)) > _MAX_BRACKETS or _depth(pred) > _MAX_DEPTH:
        return True
    if _HEAVY.search(pred) and not _HEAVY.search(gold):
        return True
    return _BIG_POWER.search(pred) is not None or _TOWER.search(pred) is not None


def _depth(text: str) -> int:
    deepest = depth = 0
    for match in _ANY_BRACKET.finditer(text):
        depth += 1 if match.group() in ("(", "[", "{", "\\lfloor", "\\lceil") else -1
        deepest = max(deepest, depth)
    return deepest


def judge(pred: str, gold: str) -> bool:
    """Whether `pred` equals `gold`, two TeX expressions; a text that math-verify cannot parse equals nothing.

    Raises:
        NotJudged: TIMEOUT after `LIMIT_S` seconds of CPU, however busy the machine is; ERROR if the process dies twice
            on the same pair.
        MathVerifyMissing: math-verify is not installed.
    """
    return _is_equal({"pred": pred, "gold": gold})


def judge_response(response: str, gold: str) -> bool:
    """Whether math-verify alone takes a whole response for right, by its own search for the answer; errors as `judge`.

    None of our rules has a part in it: it is a second scorer.
    """
    return _is_equal({"response": response, "gold": gold})


def _is_equal(request: dict[str, str]) -> bool:
    try:
        answer = _pool.use(lambda worker: _asked(worker, request))
    except WorkerTimeout:
        _start_spare()  # so that the next comparison does not wait for the import
        raise NotJudged(Outcome.TIMEOUT) from None
    except WorkerDied:
        raise NotJudged(Outcome.ERROR) from None
    return answer.get("equal") is True


def _asked(worker: Worker, request: dict[str, str]) -> dict[str, object]:
    if "error" in worker.hello:
        raise MathVerifyMissing(
            f"math answers need math-verify, which this Python cannot import ({worker.hello['error']}). "
            "Install it: pip install math-verify"
        )
    with one_core():
        answer: dict[str, object] = worker.ask_within(request, LIMIT_S)
    return answer
