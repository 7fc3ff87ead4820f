r"""Raised and lowered characters as TeX: `m²` is `m^{2}`, `101₂` is `101_{2}`."""

import re

_RAISED_RUN = "[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ]+"
_LOWERED_RUN = "[₀₁₂₃₄₅₆₇₈₉₊₋₍₎]+"
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ", "0123456789+-()ni")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₍₎", "0123456789+-()")
_ANYWHERE = re.compile(f"(?P<raised>{_RAISED_RUN})|(?P<lowered>{_LOWERED_RUN})")
_AFTER_DIGITS = re.compile(rf"(?<=\d)(?:{_ANYWHERE.pattern})")


def scripts_as_tex(text: str, *, of_numbers_only: bool = False) -> str:
    """`text` with each run of such characters as one exponent or index.

    Unicode's own normalisation would make 5² of it 52.

    Args:
        text: Any.
        of_numbers_only: Leaves those that do not follow a digit, as in `CO₂`, which people also write `CO2`.
    """
    return text if text.isascii() else (_AFTER_DIGITS if of_numbers_only else _ANYWHERE).sub(_as_tex, text)


def _as_tex(run: re.Match[str]) -> str:
    raised = run.group("raised")
    return f"^{{{raised.translate(_RAISED)}}}" if raised else f"_{{{run.group('lowered').translate(_LOWERED)}}}"
