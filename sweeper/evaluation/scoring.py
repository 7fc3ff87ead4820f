"""Scores what an engine has answered, in a process beside the one that generates.

A thread would not do: scoring holds Python's lock, for which the generation of a small model asks at every token.
"""

import multiprocessing
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import rewards
from sweeper.evaluation.dealing import Deal
from sweeper.evaluation.kept_blocks import Kept, Measured, Shard
from sweeper.evaluation.problems import Problem
from sweeper.host.errors import RunFailedError
from sweeper.host.process import die_with_parent
from sweeper.rows.counts import ProblemCount
from sweeper.rows.sample import TRUNCATED

KEPT_SAMPLES = 2  # of each problem, and further ones so that there is one of each verdict: at most 7
KEPT_CHARACTERS = 8_000  # of each: 56,000 a problem at most
MOST_UNSCORED = 16_384  # samples that wait to be scored: 0.3 GB of text at 4,000 tokens each


class Answered(NamedTuple):
    """One problem with all of its samples."""

    problem: Problem
    texts: list[str]
    finished: list[bool]  # for each text, whether it came to its end within the limit
    tokens: list[int]  # of each text, how many it had


def scored(answered: Sequence[Answered], own: Sequence[str]) -> list[Measured]:
    """Score some problems' samples, all together; `own` is `rewards.compute_score`'s."""
    items = [
        rewards.ScoreItem(
            data_source=one.problem.row["data_source"],
            solution_str=text,
            ground_truth=one.problem.row["reward_model"]["ground_truth"],
            extra_info=one.problem.row["extra_info"],
        )
        for one in answered
        for text in one.texts
    ]
    verdicts = rewards.score_batch(items, own=own)
    measured, first = [], 0
    for one in answered:
        measured.append(_measured(one, verdicts[first : first + len(one.texts)]))
        first += len(one.texts)
    return measured


def _measured(one: Answered, scores: Sequence[dict[str, float | str]]) -> Measured:
    problem, verdicts, correct = one.problem, list[str](), None
    for text, is_finished, score in zip(one.texts, one.finished, scores, strict=True):
        # A response cut off at the limit that scores nothing is its own outcome, not a wrong answer.
        cut = not is_finished and float(score["acc"]) < 1
        if correct is None and is_finished and float(score["acc"]) == 1:
            correct = text
        verdicts.append(TRUNCATED if cut else str(score["outcome"]))
    outcomes = Counter(verdicts)
    count = ProblemCount(
        problem_id=problem.problem_id,
        data_source=problem.row["data_source"],
        domain=problem.row["extra_info"]["domain"],
        n=len(one.texts),
        c=outcomes["correct"],
        outcomes=dict(sorted(outcomes.items())),
        prompt_tokens=len(problem.prompt_ids),
        response_tokens=sum(one.tokens),
        difficulty=problem.row["extra_info"].get("difficulty"),
    )
    places = [
        place for place, verdict in enumerate(verdicts) if place < KEPT_SAMPLES or verdict not in verdicts[:place]
    ]
    kept = Kept(
        problem_id=problem.problem_id,
        completions=[_shortened(one.texts[place]) for place in places],
        correct=correct,
        verdicts=[
            {
                "place": place,
                "verdict": verdicts[place],
                "parsed": scores[place]["pred"],
                "score": scores[place]["score"],
                "judge_error": scores[place]["judge_error"],
                "finish": "stop" if one.finished[place] else "length",
                "tokens": one.tokens[place],
                "left_out": max(0, len(one.texts[place]) - KEPT_CHARACTERS),
            }
            for place in places
        ],
    )
    return Measured(count=count, kept=kept)


def _shortened(text: str) -> str:
    """A long text without its middle: what is asked begins it, the answer ends it."""
    half = KEPT_CHARACTERS // 2
    return text if len(text) <= KEPT_CHARACTERS else text[:half] + text[-half:]


class Scoring:
    """A process that scores, and keeps what it has scored, whatever becomes of the one that generates.

    It gets what has gathered since it last began, as one batch: answers of several problems are scored together.
    """

    def __init__(self, shard: Path, deal: Deal, own: Sequence[str]) -> None:
        """Starts the process. Called before anything that has threads: it is a fork of this one."""
        context = multiprocessing.get_context("fork")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._ours, shard, deal, list(own)), daemon=True)
        self._process.start()
        theirs.close()
        self._waiting: list[Answered] = []
        self._is_busy = False
        self.seconds = 0.0  # that the process spent on scoring so far

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ours.close()  # at which the process ends
        self._process.join()

    def add(self, answered: Sequence[Answered]) -> None:
        """Have these scored; waits only when too much is unscored.

        Raises:
            RunFailedError: the process has ended; it has printed why.
        """
        self._waiting += answered
        unscored = sum(len(one.texts) for one in self._waiting)
        if self._is_busy and (self._ours.poll() or unscored > MOST_UNSCORED):
            self._collect()
        if not self._is_busy:
            self._send()

    def finish(self) -> None:
        """Wait until all is scored and kept; errors as of `add`."""
        while self._is_busy or self._waiting:
            if self._is_busy:
                self._collect()
            else:
                self._send()

    def _send(self) -> None:
        try:
            self._ours.send(self._waiting)
        except BrokenPipeError:
            raise self._ended() from None
        self._waiting, self._is_busy = [], True

    def _collect(self) -> None:
        try:
            self.seconds += self._ours.recv()
        except (EOFError, ConnectionResetError):
            raise self._ended() from None
        self._is_busy = False

    def _ended(self) -> RunFailedError:
        self._process.join()
        return RunFailedError(f"the process that scores answers has ended ({self._process.exitcode})")


def _serve(connection: Connection, others: Connection, path: Path, deal: Deal, own: Sequence[str]) -> None:
    """Score batch after batch, until nobody has the other end of the connection."""
    others.close()
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the other process ends, and this one with it
    shard = Shard(path, deal.settings)
    while True:
        try:
            answered: list[Answered] = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        begun = time.monotonic()
        shard.add(scored(answered, own))
        done = deal.finish(len(answered))
        samples = len(answered[0].texts)
        print(f"evaluated {done}/{deal.total} problems x {samples} samples", file=sys.stderr, flush=True)
        with suppress(BrokenPipeError):
            connection.send(time.monotonic() - begun)
