"""The closed set of domains, and the spellings of data_source that belong to each."""

import re
from collections.abc import Iterable
from enum import StrEnum


class Domain(StrEnum):
    """Guru's six domains (Reasoning360, arXiv:2506.14965, section 2), and what only a user's own reward scores."""

    MATH = "math"
    CODE = "code"
    LOGIC = "logic"
    STEM = "stem"
    SIMULATION = "simulation"
    TABLE = "table"
    OWN = "own"


class UnknownDataSource(ValueError):
    """No domain or no scorer is known for a data_source."""


# In the canonical spelling; the longest that fits wins. Guru's file names say logic__arcagi and logic__barc where its
# rows say simulation__; data sets outside of Guru come under their own names, with or without their owner.
DOMAIN_OF_PREFIX: dict[str, Domain] = {
    **dict.fromkeys(
        ("math__", "math_500", "math500", "math_dapo", "math_lighteval", "hendrycks_math", "competition_math", "gsm8k",
         "aime", "aimeamc", "amc", "aimo_validation", "hmmt", "minerva", "minervamath", "olympiadbench",
         "olympiad_bench", "deepscaler", "dapo_math", "numina", "numinamath", "orz_math"),
        Domain.MATH,
    ),
    **dict.fromkeys(
        ("codegen__", "humaneval", "humanevalplus", "openai_humaneval", "mbpp", "mbppplus", "leetcode", "leetcode2k",
         "livecodebench", "primeintellect", "taco", "apps", "codecontests", "codeforces"),
        Domain.CODE,
    ),
    **dict.fromkeys(
        ("logic__", "simulation__arcagi", "simulation__arc_agi", "simulation__barc", "arcagi", "arc_agi", "barc",
         "zebra_puzzle", "ordering_puzzle", "graph_logical"),
        Domain.LOGIC,
    ),
    **dict.fromkeys(("stem__", "stem_web", "supergpqa", "gpqa", "webinstruct"), Domain.STEM),
    **dict.fromkeys(("simulation__", "codeio", "cruxeval"), Domain.SIMULATION),
    **dict.fromkeys(("table__", "hitab", "multihier", "multihiertt", "finqa"), Domain.TABLE),
}  # fmt: skip
# Names that say nothing without their owner.
_WITH_OWNER = {"lighteval/math": "math_lighteval"}


def canonical(data_source: str) -> str:
    """One spelling for `HuggingFaceH4/MATH-500` and `math_500`; Guru's two underscores after the domain stay two."""
    name = data_source.casefold().strip()
    name = _WITH_OWNER.get(name, name.rpartition("/")[2])
    return re.sub(r"[^\w]+", "_", re.sub(r"_{2,}", "__", name))


def longest_prefix(data_source: str, prefixes: Iterable[str]) -> str | None:
    """The longest of `prefixes` that the canonical spelling starts with, or None.

    A prefix ends where a word ends: `taco` fits `taco_8k` and `taco2`, but not `tacos`.
    """
    name = canonical(data_source)
    matching = [
        prefix
        for prefix in prefixes
        if name.startswith(prefix) and (prefix[-1] == "_" or not name[len(prefix) : len(prefix) + 1].isalpha())
    ]
    return max(matching, key=len, default=None)


def domain_of(data_source: str) -> Domain:
    """The domain of a data_source, whether or not it has a scorer.

    Raises:
        UnknownDataSource: No known prefix fits; the message lists them.
    """
    prefix = longest_prefix(data_source, DOMAIN_OF_PREFIX)
    if prefix is None:
        known = ", ".join(sorted(DOMAIN_OF_PREFIX))
        raise UnknownDataSource(
            f"data_source {data_source!r} is unknown (column data_source of the data). "
            f"Known beginnings: {known}. Rename it to one of them, or score it with a function of your own "
            "(reward.path=FILE.py:FUNCTION, or --reward where a program has no settings)."
        )
    return DOMAIN_OF_PREFIX[prefix]
