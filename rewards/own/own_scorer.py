"""Scores with a user's reward function, in helper processes with the limits that programs of a model have.

The function is the user's code, so it is trusted with files and the network; what it does wrong costs its answer a
score, never the scoring process its life. Nothing of that is silent: a failure is an outcome of its own, the log tells
the first, the tenth, the hundredth, and a function that fails for most answers ends the run.
"""

import json
import logging
import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rewards.own.covering import source_and_reference
from rewards.own.reward_file import BadRewardFile, RewardFile, split_reference
from rewards.problem.question import Question
from rewards.problem.verdict import Outcome, Verdict
from rewards.program import UserError
from rewards.sandbox.execution import Limits
from rewards.sandbox.frames import WorkerDied, WorkerTimeout
from rewards.sandbox.worker import START_LIMIT_S, Worker, WorkerPool, pool_size

logger = logging.getLogger(__name__)

LIMITS = Limits()
_RECENT = 200  # answers of which most must have a score ...
_ENOUGH = 10  # ... once there are this many


class OwnRewardError(UserError, RuntimeError):
    """A user's reward function cannot be loaded here, or fails for most answers."""


class OwnScorer:
    """One function, ready to score from any thread."""

    def __init__(self, reference: str) -> None:
        """Nothing is started yet.

        Args:
            reference: `FILE.py:FUNCTION`.
        """
        self._reference = reference
        self.pool = WorkerPool(pool_size(), partial(_started, reference))
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._answers = self._failures = 0
        self._recent: deque[bool] = deque(maxlen=_RECENT)

    def verdict(self, data_source: str, response: str, question: Question) -> Verdict:
        """Scores a response; a failure of the function is a TIMEOUT or an ERROR that says its class.

        Raises:
            OwnRewardError: The function does not load, or has failed for most answers.
        """
        asked = {"data_source": data_source, "solution_str": response, "ground_truth": question.gold}
        answer = self._ask(asked | {"extra_info": json.loads(question.get(""))})
        outcome, failure = Outcome(str(answer.get("outcome", Outcome.ERROR))), answer.get("error")
        self._count(None if failure is None else str(failure))
        if failure is not None:
            return Verdict(outcome=outcome, pred=str(failure))
        score, accurate = float(str(answer["score"])), answer["acc"]
        is_right = score >= 1.0 if accurate is None else accurate == 1.0
        right = Outcome.CORRECT if is_right else Outcome.WRONG
        return Verdict(outcome=right, pred=str(answer["pred"]), reward=score)

    def right_answer(self, data_source: str, gold: str, question: Question) -> str | None:
        """What the file's `right_answer` writes for a gold; None: it has no such function.

        Raises:
            OwnRewardError: The function does not load, or this one fails.
        """
        with self.pool.borrow() as worker:
            if not worker.hello["renders"]:
                return None
        asked = {"data_source": data_source, "ground_truth": gold, "extra_info": json.loads(question.get(""))}
        answer = self._ask(asked)
        if "error" in answer:
            raise OwnRewardError(f"right_answer of {self._reference} failed: {answer['error']}")
        return str(answer["text"])

    def _ask(self, request: Mapping[str, object]) -> dict[str, object]:
        try:
            answer: dict[str, object] = self.pool.use(lambda worker: worker.ask(request, LIMITS.wall_s))
        except WorkerTimeout:
            words = f"no result within {LIMITS.wall_s:g} s"
            return {"outcome": Outcome.TIMEOUT, "error": f"TimeoutError: {words}"}
        except WorkerDied as error:
            return {"error": f"its process died: {error}"}
        return answer

    def _count(self, failure: str | None) -> None:
        with self._lock:
            self._answers += 1
            self._failures += failure is not None
            self._recent.append(failure is not None)
            failed, recent = sum(self._recent), len(self._recent)
            told = f"{self._failures} of {self._answers} answers, scored 0 and counted as errors; the last: {failure}"
            tell = failure is not None and self._failures == 10 ** (len(str(self._failures)) - 1)
        if tell:
            logger.warning("%s failed for %s", self._reference, told)
        if recent >= _ENOUGH and failed > recent / 2:
            raise OwnRewardError(
                f"{self._reference} failed for {failed} of the last {recent} answers; the last: {failure}. Correct it "
                "and launch again."
            )


def _started(reference: str) -> Worker:
    path, function = split_reference(reference)
    worker = Worker(
        "rewards.own.inside",
        ("-P",),
        (str(path.resolve()), function, str(LIMITS.memory_mb)),
        environment={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    error = worker.hello.get("error")
    if error is not None:
        worker.kill()
        raise OwnRewardError(f"{reference} does not load: {error}")
    return worker


@lru_cache(64)
def own_scorer(reference: str) -> OwnScorer:
    """The scorer of `FILE.py:FUNCTION`, one per process."""
    return OwnScorer(reference)


def examine(reference: str) -> RewardFile:
    """The file of `FILE.py:FUNCTION`, once a copy of what counts as it has been loaded and the function found to fit.

    Raises:
        BadRewardFile: No such file or function, code that does not load, parameters that do not fit; in one line.
    """
    path, function = split_reference(reference)
    file = RewardFile.read(path)
    reason = _why_not(file, function)
    if reason is not None:
        raise BadRewardFile(f"{reference} cannot be used: {reason}")
    return file


def examined_references(own: Sequence[str]) -> tuple[str, ...]:
    """The functions that a command names, `[SOURCE=]FILE.py:FUNCTION`, once all have been found to fit.

    Raises:
        BadRewardFile: As for `examine`.
    """
    for one in own:
        examine(source_and_reference(one)[1])
    return tuple(own)


@lru_cache(64)
def _why_not(file: RewardFile, function: str) -> str | None:
    with TemporaryDirectory(prefix="reward-") as folder:
        file.write(Path(folder))
        try:
            _started(f"{folder}/{file.name}:{function}").kill()
        except OwnRewardError as error:
            said = str(error).partition(" does not load: ")[2]
            copied = "; a run loads a copy of it and of the modules that it imports, so name other files by whole paths"
            return said.replace(f"{folder}/", "") + (copied if folder in said else "")
        except WorkerDied as error:
            if isinstance(error.__cause__, WorkerTimeout):
                return f"its code did not come to its end within {START_LIMIT_S:g} s of loading"
            return "its code ended the process that loads it"
    return None
