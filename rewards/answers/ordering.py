"""Scores ordering puzzles: the list of names in the last <answer>, in order."""

import re
from collections.abc import Sequence

from rewards.answers.literal import gold_literal
from rewards.answers.plain_text import unwrapped
from rewards.problem.extraction import after_thinking, last_answer
from rewards.problem.question import BadGroundTruth
from rewards.problem.verdict import Verdict, judged

_SEPARATOR = re.compile(r"[,;\n]|->|→|[<>]")
_BRACKETED = re.compile(r"\[([^\[\]]*)\]")
_NUMBERING = re.compile(r"^(?:\d+[.):]\s+|[-*•]\s+|and\s+)")
_MAX_ANSWER = 1 << 14


def parse_order(ground_truth: str) -> tuple[str, ...]:
    """The gold names in order.

    Raises:
        BadGroundTruth: It is not a list of names.
    """
    names = gold_literal(ground_truth, "list of names")
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
        raise BadGroundTruth(f"ground_truth is not a list of names: {ground_truth[:80]!r}")
    return tuple(str(name) for name in names)


def score_ordering(response: str, order: Sequence[str]) -> Verdict:
    """All names in the right order, compared as text.

    Read are `['a', 'b']`, `a, b`, `a -> b`, `a > b` and `a < b` in the order written, and one name a line, numbered or
    not. Two lists that differ are no answer.
    """
    most = max(_MAX_ANSWER, 4 * sum(map(len, order)))
    return judged(last_answer(after_thinking(response)), lambda answer: _says(answer, order), most)


def _says(answer: str, order: Sequence[str]) -> bool:
    wanted = [_name(name) for name in order]
    if ">" in answer and "<" in answer:
        return False  # half of the order is the other way round
    lists = [_names(text) for text in _BRACKETED.findall(answer)]
    lists = lists or [_names(answer), _names(answer.partition(":")[2])]
    if "[" in answer:
        return all(names == wanted for names in lists)
    return wanted in lists


def _names(text: str) -> list[str]:
    return [name for name in map(_name, _SEPARATOR.split(text)) if name]


def _name(text: str) -> str:
    """One name as compared: no list brackets, quotes or numbering, case and blanks folded."""
    folded = _NUMBERING.sub("", unwrapped(text).casefold().strip(" \t"))
    return " ".join(folded.strip("[]()\"'`. ").replace("-", " ").replace("_", " ").split())
