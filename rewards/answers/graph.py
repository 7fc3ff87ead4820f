"""Scores graph puzzles: the one word in the last <answer>."""

import re

from rewards.answers.plain_text import unwrapped
from rewards.problem.extraction import after_thinking, last_answer
from rewards.problem.question import BadGroundTruth
from rewards.problem.verdict import Verdict, judged

_MAX_ANSWER = 4096
_MARGIN = " \n\t\"'`.,;:!()[]{}"
# Single letters apart from each other spell the word: `f, d, e`, `f -> d -> e`.
_SPELLED = re.compile(r"""["']?\w["']?(?:(?:\s*(?:,|->|→|-)\s*|\s+)["']?\w["']?)+""")


def parse_path(ground_truth: str) -> str:
    """The gold word as compared.

    Raises:
        BadGroundTruth: It is empty.
    """
    path = _word(ground_truth)
    if not path:
        raise BadGroundTruth("ground_truth is empty")
    return path


def score_graph(response: str, gold: str) -> Verdict:
    """Right if the answer is the gold word; case, quotes, blanks at its ends and a full stop say nothing."""
    return judged(last_answer(after_thinking(response)), lambda answer: _word(answer) == gold, _MAX_ANSWER)


def _word(text: str) -> str:
    word = unwrapped(text).casefold().strip(_MARGIN)
    return re.sub(r"\W", "", word) if _SPELLED.fullmatch(word) else word
