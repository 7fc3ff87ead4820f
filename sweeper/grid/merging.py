"""Points in which a setting changes nothing: it is left as it was there, and points that are then the same are one.

So a run has one id whatever is asked of it in vain, and an axis costs nothing where it has no effect.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sweeper.grid.assembly import Plain, label, with_value
from sweeper.host.amounts import number_of
from sweeper.host.errors import ConfigError
from sweeper.spec.idle import idle, setting

Pair = tuple[dict[str, str], Plain]  # the label of each axis, and the config


def merged(points: Iterable[Pair], unset: Callable[[Mapping[str, str]], Plain]) -> tuple[list[Pair], tuple[str, ...]]:
    """Leave settings that change nothing as they were; returns the points that differ, and what was done.

    `unset` gives the config of a choice without what was asked of such settings.

    Raises:
        ConfigError: a setting was asked for that changes nothing in any point.
    """
    total, idle_in, moved, dropped = 0, Counter[str](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    asked: dict[str, Any] = {}
    kept: dict[tuple[str, ...], Pair] = {}
    parts = _Parts()
    for choice, config in points:
        total += 1
        base, reasons = unset(choice), idle(config)
        idle_in.update(list(reasons))
        moves = [(key, why) for key, why in reasons.items() if setting(config, key) != setting(base, key)]
        for key, _ in moves:
            asked.setdefault(key, setting(config, key))
            config = parts.moved(config, base, key)
            choice = {**choice, key: label(setting(base, key))} if key in choice else choice
        moved.update(moves)
        # One value may be written in two ways.
        place = tuple(str(setting(base, key)) if key in reasons else value for key, value in choice.items())
        if place in kept:
            dropped[next(pair for pair in reasons.items() if pair in moved)] += 1
        else:
            kept[place] = (choice, config)
    for key, why in moved:
        if idle_in[key] == total:
            raise ConfigError(
                f"{key}={label(asked[key])} changes nothing, because {why}; set that otherwise, or leave {key} out"
            )
    notes = []
    for (key, why), n in moved.items():
        again = dropped[key, why]
        notes.append(
            f"{key} changes nothing where {why}: left as it was in {number_of(n, 'point')}"
            + (f"; {again} left out, being the same run as another" if again else "")
        )
    return list(kept.values()), tuple(notes)


class _Parts:
    """Parts of configs with one setting changed, shared by the points that have the same."""

    def __init__(self) -> None:
        self._changed: dict[tuple[int, int, str], tuple[Any, Any, Any]] = {}  # keeps what its key identifies

    def moved(self, config: Plain, base: Plain, key: str) -> Plain:
        """`config` with the value that `base` has."""
        top, _, rest = key.partition(".")
        place = (id(config[top]), id(base[top]), key)
        if place not in self._changed:
            part = with_value(config[top], rest.split("."), setting(base, key), create=False)
            self._changed[place] = (config[top], base[top], part)
        return {**config, top: self._changed[place][2]}
