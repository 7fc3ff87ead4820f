"""Scores ordering puzzles: the list of names in the last <answer>, in order."""

import re
from collections.abc import Sequence

from rewards.answers.answer_tag import last_answer
from rewards.answers.literal import BadLiteral, parse_literal
from rewards.answers.plain_text import unwrapped
from rewards.problem.bad_ground_truth import BadGroundTruth
from rewards.problem.extraction import after_thinking
from rewards.problem.verdict import Outcome, Verdict, verdict_of

_SEPARATOR = re.compile(r"[,;\n]|->|→")
_BRACKETED = re.compile(r"\[([^\[\]]*)\]")
_NUMBERING = re.compile(r"^(?:\d+[.):]\s+|[-*•]\s+|and\s+)")
_MAX_ANSWER = 1 << 14


def parse_order(ground_truth: str) -> tuple[str, ...]:
    """The gold names in order.

    Raises:
        BadGroundTruth: It is not a list of names.
    """
    try:
        names = parse_literal(ground_truth, 1 << 20)
    except BadLiteral as error:
        raise BadGroundTruth(f"ground_truth is not a list of names: {ground_truth[:80]!r}") from error
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
        raise BadGroundTruth(f"ground_truth is not a list of names: {ground_truth[:80]!r}")
    return tuple(str(name) for name in names)


def score_ordering(response: str, order: Sequence[str]) -> Verdict:
    """All names in the right order, compared as text.

    Read are `['a', 'b']`, `a, b`, `a -> b` and one name a line, numbered or not. Two lists that differ are no answer.
    """
    answer = last_answer(after_thinking(response))
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    if len(answer) > max(_MAX_ANSWER, 4 * sum(map(len, order))):
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    wanted = [_name(name) for name in order]
    lists = [_names(text) for text in _BRACKETED.findall(answer)] or [_names(answer), _names(_after_colon(answer))]
    if "[" in answer:
        return verdict_of(all(names == wanted for names in lists), answer)
    return verdict_of(wanted in lists, answer)


def _names(text: str) -> list[str]:
    return [name for name in map(_name, _SEPARATOR.split(text)) if name]


def _after_colon(answer: str) -> str:
    return answer.partition(":")[2]


def _name(text: str) -> str:
    """One name as compared: no list brackets, quotes or numbering, case and blanks folded."""
    folded = _NUMBERING.sub("", unwrapped(text).casefold().strip(" \t"))
    return " ".join(folded.strip("[]()\"'`. ").replace("-", " ").replace("_", " ").split())
