"""Scores multiple choice by the option letter in the last box. No answer is 0, never a random letter."""

import re

from rewards.extraction import after_thinking, last_boxed
from rewards.verdict import Outcome, Verdict, verdict_of

_WRAPPERS = re.compile(r"\\(?:text|textbf|mathrm|mathbf|bf|rm)\s*(?=\{)|[\s$*{}]")
_LETTER = re.compile(r"\(?([A-Za-z])\)?[.:]?")
_LETTER_THEN_TEXT = re.compile(r"\(?([A-J])[).:]\s*\S")


def boxed_letter(response: str) -> str | None:
    r"""The option letter of the last box, upper-cased: `B`, `(b)`, `\text{B}`, `B. 5 m`; None for anything else.

    Several letters, words that begin with a letter, or a bare value are not an answer.
    """
    box = last_boxed(after_thinking(response))
    if box is None or len(box) > 1000:
        return None
    whole = _LETTER.fullmatch(_WRAPPERS.sub("", box))
    if whole:
        return whole.group(1).upper()
    unwrapped = re.sub(r"\\(?:text|textbf|mathrm|mathbf)\s*\{|[{}$*]", "", box).strip()
    led = _LETTER_THEN_TEXT.match(unwrapped)
    return led.group(1) if led else None


def score_choice(response: str, ground_truth: str) -> Verdict:
    """Compares option letters without regard to case."""
    letter = boxed_letter(response)
    if letter is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    return verdict_of(letter == ground_truth.strip().upper(), letter)
