r"""The parts that an answer in words is laid out in: labelled parts, words between quantities, remarks, dates.

Everything here works on text, TeX or plain, and says None where an answer has no such layout. What is found is compared
part by part (`rewards.math.equality.parts`): labels and words are text, and text is never a product of letters.
"""

import re
from dataclasses import dataclass

from rewards.math.reading.notation import words_of
from rewards.math.reading.numerals import MULTIPLIERS
from rewards.math.reading.words import MATHEMATICAL, number_word

_MAX_LENGTH = 2000
_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_LABEL = re.compile(
    r"(?:^|(?<=[\s,;.}]))(?:[Pp]art\s+)?"
    r"(?:\(\s*(?P<both>[A-Za-z]|[ivxIVX]{1,4}|\d{1,2})\s*\)|(?P<half>[a-hA-H]|[ivx]{1,4}|\d{1,2})\))"
    r"\s*[:.=]?\s*|(?:^|(?<=[\s,;.}]))[Pp]art\s+(?P<part>[A-Za-z]|\d{1,2})\s*[:.=]\s*"
)
_ROMAN = tuple(words_of("i ii iii iv v vi vii viii ix x xi xii"))
_NO_CONTENT = re.compile(r"[-+*/^=<>_!),:]|\\(?:cdot|times|cup|cap|le|ge|in|pm|to)(?![A-Za-z])")
_SEPARATOR = re.compile(r"\s*(?:[,;]|\.(?!\d))?\s*(?:\b(?:and|or)\b)?\s*$")
_COMPASS = "(?:north|south)?-?(?:east|west)|north|south"
# Words that say where, which way, or from what to what; two letters only between blanks, since `to` may be t times o.
_LINK = (
    rf"(?:(?:{_COMPASS})(?:wards?|ern|erly|bound)?|up(?:wards?)?|down(?:wards?)?|(?:in|out|for|back|left|right)wards?"
    r"|above|below|beneath|behind|ahead|under|before|after|from|towards?|away|into|onto|out|inside|outside|due|straight"
    r"|(?:counter-?|anti-?)?clockwise|horizontal(?:ly)?|vertical(?:ly)?|(?:to|on|of|from|at|in|with)\s+(?:the|its|each|every)"
    r"|in\s+(?:front|back)\s+of"
    r"|the|(?:left|right)(?=\s+of\b)|(?<=[\s}])(?:of|to)(?=\s))"
)
_PHRASE = re.compile(rf"(?<![\\A-Za-z])({_LINK}(?![A-Za-z])(?:[ '-]+[A-Za-z]+)*)", re.IGNORECASE)
_BEARING = re.compile(r"([NS])\s*(\d+(?:\.\d+)?)\s*(?:\\degree|°|\^\s*\{?\\circ\}?|degrees?)?\s*([EW])")
_IDLE_WORDS = frozenset(words_of("the a an of to its is are"))
_REMARK = re.compile(
    r"(?<=[^\s(])\s*(?:\\text\s*\{\s*)?\(\s*(?:\\text\s*\{)?\s*([A-Za-z][A-Za-z .'-]*?)\s*\}?\s*\)\s*\}?$"
)
_SHORT_REMARKS = frozenset(("max", "min", "odd"))
_CHANGES_MEANING = re.compile(
    r"\b(?:or|and|not|no|if|unless|mod|base|except|plus|minus|negative|times|half|squared|cubed|square|cube|root|factorial"
    rf"|inverse|reciprocal|degrees?|percent|per|wrong|false|incorrect|invalid|rejected|{'|'.join(MULTIPLIERS)})\b"
)
_MONTHS = {
    name[:3]: number
    for number, name in enumerate(
        words_of("january february march april may june july august september october november december"), 1
    )
}
_NUMERIC_DATE = re.compile(r"(\d{4})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{1,2})")
_WORDED_DATE = re.compile(
    r"(?:(?P<d1>\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<month>[A-Za-z]{3,9})\.?\s+"
    r"(?:(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?\s+)?"
    r"(?P<year>\d{4})"
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Contents by label, `(a) 3 (b) 4`, in order."""

    labels: tuple[str, ...]
    contents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    r"""`30^\circ north of east`: what is mathematics, and the words after each piece of it (one word list fewer)."""

    pieces: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]


def without_text(text: str) -> str:
    r"""`text` with what stands in `\text{}` in the open."""
    return _TEXT.sub(r" \1 ", text) if "\\text" in text else text


def labelled(text: str) -> Labelled | None:
    """The parts of `(a) 3 (b) 4`, `(i) True (ii) False`, `Part A: 3, Part B: 4`; None for fewer than two of them."""
    if (")" not in text and "art" not in text) or len(text) > _MAX_LENGTH:
        return None
    plain = without_text(text).strip()
    found = list(_LABEL.finditer(plain))
    if len(found) < 2 or found[0].start():
        return None
    kept = [found[0]]
    first = _label(found[0])
    for match in found[1:]:
        if _follows(_label(match), first, len(kept)):
            kept.append(match)
    if not _follows(first, first, 0) or len(kept) < 2:
        return None
    ends = [match.start() for match in kept[1:]] + [len(plain)]
    contents = tuple(
        _SEPARATOR.sub("", plain[match.end() : end].strip()).strip() for match, end in zip(kept, ends, strict=True)
    )
    is_apart = [plain[match.end() - 1].isspace() for match in kept]
    if not all(contents) or any(map(_goes_on, contents, is_apart)):
        return None
    if first.isdigit() and any(
        re.match(r"[-+]", content) and (not apart or re.match(r"[-+]\s", content))
        for content, apart in zip(contents, is_apart, strict=True)
    ):
        return None  # (1) - 3 (2) is a number
    return Labelled(tuple(_label(match).lower() for match in kept), contents)


def _goes_on(content: str, is_apart: bool) -> bool:
    """Whether what follows a bracket continues a formula: only what is apart from its label may begin with a sign."""
    if re.match(r"[-+]\d", content) or (is_apart and re.match(r"[-+]\s*[\\{]", content)):
        return False
    return _NO_CONTENT.match(content) is not None


def _label(match: re.Match[str]) -> str:
    return match.group("both") or match.group("half") or match.group("part")


def _follows(label: str, first: str, index: int) -> bool:
    """Whether `label` is number `index` of a row of labels that begins with `first`."""
    for row in (_ROMAN, tuple("abcdefghijkl"), tuple(map(str, range(1, 13)))):
        if first.lower() == row[0]:
            return index < len(row) and label.lower() == row[index] and label.isupper() == first.isupper()
    return False


def items(text: str) -> list[str]:
    """What commas, semicolons and `and` outside of brackets separate."""
    plain = without_text(text)
    parts, depth, start = [], 0, 0
    for match in re.finditer(r"[(\[{]|[)\]}]|[,;]|\band\b", plain):
        if match.group() in "([{":
            depth += 1
        elif match.group() in ")]}":
            depth -= 1
        elif not depth:
            parts.append(plain[start : match.start()].strip())
            start = match.end()
    return [part for part in (*parts, plain[start:].strip()) if part]


def phrase(text: str) -> Phrase | None:
    """The quantities and words of `10 m north of A`; None where no word says how they belong together."""
    if len(text) > _MAX_LENGTH or not any(char.isdigit() for char in text):
        return None
    bearing = _BEARING.fullmatch(without_text(text).strip())
    if bearing is not None:
        return Phrase((bearing.group(2),), (bearing.group(1, 3),))
    if _PHRASE.search(text) is None:
        return None
    split = _PHRASE.split(without_text(text))
    if len(split) < 3:
        return None
    pieces = tuple(_SEPARATOR.sub("", piece.strip(" ,;")) for piece in split[::2])
    if not any(char.isdigit() for piece in pieces for char in piece):
        return None
    return Phrase(pieces, tuple(_words(run) for run in split[1::2]))


def _words(run: str) -> tuple[str, ...]:
    words = re.findall(r"[A-Za-z]+", run)
    folded = (word if len(word) == 1 and word != "a" else word.lower() for word in words)
    return tuple(re.sub(r"wards?$", "", word) or word for word in folded if word not in _IDLE_WORDS)


def remark(text: str) -> tuple[str, str]:
    """`5 (even)` as 5 and `even`; without a remark in words at its end, `text` and nothing."""
    if not text.endswith((")", "}")) or len(text) > _MAX_LENGTH:
        return text, ""
    found = _REMARK.search(text)
    if found is None:
        return text, ""
    words = found.group(1).lower()
    runs = re.findall("[a-z]+", words)
    if _CHANGES_MEANING.search(words) or any(run in MATHEMATICAL for run in runs) or max(map(len, runs)) < 3:
        return text, ""
    body = text[: found.start()].strip()
    if "\\text" not in found.group():
        is_prose = max(map(len, runs)) > 3 or number_word(words) is not None or words in _SHORT_REMARKS
        if not is_prose or not text[found.start()].isspace() or not re.search(r"[\d})%]$", body):
            return text, ""  # a product
    number = number_word(words)
    if number is not None and body.isdigit() and int(body) != number:
        return text, ""
    return body, words


def date(text: str) -> tuple[int, int, int] | None:
    """Year, month and day of `2023-05-06` or `May 6, 2023`; the day is 0 where none is named."""
    plain = " ".join(without_text(text).split())
    numeric = _NUMERIC_DATE.fullmatch(plain)
    if numeric is not None:
        year, month, day = map(int, numeric.groups())
    else:
        worded = _WORDED_DATE.fullmatch(plain)
        found = _MONTHS.get(worded.group("month")[:3].lower()) if worded is not None else None
        if worded is None or found is None:
            return None
        year, month, day = int(worded.group("year")), found, int(worded.group("d1") or worded.group("d2") or 0)
    return (year, month, day) if 1 <= month <= 12 and day <= 31 else None
