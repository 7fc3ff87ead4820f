r"""Answers that are words: names, option letters, numerals.

Words are compared as text. To computer algebra they are products of letters, so that seat = s*e*a*t = east.
"""

import re

from rewards.math.reading.notation import FUNCTIONS, words_of

_WRAPPER = re.compile(r"\\text\s*\{([^{}]*)\}")
_WORDY = re.compile(r"[A-Za-z\"'][A-Za-z0-9 .,;:'\"!?&_-]*")
RUN = re.compile(r"[A-Za-z]+")
_SHORT_WORDS = frozenset(
    words_of(
        "yes no odd all one two six ten red sun mon tue wed thu fri sat jan feb mar apr jun jul aug sep oct nov "
        "dec dne new old low big top net nut cat act dog god tab bat map raw war was saw tip pit now own won arm "
        "ram tea eat ate"
    )
)
MATHEMATICAL = frozenset(
    words_of("sin cos tan cot sec csc log exp sqrt frac infinity infty theta alpha beta gamma pi ln")
)
_FILLER = re.compile(r"\b(?:the|a|an|is|are|answer|option|choice|only|it|there)\b")
_NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        words_of(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen twenty"
        )
    )
}
_ALLELES = re.compile(r"(?:([A-Za-z])(?i:\1))+")
_STATE = re.compile(
    r"yes|no|true|false|t|f|(?:in|de)creas(?:es?|ed|ing)|ris(?:es?|ing)|falls?|falling|up|down|left|right|stays?thesame|unchanged"
    r"|(?:no|remain)\w*(?:change|same|constant)|constant|same|positive|negative|zero|neutral|odd|even|neither|both|higher|lower"
    r"|greater|smaller|less|more|longer|shorter|larger|increasing|decreasing|(?:un)?stable|(?:ir)?reversible|(?:endo|exo)thermic"
    r"|(?:in)?valid|(?:in)?correct|(?:ir)?rational|(?:in)?dependent|(?:dis)?continuous|(?:con|di)verg(?:es|ent)|north|south|east|west"
)
_OPTION = re.compile(r"\(?\s*([A-Za-z])\s*(?:\)|\.(?!\d)|:)?")
_LABELLED = re.compile(
    r"\(\s*([A-Z])\s*\)\s*[:.]?\s*(?![-+*/^=<>_,!]|\\(?:cdot|times|cup|cap|in|pm)\b)(\S.*)|([A-Z])\s*[).:]\s*(\S.*)",
    re.DOTALL,
)


def unwrapped(text: str) -> str:
    r"""`text` without its `\text{}` wrappers."""
    return _WRAPPER.sub(lambda match: match.group(1), text).strip()


def is_words(text: str) -> bool:
    r"""Whether a normalised answer is prose: letters only, and not a product of variables or a function."""
    plain = unwrapped(text)
    if not _WORDY.fullmatch(plain) or re.search(r"(?<![A-Za-z])-|-(?![A-Za-z])", plain):
        return False
    runs = RUN.findall(plain.lower())
    if not runs or any(run in MATHEMATICAL or "\\" + run in FUNCTIONS for run in runs) or re.search(r"_", plain):
        return False
    in_text = "\\text" in text
    return any(len(run) >= 4 or run in _SHORT_WORDS or (in_text and len(run) >= 2) for run in runs)


def word_key(text: str) -> str:
    """What two prose answers are compared by: letters and digits, lower case, without articles."""
    plain = unwrapped(text).casefold()
    bare = _FILLER.sub(" ", plain)
    return re.sub(r"[^a-z0-9]", "", bare) or re.sub(r"[^a-z0-9]", "", plain)


def is_by_case(text: str) -> bool:
    """Whether letters differ by case in it: a genotype such as `AaBb`, or a list of them."""
    runs = RUN.findall(unwrapped(text))
    return any(map(_ALLELES.fullmatch, runs)) and all(_ALLELES.fullmatch(run) or len(run) == 1 for run in runs)


def word_list_key(text: str) -> tuple[str, ...]:
    """The same for an enumeration. Its order does not matter, but for answers to several questions: yes, no."""
    parts = [key for key in map(word_key, re.split(r",|;|\band\b|\bor\b", unwrapped(text))) if key]
    return tuple(parts if parts and all(map(_STATE.fullmatch, parts)) else sorted(parts))


def number_word(text: str) -> int | None:
    """5 for `five`."""
    return _NUMBER_WORDS.get(unwrapped(text).casefold())


def option_letter(text: str) -> str | None:
    """B for `B`, `(B)`, `b.`; None for anything else."""
    match = _OPTION.fullmatch(unwrapped(text))
    return match.group(1).upper() if match else None


def labelled_option(text: str) -> tuple[str, str] | None:
    """Letter and content of `(B) 12` or `B. 12`."""
    match = _LABELLED.fullmatch(unwrapped(text))
    if match is None or re.match(r"(?:or|and|not|nor)\b|[,/&]", match.group(2) or match.group(4)):
        return None
    return (match.group(1) or match.group(3)), (match.group(2) or match.group(4))
