"""Scores multiple choice by the option letter. No answer is 0, never a random letter."""

import re
from collections.abc import Mapping

from rewards.answers.plain_text import same_words, unwrapped
from rewards.problem.extraction import after_thinking, last_boxed
from rewards.problem.question import BadGroundTruth
from rewards.problem.verdict import Outcome, Verdict, verdict_of

_MAX_ANSWER = 1000
_LEAD = re.compile(
    r"^(?:(?:the|my|correct|final|best|right)\s+)*(?:(?:answer|option|choice)\s*(?:is|:|=)?\s*)+(?=\W*[A-Za-z](?![A-Za-z]))",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"[(\[{]?\s*([A-Za-z])\s*[)\]}]?\s*[.:,;!]?")
# The letter, a mark, and the option's text, which is not itself more letters.
_LED = re.compile(r"(?:[(\[]\s*([A-Za-z])\s*[)\]]\s*[.:,-]?|([A-Za-z])\s*(?:[).:]|-(?=\s)))\s*(?=\S)")
_LETTERS = re.compile(r"(?:\W|\b(?:and|or|[A-Za-z])\b)*")
_WITH_REMARK = re.compile(r"([A-Za-z])\s+\(\s*[^()]{2,}\)\.?")
_EXPLAINED = re.compile(r"([A-Za-z])\s*,?\s+(?:because|since|as|is|which|for)\b(?! or\b| and\b)", re.IGNORECASE)
_ANSWER_LINE = re.compile(r"\banswer\b[ \t]*\**[ \t]*(?:is\b[ \t]*[:\uff1a]?|[:\uff1a=])", re.IGNORECASE)
_OPTION = re.compile(r"^[ \t]*\(?([A-J])[).:][:.)]?[ \t]*(\S.*)$", re.MULTILINE)


def parse_letter(ground_truth: str) -> str:
    """The gold letter, upper-cased.

    Raises:
        BadGroundTruth: It is not one letter.
    """
    letter = re.fullmatch(r"\s*\(?([A-Za-z])\)?\s*", ground_truth)
    if letter is None:
        raise BadGroundTruth(f"ground_truth {ground_truth[:80]!r} is not one option letter")
    return letter.group(1).upper()


def options_of(question: str) -> Mapping[str, str]:
    """Texts of the options that a question lists one per line, as in `(A): 5 m`, by letter."""
    return {letter: text.strip() for letter, text in _OPTION.findall(question[:20_000])}


def letter_of(answer: str, options: Mapping[str, str] | None = None) -> str | None:
    r"""The option that `answer` names: `B`, `(b)`, `\text{B}`, `B. 5 m`, `Option B`, or the option's whole text.

    Several letters, words that begin with a letter, or a bare value are None.
    """
    if len(answer) > _MAX_ANSWER:
        return None
    text = unwrapped(answer).replace("*", "").strip(" \"'")
    text = _LEAD.sub("", text)
    whole = _WHOLE.fullmatch(text)
    if whole:
        return whole.group(1).upper()
    led = _LED.match(text)
    if led and _LETTERS.fullmatch(text, led.end()):
        return None
    led = led or _WITH_REMARK.fullmatch(text)
    if led:
        return next(group for group in led.groups() if group).upper()
    named = [letter for letter, option in (options or {}).items() if same_words(answer, option)]
    return named[0] if len(named) == 1 else None


def _stated(text: str, options: Mapping[str, str] | None) -> str | None:
    """From the rest of the line after the last `answer:` or `answer is`; if that is empty, from the next line."""
    stated = [match.end() for match in _ANSWER_LINE.finditer(text)]
    if not stated:
        return None
    lines = [line for line in text[stated[-1] : stated[-1] + 2 * _MAX_ANSWER].split("\n") if line.strip(" \t*")]
    if not lines:
        return None
    box = last_boxed(lines[0])
    rest = box if box is not None else lines[0]
    letter = letter_of(rest, options)
    if letter is None:
        explained = _EXPLAINED.match(unwrapped(rest).replace("*", "").strip())
        letter = explained.group(1).upper() if explained else None
    return letter


def score_choice(
    response: str, letter: str, options: Mapping[str, str] | None = None, *, boxed: bool = True
) -> Verdict:
    """Compares the option that the response names with the gold letter.

    That is the one in the last box and, without any box, the one of the last `Answer: ...`; if not `boxed`, as in
    GPQA's no_box variants, that of the last `Answer: ...` goes first.
    """
    text = after_thinking(response)
    box = last_boxed(text)
    named = _stated(text, options) if box is None or not boxed else None
    if named is None and box is not None:
        named = letter_of(box, options)
    if named is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    return verdict_of(named == letter, named)
