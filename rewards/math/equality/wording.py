"""Answers that are settled as text, before any expression is read: words, option letters, times, digit strings."""

import re

from rewards.math.reading.text import compact
from rewards.math.reading.words import (
    is_by_case,
    is_words,
    labelled_option,
    number_word,
    option_letter,
    unwrapped,
    word_key,
    word_list_key,
)

_TIME = re.compile(r"0?(\d{1,2}):([0-5]\d)(?::([0-5]\d))?\s*([ap])?\.?\s*(?:m\.?)?", re.IGNORECASE)
_LETTERED_DIGITS = re.compile(r"\(?([0-9A-Z]*[A-Z][0-9A-Z]*)\)?_\{?(\d{1,3})\}?")
_DECIMAL_COMMA = re.compile(r"([+-]?\d+),(\d{2,})")
_DECIMAL = re.compile(r"[+-]?\d*\.\d+")
_RUN_OF_OPTIONS = re.compile(r"[A-J]{2,10}")
_LIST_OF_OPTIONS = re.compile(r"\(?[A-J]\)?(?:\s*(?:,|;|and|&|,\s*and)\s*\(?[A-J]\)?)+")
_SYNONYMS = {
    key: meaning
    for meaning, keys in {
        "\\emptyset": "nosolution nosolutions nosolutionexists nosolutionsexist hasnosolution hasnosolutions noneexist "
        "nosuchsolution norealsolution norealsolutions emptyset none noroots norealroots",
        "undefined": "doesnotexist dne undefined nonexistent",
        "\\R": "allrealnumbers allreals realnumbers allreal allrealx",
        "primes": "allprimes allprimenumbers primes primenumbers everyprime everyprimenumber anyprime",
        "yes": "yes true",
        "no": "no false",
    }.items()
    for key in keys.split()
}


def same_wording(gold: str, pred: str) -> bool | None:
    """Whether two normalised answers say the same, where that is a matter of wording; None if it is not."""
    letter = option_letter(gold)
    if letter is not None:
        decided = _same_option(letter, gold, pred)
        if decided is not None:
            return decided
    option = labelled_option(gold)
    if option is not None:
        given = labelled_option(pred)
        if given is not None:
            return option[0] == given[0] and compact(option[1]) == compact(given[1])
        if option_letter(pred) is not None:
            return option_letter(pred) == option[0]
        if compact(unwrapped(pred)) == compact(unwrapped(option[1])):
            return True
    given = labelled_option(pred) if letter is None and option is None else None
    if given is not None and compact(unwrapped(given[1])) == compact(unwrapped(gold)):
        return True
    letters = _option_letters(gold), _option_letters(pred)
    if letters[0] and letters[1]:
        return letters[0] == letters[1]
    gold_words, pred_words = is_words(gold), is_words(pred)
    if gold_words or pred_words:
        return _same_words(gold, pred, gold_words, pred_words)
    times = _TIME.fullmatch(unwrapped(gold)), _TIME.fullmatch(unwrapped(pred))
    if times[0] is not None and times[1] is not None:
        halves = [(time.group(4) or "").lower() for time in times if time is not None]
        same_half = halves[0] == halves[1] or "" in halves
        return same_half and times[0].group(1, 2, 3) == times[1].group(1, 2, 3)
    digits = _LETTERED_DIGITS.fullmatch(compact(gold)), _LETTERED_DIGITS.fullmatch(compact(pred))
    if digits[0] is not None and int(digits[0].group(2)) > 10:
        return digits[1] is not None and digits[0].groups() == digits[1].groups()
    for one, other in ((gold, pred), (pred, gold)):
        comma = _DECIMAL_COMMA.fullmatch(one)
        if comma and _DECIMAL.fullmatch(other):
            return f"{comma.group(1)}.{comma.group(2)}".rstrip("0") == other.rstrip("0")
    return None


def _option_letters(text: str) -> str | None:
    """The letters of `ABD` and `A, B, D`, which are in alphabetical order."""
    plain = unwrapped(text)
    if _RUN_OF_OPTIONS.fullmatch(plain):
        return plain if list(plain) == sorted(set(plain)) else None
    if not _LIST_OF_OPTIONS.fullmatch(plain):
        return None
    listed = re.findall(r"\b[A-J]\b", plain)
    return "".join(listed) if listed == sorted(set(listed)) else None


def _same_option(letter: str, gold: str, pred: str) -> bool | None:
    given = option_letter(pred)
    if given is not None:
        return given == letter
    labelled = labelled_option(pred)
    if labelled is not None:
        return labelled[0] == letter
    listed = re.match(r"(?:option|choice|answer)\s*:?\s*\(?([A-Za-z])\)?$", unwrapped(pred), re.IGNORECASE)
    if listed is not None:
        return listed.group(1).upper() == letter
    return False if "(" in gold and letter.isupper() and is_words(pred) else None


def _same_words(gold: str, pred: str, gold_words: bool, pred_words: bool) -> bool:
    if is_by_case(gold):
        return compact(unwrapped(gold)) == compact(unwrapped(pred))
    meanings = [_SYNONYMS.get(word_key(text), text) for text in (gold, pred)]
    if meanings[0] == meanings[1] or [compact(meaning) for meaning in meanings] in (
        ["\\emptyset", "\\{\\}"],
        ["\\{\\}", "\\emptyset"],
        ["\\R", "(-\\infty,\\infty)"],
        ["(-\\infty,\\infty)", "\\R"],
    ):
        return True
    if len(word_list_key(gold)) > 1 and word_list_key(gold) == word_list_key(pred):
        return True
    if gold_words and pred_words:
        return word_key(gold) == word_key(pred)
    if compact(unwrapped(gold)) == compact(unwrapped(pred)):
        return True
    words, other = (gold, pred) if gold_words else (pred, gold)
    value = number_word(words)
    return value is not None and compact(other) == str(value)
