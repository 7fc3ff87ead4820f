"""Scores table questions (HiTab, MultiHiertt, FinQA): numbers and words in the last box, several separated by `|`."""

import re
from collections.abc import Sequence
from fractions import Fraction

from rewards.answers.plain_text import same_words, unwrapped
from rewards.answers.written_number import WrittenNumber, read_number
from rewards.math.reading.money import currencies, one_differs
from rewards.math.reading.numerals import ABBREVIATED_MULTIPLIERS, MULTIPLIERS
from rewards.problem.extraction import after_thinking, last_boxed
from rewards.problem.question import BadGroundTruth
from rewards.problem.verdict import Verdict, judged

# Cells are rounded and so are answers computed from them; but a count or a year is exact.
_RELATIVE = Fraction(1, 1000)
_MAX_ANSWER = 4096
_MAX_PARTS = 200
# A negative number as accounts write it.
_ACCOUNTING = re.compile(r"\\?[$€£]?\s*\(\s*(\\?[$€£]?\s*\d[\d,]*(?:\.\d+)?\s*(?:\\?%)?)\s*\)")
_PIPE = re.compile(r"\\(?:mid|vert|\|)|\\text\{\s*\|\s*\}|\|")
_COMMA = re.compile(r"\s*;\s*|,\s+(?:and\s+)?|\s+and\s+")
_SCALES = MULTIPLIERS | ABBREVIATED_MULTIPLIERS
_UNIT_WORDS = re.compile(r"[^\W\d]+(?:[ -][^\W\d]+){0,3}\.?")


def parse_answers(ground_truth: str) -> tuple[str, ...]:
    """The gold answers.

    Raises:
        BadGroundTruth: One of them is empty.
    """
    answers = tuple(part.strip() for part in ground_truth.split("|"))
    if not all(answers):
        raise BadGroundTruth(f"ground_truth {ground_truth[:80]!r} has an empty answer")
    return answers


def score_table(response: str, gold: Sequence[str]) -> Verdict:
    """Every gold answer is matched by exactly one given answer, in any order."""
    most = max(_MAX_ANSWER, 4 * sum(map(len, gold)))
    return judged(last_boxed(after_thinking(response)), lambda answer: _has_all(answer, gold), most)


def _has_all(answer: str, gold: Sequence[str]) -> bool:
    if len(gold) == 1:
        return same_answer(answer, gold[0])
    parts = [part for part in _PIPE.split(answer) if part.strip()]
    if len(parts) != len(gold):
        parts = [part for part in _COMMA.split(unwrapped(answer)) if part.strip()] if len(parts) == 1 else parts
    if len(parts) != len(gold) or len(parts) > _MAX_PARTS:
        return False
    left = list(parts)
    for wanted in gold:
        found = next((i for i, part in enumerate(left) if same_answer(part, wanted)), None)
        if found is None:
            return False
        del left[found]
    return True


def same_answer(answer: str, gold: str) -> bool:
    """Whether one answer is the gold one: as numbers where the gold is a number, else as words.

    Whole numbers are exact: 2020 is not 2019, nor is it 2019.0. A gold number with decimals tolerates a relative
    1e-3. A per cent sign may mean the number before it or a hundredth of that; 12.5 without a sign is not 0.125.
    """
    wanted, given = read_number(gold), read_number(_ACCOUNTING.sub(r"\1", answer.strip()))
    if one_differs(currencies(answer), currencies(gold)):
        return False
    if wanted is None or not (wanted.is_percent or not wanted.rest.strip(" .")):
        return same_words(answer, gold) or _same_quantity(given, wanted)
    if given is None:
        return False
    scale = _scale(given)
    if scale is None:
        return False
    signed = -given.value if _ACCOUNTING.fullmatch(answer.strip()) else given.value
    values = {signed * scale} | ({signed / 100} if given.is_percent else set())
    golds = {wanted.value} | ({wanted.value / 100} if wanted.is_percent and not given.is_percent else set())
    return any(_close(value, target, wanted) for value in values for target in golds)


def _scale(given: WrittenNumber) -> int | None:
    """What the words after the number multiply it by; 1 for a unit; None if it is no number with a unit."""
    rest = unwrapped(given.rest).strip(" .").casefold()
    if not rest or given.is_percent:
        return 1
    if not _UNIT_WORDS.fullmatch(rest):
        return None
    first = rest.split()[0]
    return _SCALES.get(first, 1) if first in _SCALES else (None if first in ("or", "and", "to", "not") else 1)


def _unit(rest: str) -> str:
    """What stands behind the word for a power of ten."""
    words = unwrapped(rest).strip(" .").casefold().split()
    return " ".join(words[1:] if words and words[0] in _SCALES else words)


def _close(value: Fraction, gold: Fraction, written: WrittenNumber) -> bool:
    if gold.denominator == 1 and not written.is_percent:
        return value == gold
    return abs(value - gold) <= _RELATIVE * abs(gold)


def _same_quantity(given: WrittenNumber | None, wanted: WrittenNumber | None) -> bool:
    """A number with a unit on both sides, or on the gold side alone; `million` is part of the number."""
    if given is None or wanted is None or not re.fullmatch(_UNIT_WORDS, unwrapped(wanted.rest)):
        return False
    scales = _scale(given), _scale(wanted)
    if None in scales:
        return False
    if scales != (1, 1):
        units = [_unit(number.rest) for number in (given, wanted)]
        if "" not in units and units[0] != units[1]:
            return False
        return _close(given.value * (scales[0] or 1), wanted.value * (scales[1] or 1), wanted)
    if given.rest and not same_words(given.rest, wanted.rest):
        return False
    return _close(given.value, wanted.value, wanted)
