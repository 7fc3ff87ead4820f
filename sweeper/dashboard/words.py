"""Texts of other people on their way into a page: without secrets and without control characters.

Escaping is not done here: templates escape by themselves, and scripts of the page write texts as texts.
"""

from functools import lru_cache
from typing import Any

from rewards.terminal import visible
from sweeper.host.secret import hidden


def told(text: str) -> str:
    """A text as a page may show it."""
    return visible(hidden(text))


_told = lru_cache(maxsize=20_000)(told)  # the same ids and labels every few seconds


def told_in(value: Any) -> Any:
    """Plain values with every text, names in mappings included, as `told` leaves it; no number that JSON lacks."""
    if isinstance(value, str):
        return _told(value) if len(value) < 500 else told(value)
    if isinstance(value, dict):
        return {told_in(key): told_in(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [told_in(item) for item in value]
    if isinstance(value, float) and value - value != 0:  # infinite, or no number
        return str(value)
    return value
