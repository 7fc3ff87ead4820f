r"""Scores mathematics: the last box against the gold answer, by reading first and by algebra only if need be."""

import re
from functools import lru_cache

from rewards.math.algebra.judge import NotJudged, is_too_heavy, judge, prepare
from rewards.math.equality.compare import same_answer
from rewards.math.equality.wording import same_wording
from rewards.math.reading.node import Node
from rewards.math.reading.parser import parse
from rewards.math.reading.text import MAX_ANSWER, compact, normalise
from rewards.math.reading.tokens import Unreadable
from rewards.problem.extraction import after_thinking, last_boxed, last_boxes
from rewards.problem.verdict import Outcome, Verdict, verdict_of

_GSM8K_FINAL = re.compile(r"####[ \t]*\**[ \t]*([-+]?)[ \t]*\\?\$?[ \t]*([-+]?[\d,]*\.?\d+)")
_GSM8K_TAIL = 1 << 16  # characters
_PROSE = re.compile(r"(?<![\\A-Za-z])(?<!begin\{)(?<!end\{)[A-Za-z]{4,}|\\text")
# Notation that is left to computer algebra. An answer that cannot be read and has none of it is not well formed.
_BEYOND_READING = re.compile(
    r"\\(?:i*int|oint|sum|prod|lim|gcd|lcm|max|min|det|begin|partial|operatorname|Re|Im|arg)(?![a-z])|\b(?:gcd|lcm|max|min)\b"
)
_CACHE_ENTRIES = 16_384


def score_math(response: str, ground_truth: str) -> Verdict:
    r"""Compares the last complete `\boxed{}` after any thinking part with the gold answer.

    Where the gold answer is an enumeration, boxes side by side (`\boxed{1}` and `\boxed{2}`) count as one. Values
    are compared exactly or to 60 digits; what is not read here goes to math-verify. At most
    `rewards.math.algebra.judge.LIMIT_S` seconds are spent there.
    """
    prepare()
    final = after_thinking(response)
    answer = last_boxed(final)
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    verdict = _compare(answer, ground_truth)
    if verdict.outcome is Outcome.WRONG and re.search(r",|;|\band\b|\bor\b|\\pm|\\boxed", ground_truth):
        boxes = last_boxes(final)
        if len(boxes) > 1:
            return _compare(", ".join(boxes), ground_truth)
    return verdict


def score_gsm8k(response: str, ground_truth: str) -> Verdict:
    """As `score_math`; without a box, GSM8K's own `#### 42` on its last occurrence counts."""
    gold = ground_truth.rpartition("####")[2]
    verdict = score_math(response, gold)
    if verdict.outcome is not Outcome.NO_ANSWER:
        return verdict
    finals = _GSM8K_FINAL.findall(after_thinking(response)[-_GSM8K_TAIL:])
    if not finals:
        return verdict
    return _compare("".join(finals[-1]), gold)


def score_integer(response: str, ground_truth: str) -> Verdict:
    r"""For tasks whose answer is an integer to be worked out: `\boxed{17+25}` is not 42.

    Copying the question's expression into the box must earn nothing, or that is what RL teaches.
    """
    answer = last_boxed(after_thinking(response))
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    plain = re.fullmatch(r"-?\d{1,400}", answer)
    return verdict_of(plain is not None and int(answer) == int(ground_truth), answer)


def _compare(answer: str, ground_truth: str) -> Verdict:
    if len(answer) > MAX_ANSWER or len(ground_truth) > MAX_ANSWER:
        return verdict_of(answer.strip() == ground_truth.strip(), answer)
    try:
        return verdict_of(_is_equal(answer, ground_truth), answer)
    except NotJudged as failure:
        return Verdict(outcome=failure.outcome, pred=answer)


@lru_cache(maxsize=_CACHE_ENTRIES)
def _is_equal(answer: str, ground_truth: str) -> bool:
    pred, gold = _normal(answer), _normal(ground_truth)
    if not pred or not gold:
        return bool(pred == gold and answer.strip() == ground_truth.strip())
    if compact(pred) == compact(gold):
        return True
    decided = same_wording(gold, pred)
    if decided is not None:
        return decided
    gold_tree, pred_tree = _tree(gold), _tree(pred)
    if gold_tree is not None and pred_tree is not None:
        decided = same_answer(gold_tree, pred_tree)
        if decided is not None:
            return decided
    for text, tree in ((pred, pred_tree), (gold, gold_tree)):
        if tree is None and _BEYOND_READING.search(text) is None:
            return False  # not well formed
    return _is_worth_judging(pred, gold) and judge(pred, gold)


_normal = lru_cache(maxsize=_CACHE_ENTRIES)(normalise)


@lru_cache(maxsize=_CACHE_ENTRIES)
def _tree(text: str) -> Node | None:
    try:
        return parse(text)
    except Unreadable:
        return None


def _is_worth_judging(pred: str, gold: str) -> bool:
    """Computer algebra is slow, takes words for products of letters, and picks numbers out of prose."""
    return not is_too_heavy(pred, gold) and not any(
        "\\ldots" in text or _PROSE.search(text) is not None for text in (pred, gold)
    )
