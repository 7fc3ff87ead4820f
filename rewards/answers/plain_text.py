r"""Answers in words as compared: one spelling for `\text{Red}`, `"red"`, `Red.` and ` RED `."""

import re
import unicodedata

from rewards.math.reading.numerals import scripts_as_tex

# ruff: noqa: RUF001 - look-alike characters are what this table is about
_CHARACTERS = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "’": "'", "‘": "'", "“": '"', "”": '"',
        "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "",
    }
)  # fmt: skip
_WRAPPER = re.compile(
    r"\\(?:text|textbf|textit|textrm|texttt|textsf|mathrm|mathbf|mathit|mathsf|mathtt|operatorname|mbox|boxed|fbox|ce|bf"
    r"|rm|emph|underline)\s*\{([^{}]*)\}"
)
_ESCAPED = re.compile(r"\\([$%&#_{}|])")
_SPACE = re.compile(r"\\(?:[,;:! ]|q?quad(?![A-Za-z]))|~")
_LAYOUT = re.compile(r"\\(?:left|right|displaystyle|big|Big)(?![A-Za-z])")
_TOKEN = re.compile(r"(?<![\w)])[-+]?(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)|[^\W\d_]+|\d+|[%<>=/^+]")
_SIGNS = re.compile(r"[\^_=<>*/+|±·×]|(?:^|\s)-|-(?:\s|\d)|\\(?!text|mathrm|mathbf|mbox|boxed|[$%&#,;:! ()\[\]])")
_RAISED = re.compile(r"([\^_])\s*\{\s*([+-]?\w{1,4}|\d{0,2}[+-])\s*\}")
_DELIMITERS = re.compile(r"\\[()\[\]]|\$")


def unwrapped(answer: str) -> str:
    r"""`answer` without TeX wrappers, emphasis and escapes; look-alike characters are one.

    Linear for the nesting that occurs: wrappers are taken off at most four deep.
    """
    text = scripts_as_tex(answer.translate(_CHARACTERS), of_numbers_only=True)
    text = _RAISED.sub(r"\1\2", _SPACE.sub(" ", text))
    for _ in range(4):
        text, count = _WRAPPER.subn(r"\1", text)
        if not count:
            break
    text = _LAYOUT.sub("", text)
    text = _ESCAPED.sub(lambda m: f"\0{m.group(1)}", text)
    text = _DELIMITERS.sub("", text).replace("\0", "")
    text = unicodedata.normalize("NFKC", text.strip().removeprefix("**").removesuffix("**").replace("`", ""))
    return " ".join(text.translate(_CHARACTERS).split())


def words_of(answer: str) -> tuple[str, ...]:
    """The words, numbers and signs of an answer, case folded; a sign and a decimal point stay with their number."""
    text = unwrapped(answer).casefold().replace("'", "")
    return tuple(token.replace(",", "").removeprefix("+") or "+" for token in _TOKEN.findall(text))


def same_words(answer: str, gold: str) -> bool:
    """Whether two answers are the same words; blanks, case and punctuation say nothing, as in `U.S.` and `us`.

    What holds signs of mathematics is compared sign by sign, since `a - b` is not `a b`.
    """
    if _SIGNS.search(answer.translate(_CHARACTERS)) or _SIGNS.search(gold.translate(_CHARACTERS)):
        return _compact(answer) == _compact(gold) != ""
    given, wanted = words_of(answer), words_of(gold)
    if not wanted or not given:
        return _compact(answer) == _compact(gold) != ""
    return given == wanted or ("".join(given) == "".join(wanted) and "".join(wanted).isalpha())


def _compact(answer: str) -> str:
    """Without blanks and ends of sentences; symbols keep their case, words do not."""
    text = "".join(unwrapped(answer).split()).rstrip(".").strip("\"'")
    return text.casefold() if re.search(r"[^\W\d_]{3}", text) else text
