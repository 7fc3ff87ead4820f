r"""Scores mathematics: the last box against the gold answer, by reading first and by algebra only if need be."""

import re
from functools import lru_cache

from rewards.extraction import after_thinking, last_boxed
from rewards.math_judge import Judgement, judge
from rewards.math_text import MAX_ANSWER, as_number, compare_exactly, is_too_heavy, normalise
from rewards.verdict import Outcome, Verdict, verdict_of

_GSM8K_FINAL = re.compile(r"####[ \t]*\$?[ \t]*([-+]?[\d,]*\.?\d+)")
_gold_form = lru_cache(maxsize=8192)(normalise)


def score_math(response: str, ground_truth: str) -> Verdict:
    r"""Compares the last complete `\boxed{}` after any thinking part with the gold answer.

    Numbers are compared exactly. Everything else that notation does not settle goes to math-verify.
    """
    answer = last_boxed(after_thinking(response))
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    return _compare(answer, ground_truth)


def score_gsm8k(response: str, ground_truth: str) -> Verdict:
    """As `score_math`; without a box, GSM8K's own `#### 42` on its last occurrence counts."""
    verdict = score_math(response, ground_truth)
    if verdict.outcome is not Outcome.NO_ANSWER:
        return verdict
    finals = _GSM8K_FINAL.findall(after_thinking(response)[-MAX_ANSWER:])
    if not finals:
        return verdict
    return _compare(finals[-1], ground_truth.rpartition("####")[2])


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
    if len(answer) > MAX_ANSWER:
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    pred, gold = normalise(answer), _gold_form(ground_truth)
    read = compare_exactly(pred, gold)
    if read is not None:
        return verdict_of(read, answer)
    if is_too_heavy(pred, gold):
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    if as_number(gold) is not None and not re.search(r"[0-9]|\\", pred):
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    judgement = judge(pred, gold)
    if judgement is Judgement.TIMEOUT:
        return Verdict(outcome=Outcome.TIMEOUT, pred=answer)
    if judgement is Judgement.ERROR:
        return Verdict(outcome=Outcome.ERROR, pred=answer)
    return verdict_of(judgement is Judgement.EQUAL, answer)
