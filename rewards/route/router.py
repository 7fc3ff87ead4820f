"""Scores responses: one at a time, awaited, or in batches, all by the same function.

Thread-safe and deterministic, apart from outages, whose verdicts are not remembered, and limits of CPU time, whose
verdicts are: one process never says of the same answer that it was late and then that it was wrong.
"""

import asyncio
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from rewards.own.covering import covering
from rewards.problem.question import Question, question_of
from rewards.problem.verdict import Outcome, Verdict
from rewards.route.scorers import scorer_of

# Part of every run's identity, and never raised again: each scorer has a version of its own (`rewards.route.scorers`).
SUITE_VERSION = "2"

Score = dict[str, float | str]

_CACHE_ENTRIES = 16_384
# Scoring waits for helper processes and for the judge, not for this process; their pools bound the work itself.
_THREADS = 32


def check_source(data_source: str, own: Sequence[str] = ()) -> None:
    """Refuses, before any training, a data_source that neither we nor the user's `own` functions could score.

    Raises:
        UnknownDataSource: Nobody knows it; the message lists the known beginnings.
        UnsupportedDataSource: Its domain is known, but no scorer fits it.
    """
    scorer_of(data_source, tuple(own))


def check_gold(
    data_source: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    own: Sequence[str] = (),
) -> None:
    """Refuses, before any training, a gold answer that the source's scorer could not read.

    Raises:
        BadGroundTruth: It is not what the source promises.
        UnknownDataSource: See `check_source`.
    """
    scorer = scorer_of(data_source, tuple(own))
    scorer.read(question_of(ground_truth, extra_info, scorer.fields))


_remembered: OrderedDict[bytes, Verdict] = OrderedDict()
_lock = threading.Lock()


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    *,
    partial_credit: bool = False,
    own: Sequence[str] = (),
    limits: Sequence[str] = (),
    **kwargs: object,  # noqa: ARG001 - verl passes its reward model's address here when one is configured
) -> Score:
    """Scores one response, from any thread; the signature is that of verl's reward functions.

    Args:
        data_source: Decides the scorer; any spelling of `rewards.problem.domains` and `rewards.route.scorers`.
        solution_str: The response, decoded without special tokens.
        ground_truth: Text, or what parquet readers make of a list or a struct.
        extra_info: Of the row. Read are `prefix` (code), `question` (choice, stem), `reference`, `original_prompt` and
            `input` (cruxeval), here or in `rest`.
        partial_credit: Let `score` be the share of right cells for zebra puzzles, as Guru trains; off by default, so
            that reward and pass@k measure the same. Set by verl's reward.custom_reward_function.reward_kwargs.
        own: Functions of the user's own, which go before our scorers; see `rewards.own.covering`. Set likewise.
        limits: Of programs, each `SOURCE=SECONDS`; see `rewards.route.scorers.scorer_of`. Set likewise.
        **kwargs: Ignored.

    Returns:
        The same keys for every source: `score` (the reward), `acc` (1.0 if exactly correct, else 0.0), `outcome` (an
        `Outcome`), `pred` (the answer as read, cut at 200 characters), `judge_error` (1.0 if a judge's outage left the
        answer unscored, else 0.0), `late` (a `Late` where a limit of time or an outage decided, else empty).

    Raises:
        UnknownDataSource: See `check_source`.
        BadGroundTruth: The row's gold answer is not what its source promises.
        SandboxUnavailable: Code cannot be isolated on this machine.
        JudgeUnavailable: The STEM judge fails too often.
        OwnRewardError: A function of the user's own does not load, or fails for most answers.
    """
    scorer = scorer_of(data_source, tuple(own), tuple(limits))
    question = question_of(ground_truth, extra_info, scorer.fields)
    key = _key(f"{scorer.family}={scorer.cpu_s}", data_source, solution_str, question)
    with _lock:
        verdict = _remembered.get(key)
        if verdict is not None:
            _remembered.move_to_end(key)
    if verdict is None:
        verdict = scorer.verdict(solution_str, question)
        # A function of the user's own has a limit of wall time, which depends on the machine's load.
        is_late = verdict.outcome is Outcome.TIMEOUT and covering(data_source, tuple(own)) is not None
        if verdict.outcome is not Outcome.ERROR and not is_late:
            with _lock:
                _remembered[key] = verdict
                if len(_remembered) > _CACHE_ENTRIES:
                    _remembered.popitem(last=False)
    return verdict.as_dict(partial_credit=partial_credit)


def _key(family: str, data_source: str, response: str, question: Question) -> bytes:
    digest = hashlib.sha256()
    for part in (family, data_source, response, question.gold, *(text for pair in question.extra for text in pair)):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.digest()


async def compute_score_async(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    *,
    partial_credit: bool = False,
    own: Sequence[str] = (),
    limits: Sequence[str] = (),
    **kwargs: object,  # noqa: ARG001 - as for compute_score
) -> Score:
    """`compute_score` in a bounded pool of threads, so that an event loop (verl's reward loop) is never blocked."""
    call = partial(
        compute_score,
        data_source,
        solution_str,
        ground_truth,
        extra_info,
        partial_credit=partial_credit,
        own=own,
        limits=limits,
    )
    return await asyncio.get_running_loop().run_in_executor(_threads(), call)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreItem:
    """One response to be scored; the fields are `compute_score`'s parameters."""

    data_source: str
    solution_str: str
    ground_truth: object
    extra_info: Mapping[str, object] | None = None


def score_batch(
    items: Sequence[ScoreItem], *, partial_credit: bool = False, own: Sequence[str] = (), limits: Sequence[str] = ()
) -> list[Score]:
    """`compute_score` of every item, in order, many at once; equal items are scored once."""
    keys = [_key_of(item, own) for item in items]
    distinct = dict(zip(keys, items, strict=True))

    def score(item: ScoreItem) -> Score:
        given = item.data_source, item.solution_str, item.ground_truth, item.extra_info
        return compute_score(*given, partial_credit=partial_credit, own=own, limits=limits)

    with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="rewards") as executor:
        scored = dict(zip(distinct, executor.map(score, distinct.values()), strict=True))
    return [dict(scored[key]) for key in keys]


def _key_of(item: ScoreItem, own: Sequence[str]) -> bytes:
    scorer = scorer_of(item.data_source, tuple(own))
    question = question_of(item.ground_truth, item.extra_info, scorer.fields)
    return _key(scorer.family, item.data_source, item.solution_str, question)


_executor: ThreadPoolExecutor | None = None


def _threads() -> ThreadPoolExecutor:
    global _executor
    with _lock:
        if _executor is None:
            _executor = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="rewards")
        return _executor


def _after_fork() -> None:
    """A forked copy has none of its parent's threads, and perhaps a lock that one of them held."""
    global _executor, _lock
    _executor, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
