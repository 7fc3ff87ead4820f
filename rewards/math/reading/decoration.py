r"""What people put around an answer, which says nothing of its own, and other ways to write what the reader knows.

Colour, size, `exactly`, `for all x` behind a formula; `1011 (base 2)` for `1011_2`, `C_n^k` for a binomial. All of it
works on TeX that is otherwise normalised, in one pass for each pattern.
"""

import re
from itertools import accumulate

from rewards.math.reading.words import number_word, unwrapped

_COLOUR = re.compile(r"\\(?:text)?color(?:box)?\s*(?:\[[^\[\]{}]*\])?\s*\{[^{}]*\}")
_SIZE = re.compile(
    r"\\(?:tiny|scriptsize|footnotesize|small|normalsize|large|Large|LARGE|huge|Huge|ensuremath)(?![A-Za-z])"
)
_SIGN_IN_WORDS = re.compile(r"^(?:\\text\s*\{\s*)?(?:negative|minus)\s*\}?\s+(?=[\d\\(]|[a-z](?![a-z]))", re.IGNORECASE)
_BASE = re.compile(
    r"\(?([0-9A-Za-z]+)\)?\s*(?:_\s*\{?|,)?\s*\(?\s*(?:in\s+)?base[ -]*(\d{1,2}|[A-Za-z]+)\s*\)?\s*\}?", re.IGNORECASE
)
_OR_IN_BRACKETS = re.compile(r"\(\s*(?:\\text\s*\{\s*or:?\s*\}|or\b)([^()]*)\)|\\text\s*\{\s*\(\s*or\s*\}([^()]*)\)")
_CHOICES = re.compile(
    r"(?:\{\})?_\s*\{?(?P<top0>\w+)\}?\s*(?:C|\\text\s*\{\s*C\s*\})_\s*\{?(?P<bottom0>\w+)\}?"
    r"|(?<![A-Za-z\\}])(?:C|\\text\s*\{\s*C\s*\})\s*(?:"
    r"_\s*(?:\{(?P<top1>\w+)\}|(?P<top2>\w))\s*\^\s*(?:\{(?P<bottom1>\w+)\}|(?P<bottom2>\w))"
    r"|\^\s*(?:\{(?P<bottom3>\w+)\}|(?P<bottom4>\w))\s*_\s*(?:\{(?P<top3>\w+)\}|(?P<top4>\w)))"
)
_PER_CENT = re.compile(r"\bper cent\b", re.IGNORECASE)
_EXTREME_OF_SET = re.compile(r"\\(max|min|gcd|lcm)\s*\\\{([^{}]*)\\\}")
_SET_NAMES = r"(?:\\[RZNQC]|\\text\s*\{\s*[RZNQC]\s*\}|[RZNQC])(?:\s*[_^]\s*(?:\{[^{}]*\}|[+*0]))*"
# What is for all: a variable, or several, perhaps with the set of numbers that they are in. A bound on it is no filler.
_VARIABLES = (
    r"(?:(?:real|positive|nonnegative|non-negative|natural|whole|any|all|every|the|integers?|numbers?|reals?|values?"
    rf"|constants?|of|arbitrary|rational)\s*)*(?:[A-Za-z](?:_\w)?(?:\s*,\s*[A-Za-z])*(?:\s*\\in\s*{_SET_NAMES})?)?"
)
_QUANTIFIED = re.compile(r"\\forall|\bfor (?:all|any|every|each|some)\b|\bwhere\b|\bwith\b")
_QUANTIFIER = re.compile(
    rf"[,;:]?\s*\(?\s*(?P<how>{_QUANTIFIED.pattern})\s*{_VARIABLES}"
    r"(?:\s*(?:is|are|being|denotes?)?\s*(?:an?|any|the)?\s*(?:arbitrary|real|fixed)?\s*"
    r"(?:integers?|constants?|real numbers?))?"
    r"\s*\)?\s*$"
)
_INFIX = re.compile(r"\\(?:choose|over|atop)(?![A-Za-z])")  # they need their braces
_ARGUMENT = re.compile(r"\s*[A-Za-z](?:_\w)?'*\(\s*([A-Za-z])\s*\)\s*=")
_ONLY = re.compile(r"[,;]?\s*\(?\bonly\b\)?\s*$")
_ALL_BEFORE = re.compile(
    r"^(?:for )?(?:all|any|every)\s+(?:(?:real|positive|natural|the|of)\s+)*"
    r"(?:integers?|numbers?|reals?|values?)?\s*(?:of)?\s*(?=[A-Za-z]\s*(?:[<>=]|\\(?:le|ge|in|ne)\b))"
)


def without_decoration(text: str) -> str:
    """`text` without colours, sizes and the braces that they leave around it; `negative 5` is -5."""
    if "\\" in text:
        bare = _SIZE.sub(" ", _COLOUR.sub(" ", text))
        text = without_braces(bare, even_lists=bare != text)
    elif text[:1] == "{":
        text = without_braces(text)
    return _SIGN_IN_WORDS.sub("-", text, count=1)


def without_braces(text: str, *, even_lists: bool = False) -> str:
    """`text` without braces around all of it; those around a list may be meant as a set's, unless `even_lists`."""
    inner = text.strip()
    while _is_within_braces(inner) and _INFIX.search(inner) is None:
        is_set = "," in inner and "=" not in inner and inner[1] != "("
        if is_set and not even_lists:
            break
        inner = inner[1:-1].strip()
    return inner


def _is_within_braces(text: str) -> bool:
    if not text.startswith("{") or not text.endswith("}") or text.endswith("\\}") or not text[1:-1].strip():
        return False
    depths = accumulate((char == "{") - (char == "}") for char in text[:-1])
    return all(depth > 0 for depth in depths)


def in_known_notation(text: str) -> str:
    r"""One notation for bases in words, numbers of choices, `\max\{a,b\}`, and a second notation in brackets."""
    if "C" in text:
        text = _CHOICES.sub(_as_binomial, text)
    if "ase" in text:
        based = _BASE.fullmatch(unwrapped(_inner_text(text)))
        if based is not None:
            base = number_word(based.group(2))
            if base is not None or based.group(2).isdigit():
                return f"{based.group(1)}_{{{based.group(2) if base is None else base}}}"
    if "or" in text:
        text = _OR_IN_BRACKETS.sub(lambda match: f"\\text{{ or }}{match.group(1) or match.group(2)}", text)
    if "cent" in text:
        text = _PER_CENT.sub("percent", text)
    return _EXTREME_OF_SET.sub(r"\\\1(\2)", text) if "\\m" in text or "\\gcd" in text or "\\lcm" in text else text


def without_quantifier(text: str) -> str:
    r"""`f(x)=x^2 \text{ for all } x` as `f(x)=x^2`; a condition such as `for all x > 0` stays."""
    plain = _inner_text(text).strip()
    if (
        _QUANTIFIED.search(plain) is None
        and "only" not in plain
        and not plain.lstrip().startswith(("all", "any", "for", "every"))
    ):
        return text
    shorter = _ONLY.sub("", plain, count=1)
    found = _QUANTIFIER.search(shorter)
    if found is not None and not _is_of_an_argument(found, shorter):
        shorter = shorter[: found.start()]
    shorter = _ALL_BEFORE.sub("", shorter, count=1).strip(" ,;")
    return shorter if shorter and shorter != plain else text


def _is_of_an_argument(quantifier: re.Match[str], text: str) -> bool:
    """Whether it is some argument of `f(x) = 2x` that it speaks of, which is less than all; a constant may be some."""
    argument = _ARGUMENT.match(text)
    return (
        argument is not None
        and "some" in quantifier.group("how")
        and re.search(rf"(?<![A-Za-z]){argument.group(1)}(?![A-Za-z])", quantifier.group()) is not None
    )


def _inner_text(text: str) -> str:
    return re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text)


def _as_binomial(match: re.Match[str]) -> str:
    found = {name[:-1]: part for name, part in match.groupdict().items() if part}
    top, bottom = found["top"], found["bottom"]
    numbers = top.isdigit() and bottom.isdigit() and int(top[:9]) >= int(bottom[:9]) and len(top) < 10
    if not numbers and not (top in ("n", "m") and bottom in ("k", "r", "m")):
        return match.group()
    return f"\\binom{{{top}}}{{{bottom}}}"
