"""Routes a data_source to its scorer; remembers recent answers; scores batches.

The one table of what is supported is `SCORERS`. Everything is thread-safe and deterministic, apart from time
limits, whose verdicts are not remembered.
"""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rewards.choice import score_choice
from rewards.domains import UnknownDataSource, domain_of, longest_prefix
from rewards.functional_tests import BadGroundTruth, parse_ground_truth
from rewards.math_answer import score_gsm8k, score_integer, score_math
from rewards.ordering import score_ordering
from rewards.program import SYNTHETIC_LIMITS, score_program
from rewards.sandbox import Limits
from rewards.verdict import Outcome, Verdict
from rewards.worker import pool_size

# Part of every run's identity: changes whenever any answer's score may change.
SUITE_VERSION = "1"

_CACHE_ENTRIES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a scorer may know of a problem. `gold` is text; `gold_list` its parts where the source's gold is a list."""

    gold: str
    prefix: str = ""

    def gold_list(self) -> list[str]:
        """The gold answer of sources whose gold is a list of names.

        Raises:
            BadGroundTruth: It is not a JSON list of strings.
        """
        try:
            parts = json.loads(self.gold)
        except ValueError as error:
            raise BadGroundTruth(f"ground_truth is not a JSON list: {self.gold[:80]!r}") from error
        if not isinstance(parts, list) or not parts or not all(isinstance(p, str) for p in parts):
            raise BadGroundTruth(f"ground_truth is not a list of names: {self.gold[:80]!r}")
        return [str(part) for part in parts]


class UnsupportedDataSource(UnknownDataSource):
    """The data_source is known, but nothing scores it yet."""


def _code(question: Question, response: str) -> Verdict:
    return score_program(response, question.gold, question.prefix, Limits())


def _synthetic_code(question: Question, response: str) -> Verdict:
    return score_program(response, question.gold, question.prefix, SYNTHETIC_LIMITS)


def _math(question: Question, response: str) -> Verdict:
    return score_math(response, question.gold)


def _integer(question: Question, response: str) -> Verdict:
    return score_integer(response, question.gold)


def _gsm8k(question: Question, response: str) -> Verdict:
    return score_gsm8k(response, question.gold)


def _choice(question: Question, response: str) -> Verdict:
    return score_choice(response, question.gold)


def _ordering(question: Question, response: str) -> Verdict:
    return score_ordering(response, question.gold_list())


# Longest prefix wins.
SCORERS: dict[str, Callable[[Question, str], Verdict]] = {
    "math__": _math,
    "math__synthetic": _integer,
    "openai/gsm8k": _gsm8k,
    "aime2024": _math,
    "aimeamc2023": _math,
    "codegen__humaneval": _code,
    "codegen__mbpp": _code,
    "codegen__synthetic": _synthetic_code,
    "logic__ordering_puzzle": _ordering,
    "stem__supergpqa": _choice,
    "stem__gpqa": _choice,
    "stem__synthetic": _choice,
}
_PREFIXES = frozenset(SCORERS)


def check_source(data_source: str) -> None:
    """Refuses, before any training, a data_source that could not be scored.

    Raises:
        UnknownDataSource: Nobody knows it; the message lists the known prefixes.
        UnsupportedDataSource: Its domain is known, its scorer is not written yet.
    """
    _scorer_of(data_source)


def check_gold(data_source: str, ground_truth: object) -> None:
    """Refuses, before any training, a gold answer that the source's scorer could not read.

    Raises:
        BadGroundTruth: It is not what the source promises.
        UnknownDataSource: See `check_source`.
    """
    scorer = _scorer_of(data_source)
    question = Question(gold=gold_text(ground_truth))
    if scorer is _ordering:
        question.gold_list()
    elif scorer in (_code, _synthetic_code):
        parse_ground_truth(question.gold)
    elif scorer is _choice and not re.fullmatch(r"\s*[A-Za-z]\s*", question.gold):
        raise BadGroundTruth(f"ground_truth {question.gold[:80]!r} is not one option letter")
    elif scorer is _integer and not re.fullmatch(r"-?\d+", question.gold):
        raise BadGroundTruth(f"ground_truth {question.gold[:80]!r} is not an integer")
    elif not question.gold.strip():
        raise BadGroundTruth("ground_truth is empty")


def _scorer_of(data_source: str) -> Callable[[Question, str], Verdict]:
    domain = domain_of(data_source)
    prefix = longest_prefix(data_source, _PREFIXES)
    if prefix is None:
        raise UnsupportedDataSource(
            f"data_source {data_source!r} (domain {domain}) is not supported yet: no scorer. "
            f"Supported prefixes: {', '.join(sorted(SCORERS))}. Leave its file out of the data folder."
        )
    return SCORERS[prefix]


def gold_text(ground_truth: object) -> str:
    """A ground truth in any form that parquet readers give (text, bytes, list, numpy array) as text.

    Text stays as it is; everything else becomes compact JSON, which the scorers of structured golds read.

    Raises:
        BadGroundTruth: Not representable.
    """
    if isinstance(ground_truth, str):
        return ground_truth
    if isinstance(ground_truth, bytes):
        return ground_truth.decode()
    try:
        return json.dumps(ground_truth, ensure_ascii=False, default=_from_numpy)
    except (TypeError, ValueError) as error:
        raise BadGroundTruth(f"ground_truth of type {type(ground_truth).__name__}: {error}") from error


def _from_numpy(value: object) -> object:
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


_cache: OrderedDict[tuple[str, str, str, str], dict[str, float | str]] = OrderedDict()
_cache_lock = threading.Lock()


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    **kwargs: object,  # noqa: ARG001 - verl passes its reward model's address here when one is configured
) -> dict[str, float | str]:
    """Scores one response, from any thread; the signature is that of verl's reward functions.

    Args:
        data_source: Guru's source name; decides the scorer.
        solution_str: The response, decoded without special tokens.
        ground_truth: Text, or what parquet readers make of a list.
        extra_info: Only `prefix` is read (code that precedes every solution).
        **kwargs: Ignored.

    Returns:
        `score` (the reward), `acc` (1.0 if exactly correct, else 0.0), `outcome` (an `Outcome`) and `pred` (the
        answer as read, cut at 200 characters); the same keys for every source.

    Raises:
        UnknownDataSource: See `check_source`.
        BadGroundTruth: The row's gold answer is not what its source promises.
        SandboxUnavailable: Code cannot be isolated on this machine.
    """
    scorer = _scorer_of(data_source)
    prefix = str((extra_info or {}).get("prefix") or "")
    question = Question(gold=gold_text(ground_truth), prefix=prefix)
    key = (data_source, solution_str, question.gold, prefix)
    with _cache_lock:
        known = _cache.get(key)
        if known is not None:
            _cache.move_to_end(key)
            return dict(known)
    verdict = scorer(question, solution_str)
    scored = verdict.as_dict()
    if verdict.outcome not in (Outcome.TIMEOUT, Outcome.ERROR):
        with _cache_lock:
            _cache[key] = scored
            if len(_cache) > _CACHE_ENTRIES:
                _cache.popitem(last=False)
    return dict(scored)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreItem:
    """One response to be scored; the fields are `compute_score`'s parameters."""

    data_source: str
    solution_str: str
    ground_truth: object
    extra_info: Mapping[str, object] | None = None


def _score_item(item: ScoreItem) -> dict[str, float | str]:
    return compute_score(item.data_source, item.solution_str, item.ground_truth, item.extra_info)


def score_batch(items: Sequence[ScoreItem]) -> list[dict[str, float | str]]:
    """`compute_score` of every item, in order, with as many at once as there are helper processes.

    Equal items are scored once.
    """
    first_of: dict[tuple[str, str, str, str], int] = {}
    representative: list[int] = []
    for index, item in enumerate(items):
        prefix = str((item.extra_info or {}).get("prefix") or "")
        key = (item.data_source, item.solution_str, gold_text(item.ground_truth), prefix)
        representative.append(first_of.setdefault(key, index))
    distinct = sorted(first_of.values())
    with ThreadPoolExecutor(max_workers=pool_size(), thread_name_prefix="rewards") as executor:
        scored = dict(zip(distinct, executor.map(_score_item, [items[i] for i in distinct]), strict=True))
    return [dict(scored[index]) for index in representative]
