"""Which data sources the user's own reward functions cover, in place of ours or beside them."""

from collections.abc import Sequence
from functools import lru_cache

from rewards.problem.domains import Domain, UnknownDataSource, canonical, longest_prefix
from rewards.problem.domains import domain_of as known_domain

EVERYTHING = "*"


def source_and_reference(one: str) -> tuple[str, str]:
    """What `SOURCE=FILE.py:FUNCTION` covers, and the function; without a source it covers everything."""
    source, equals, reference = one.partition("=")
    return (source, reference) if equals else (EVERYTHING, one)


@lru_cache(256)
def _table(own: tuple[str, ...]) -> dict[str, str]:
    pairs = map(source_and_reference, own)
    return {source if source == EVERYTHING else canonical(source): reference for source, reference in pairs}


def covering(data_source: str, own: Sequence[str]) -> str | None:
    """The own function that scores a source, `FILE.py:FUNCTION`; None where it is one of ours.

    Args:
        data_source: In any spelling.
        own: Each `SOURCE=FILE.py:FUNCTION`, where the source covers all whose name begins with it (words whole, the
            longest that fits); `FILE.py:FUNCTION` or `*=FILE.py:FUNCTION` covers what no other does.
    """
    source = covered_as(data_source, own)
    return None if source is None else _table(tuple(own))[source]


def covered_as(data_source: str, own: Sequence[str]) -> str | None:
    """Which of the sources that `own` states covers this one, in one spelling; None: none of them."""
    if not own:
        return None
    table = _table(tuple(own))
    prefix = longest_prefix(data_source, (source for source in table if source != EVERYTHING))
    return prefix or (EVERYTHING if EVERYTHING in table else None)


def domain_of(data_source: str, own: Sequence[str] = ()) -> Domain:
    """The domain of a source: one of Guru's six by the beginning of its name; `own` if only an own function knows it.

    Raises:
        UnknownDataSource: Nobody knows it.
    """
    try:
        return known_domain(data_source)
    except UnknownDataSource:
        if covering(data_source, own) is None:
            raise
        return Domain.OWN
