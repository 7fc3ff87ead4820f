"""Scores ordering puzzles: a comma-separated list in the last <answer> tag, in order."""

import re
import unicodedata
from collections.abc import Sequence

from rewards.extraction import after_thinking, last_tagged
from rewards.verdict import Outcome, Verdict, verdict_of

_SEPARATOR = re.compile(r"[,;\n]")
_MAX_ANSWER = 4096


def _name(text: str) -> str:
    """One name as compared: no list brackets, quotes or numbering, case and blanks folded."""
    folded = unicodedata.normalize("NFKC", text).casefold().strip().strip("[]()\"'`. ")
    return " ".join(re.sub(r"^\d+[.)]\s+", "", folded).split())


def score_ordering(response: str, order: Sequence[str]) -> Verdict:
    """All names in the right order, compared as text; `[a, b]` and one name a line are read as well."""
    answer = last_tagged(after_thinking(response), "answer")
    if not answer:
        return Verdict(outcome=Outcome.NO_ANSWER)
    if len(answer) > _MAX_ANSWER:
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    names = [name for name in map(_name, _SEPARATOR.split(answer)) if name]
    return verdict_of(names == [_name(name) for name in order], answer)
