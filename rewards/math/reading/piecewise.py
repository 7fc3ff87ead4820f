r"""Functions that are given case by case, `\begin{cases} x & x \ge 0 \\ -x & x < 0 \end{cases}`."""

import re
from dataclasses import dataclass

from rewards.math.reading.layout import without_text

_CASES = re.compile(
    r"(?:(?P<name>[^=&\\]{1,20}|[^=&]{1,40})=)?\s*(?:\\\{|\{)?\s*\\begin\s*\{(?P<kind>cases|array)\}(?:\{[^{}]*\})?(?P<rows>.*)"
    r"\\end\s*\{(?P=kind)\}\s*\}?",
    re.DOTALL,
)
_CONDITION = re.compile(r"(?:,|;)?\s*(?:\b(?:if|when|for|where|provided)\b|(?=\botherwise\b|\belse\b))", re.IGNORECASE)
_IDLE = re.compile(r"\b(?:if|when|for|where|is|are|an?|number)\b")
_ELSE = frozenset(("otherwise", "else", "elsewhere", "in all other cases", "other cases"))


@dataclass(frozen=True, slots=True)
class Case:
    """One row: what the value is, and when; `condition` is `otherwise` for the rest."""

    value: str
    condition: str


def piecewise(text: str) -> tuple[Case, ...] | None:
    r"""The rows of `\begin{cases}`, with or without a name in front; None for anything else."""
    if "\\begin" not in text:
        return None
    found = _CASES.fullmatch(text.strip())
    if found is None:
        return None
    rows = [row.strip() for row in re.split(r"\\\\|\\cr(?![a-z])", found.group("rows")) if row.strip(" .,;")]
    cases = [_case(row) for row in rows]
    kept = tuple(case for case in cases if case is not None)
    return kept if kept and len(kept) == len(cases) else None


def _case(row: str) -> Case | None:
    plain = " ".join(without_text(row).split())
    if "&" in plain:
        value, _, condition = plain.partition("&")
        if "&" in condition:
            return None
    else:
        cut = _CONDITION.search(plain)
        if cut is not None:
            value, condition = plain[: cut.start()], plain[cut.end() :]
        else:
            value, comma, condition = plain.partition(",")
            if not comma:
                return None
    condition = " ".join(_IDLE.sub(" ", condition).strip(" .,;:()").split())
    value = value.strip(" ,;:.")
    if not value or not condition:
        return None
    return Case(value, "otherwise" if condition.lower() in _ELSE else condition)
