"""The closed set of domains and which data_source belongs to which."""

from enum import StrEnum


class Domain(StrEnum):
    """Guru's six domains (Reasoning360, arXiv:2506.14965, section 2)."""

    MATH = "math"
    CODE = "code"
    LOGIC = "logic"
    STEM = "stem"
    SIMULATION = "simulation"
    TABLE = "table"


class UnknownDataSource(ValueError):
    """No domain or no scorer is known for a data_source."""


# Longest prefix wins. Guru's file names say logic__arcagi and logic__barc where its rows said simulation__.
DOMAIN_OF_PREFIX: dict[str, Domain] = {
    "math__": Domain.MATH,
    "openai/gsm8k": Domain.MATH,
    "aime2024": Domain.MATH,
    "aimeamc2023": Domain.MATH,
    "codegen__": Domain.CODE,
    "logic__": Domain.LOGIC,
    "stem__": Domain.STEM,
    "stem_web": Domain.STEM,
    "simulation__": Domain.SIMULATION,
    "simulation__arcagi": Domain.LOGIC,
    "simulation__barc": Domain.LOGIC,
    "table__": Domain.TABLE,
}


def longest_prefix(data_source: str, prefixes: dict[str, Domain] | frozenset[str]) -> str | None:
    """The longest of `prefixes` that `data_source` starts with, or None."""
    matching = [prefix for prefix in prefixes if data_source.startswith(prefix)]
    return max(matching, key=len, default=None)


def domain_of(data_source: str) -> Domain:
    """The domain of a data_source, whether or not it has a scorer yet.

    Raises:
        UnknownDataSource: No known prefix fits; the message lists them.
    """
    prefix = longest_prefix(data_source, DOMAIN_OF_PREFIX)
    if prefix is None:
        known = ", ".join(sorted(DOMAIN_OF_PREFIX))
        raise UnknownDataSource(
            f"data_source {data_source!r} is unknown (column data_source of the data). "
            f"Known prefixes: {known}. Rename it to one of them, or add a scorer in rewards/."
        )
    return DOMAIN_OF_PREFIX[prefix]
