"""Nested settings with dotted keys, as the command line writes them."""

import re
from collections.abc import Mapping
from typing import Any


def dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Every leaf by its dotted key, in order; an empty mapping is a leaf."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        found |= dotted(value, f"{name}.") if isinstance(value, Mapping) and value else {name: value}
    return found


def overlap(one: str, other: str) -> bool:
    """Whether two dotted keys are the same, or one lies inside the other."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


# Strings that Hydra's grammar reads back as they are; every other one is quoted.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.+-]*(://[A-Za-z0-9_/.+-]*)?")


Value = bool | int | float | str | None | list[str] | list[int] | dict[str, Any]


def render(value: Value) -> str:
    """A value in Hydra's override grammar, read back by Hydra to the same value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{render(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(render(item) for item in value) + "]"
    if isinstance(value, int | float):
        return repr(value)
    plain = _PLAIN.fullmatch(value) and value.lower() not in ("true", "false", "null", "nan", "inf")
    if plain:
        return value
    from hydra.core.override_parser.types import Quote, QuotedString  # 0.1 s, and rarely needed

    quoted: str = QuotedString(text=value, quote=Quote.single).with_quotes()
    return quoted
