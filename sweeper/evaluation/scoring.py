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
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import rewards
from rewards import Outcome
from rewards.route import trajectory
from sweeper.agent.record import FIELD, Record, trajectories
from sweeper.evaluation.dealing import Deal
from sweeper.evaluation.kept_blocks import Kept, Measured, Shard
from sweeper.evaluation.problems import Problem
from sweeper.evaluation.transcript import Transcript, shortened
from sweeper.host.errors import RunFailedError
from sweeper.host.process import die_with_parent
from sweeper.rows.counts import ProblemCount
from sweeper.rows.sample import TRUNCATED
from sweeper.rows.trajectories import Ended, Trajectories

KEPT_SAMPLES = 2  # of each problem, and further ones so that there is one of each verdict: at most 7, of an agent 10
KEPT_CHARACTERS = 8_000  # of each: 56,000 a problem at most; of an agent 160,000, for its turns are kept apart, too
_RIGHT = str(Outcome.CORRECT)
MOST_UNSCORED = 16_384  # samples that wait to be scored: 0.3 GB of text at 4,000 tokens each


class Acted(NamedTuple):
    """What an agent did on the way to its answers."""

    records: list[Record]  # of each trajectory
    transcripts: list[Transcript]  # of each trajectory
    max_turns: int  # how many turns right answers are counted by; 0: that cannot be told from these trajectories


class Answered(NamedTuple):
    """One problem with all of its samples."""

    problem: Problem
    texts: list[str]  # that are scored: of an agent the answers alone
    finished: list[bool]  # for each text, whether it came to its end within the limit
    tokens: list[int]  # of each text, how many it had; of an agent's trajectory all behind the prompt
    acted: Acted | None = None  # an agent's

    def shown(self, place: int) -> str:
        """What was written for one text, for people to read."""
        return self.texts[place] if self.acted is None else self.acted.transcripts[place].text

    def extra_info(self, place: int) -> dict[str, Any]:
        """What the scorer of one text is told beside it, as in training."""
        told: dict[str, Any] = self.problem.row["extra_info"]
        return told if self.acted is None else told | {FIELD: self.acted.records[place].plain()}


def scored(answered: Sequence[Answered], own: Sequence[str], limits: Sequence[str] = ()) -> list[Measured]:
    """Score some problems' samples, all together; `own` and `limits` are `rewards.compute_score`'s."""
    items = [
        rewards.ScoreItem(
            data_source=one.problem.row["data_source"],
            solution_str=one.texts[place],
            ground_truth=one.problem.row["reward_model"]["ground_truth"],
            extra_info=one.extra_info(place),
        )
        for one in answered
        for place in range(len(one.texts))
    ]
    score = rewards.score_batch if answered[0].acted is None else trajectory.score_batch
    scores = iter(score(items, own=own, limits=limits))
    return [_measured(one, list(islice(scores, len(one.texts)))) for one in answered]


def _measured(one: Answered, scores: Sequence[dict[str, float | str]]) -> Measured:
    problem, verdicts = one.problem, [_verdict(one, place, score) for place, score in enumerate(scores)]
    whole = [
        text
        for text, finished, said in zip(one.texts, one.finished, verdicts, strict=True)
        if finished and said == _RIGHT
    ]
    outcomes = Counter(verdicts)
    count = ProblemCount(
        problem_id=problem.problem_id,
        data_source=problem.row["data_source"],
        domain=problem.row["extra_info"]["domain"],
        n=len(one.texts),
        c=outcomes[_RIGHT],
        outcomes=dict(sorted(outcomes.items())),
        prompt_tokens=len(problem.prompt_ids),
        response_tokens=sum(one.tokens),
        difficulty=problem.row["extra_info"].get("difficulty"),
        trajectories=None if one.acted is None else _trajectories(one.acted, verdicts),
    )
    places = [
        place for place, verdict in enumerate(verdicts) if place < KEPT_SAMPLES or verdict not in verdicts[:place]
    ]
    kept = Kept(
        problem_id=problem.problem_id,
        completions=[shortened(one.shown(place), KEPT_CHARACTERS) for place in places],
        correct=whole[0] if whole and one.acted is None else None,
        verdicts=[
            {
                "place": place,
                "verdict": verdicts[place],
                "parsed": scores[place]["pred"],
                "score": scores[place]["score"],
                "judge_error": scores[place]["judge_error"],
                "finish": "stop" if one.finished[place] else "length",
                "tokens": one.tokens[place],
                "left_out": max(0, len(one.shown(place)) - KEPT_CHARACTERS),
            }
            | ({} if one.acted is None else one.acted.transcripts[place].kept(KEPT_CHARACTERS))
            for place in places
        ],
    )
    return Measured(count=count, kept=kept)


def _verdict(one: Answered, place: int, score: dict[str, float | str]) -> str:
    if one.acted is not None and one.acted.records[place].ended is not Ended.answered:
        return str(one.acted.records[place].ended)  # wrong, whatever its scorer makes of no text
    # A response cut off at the limit that scores nothing is its own outcome, not a wrong answer.
    cut = not one.finished[place] and float(score["acc"]) < 1
    return TRUNCATED if cut else str(score["outcome"])


def _trajectories(acted: Acted, verdicts: Sequence[str]) -> Trajectories | None:
    correct = [verdict == _RIGHT for verdict in verdicts] if acted.max_turns else None
    return trajectories(acted.records, correct, max_turns=acted.max_turns)


class Scoring:
    """A process that scores, and keeps what it has scored, whatever becomes of the one that generates.

    It gets what has gathered since it last began, as one batch: answers of several problems are scored together.
    """

    def __init__(self, shard: Path, deal: Deal, own: Sequence[str], limits: Sequence[str] = ()) -> None:
        """Starts the process. Called before anything that has threads: it is a fork of this one."""
        context = multiprocessing.get_context("fork")
        self._ours, theirs = context.Pipe()
        given = (theirs, self._ours, shard, deal, list(own), list(limits))
        self._process = context.Process(target=_serve, args=given, daemon=True)
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


def _serve(
    connection: Connection, others: Connection, path: Path, deal: Deal, own: Sequence[str], limits: Sequence[str]
) -> None:
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
        shard.add(scored(answered, own, limits))
        done = deal.finish(len(answered))
        samples = len(answered[0].texts)
        print(f"evaluated {done}/{deal.total} problems x {samples} samples", file=sys.stderr, flush=True)
        with suppress(BrokenPipeError):
            connection.send(time.monotonic() - begun)
