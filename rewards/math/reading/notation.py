r"""Tables of the TeX commands that answers are written with."""

from collections.abc import Container


def words_of(text: str) -> list[str]:
    """The words of a table that is written as text."""
    return text.split()


GREEK = frozenset(
    "\\" + name
    for name in words_of(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau phi chi psi omega "
        "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar"
    )
)
FUNCTIONS = frozenset(
    "\\" + name
    for name in words_of(
        "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth ln log lg exp"
    )
)
RELATIONS = {
    "=": "=", "<": "<", ">": ">", "\\le": "<=", "\\ge": ">=", "\\ne": "!=", "\\in": "in", "\\notin": "notin",
    "\\approx": "~", "\\equiv": "=", "\\to": "to", "\\cong": "~", "\\doteq": "~", "\\Rightarrow": "implies",
    "\\implies": "implies",
    "\\rightarrow": "to", "\\subset": "sub", "\\subseteq": "sub",
}  # fmt: skip
NAMED_SETS = {"\\R": "R", "\\Z": "Z", "\\N": "N", "\\Q": "Q", "\\C": "C", "\\emptyset": "empty"}
# Decorations of a name that belong to the name.
ACCENTS = frozenset(("\\overline", "\\bar", "\\vec", "\\hat", "\\tilde", "\\overrightarrow", "\\widehat", "\\overarc"))
# Words in front of a name that say only what kind of thing it is.
PREFIXES = frozenset(("\\angle", "\\triangle", "\\measuredangle", "\\Delta"))
_OTHERS = words_of(
    "frac sqrt pi infty binom begin end text lfloor rfloor lceil rceil langle rangle cup cap setminus cdot times "
    "pm mp degree int sum prod lim iint oint ldots mid pmod bmod mod left right perp parallel partial nabla det "
    "deg gcd lcm max min boxed"
)
_KNOWN = GREEK | FUNCTIONS | frozenset(RELATIONS) | frozenset(NAMED_SETS) | frozenset("\\" + name for name in _OTHERS)


def known_prefix(name: str, others: Container[str]) -> str | None:
    """The longest known command that `name` starts with; None if `name` itself is known, or nothing is."""
    if name in _KNOWN or name in ACCENTS or name in PREFIXES or name in others:
        return None
    for end in range(len(name) - 1, 2, -1):
        if name[:end] in _KNOWN or name[:end] in others:
            return name[:end] if end > 3 or name[:end] in ("\\pi", "\\le", "\\ge", "\\ln") else None
    return None


MATRICES = frozenset(("matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array"))
CLOSING = {"(": (")", "]", "["), "[": ("]", ")", "["), "\\langle": ("\\rangle",), "]": ("[", "]", ")")}
