"""A run's log for people: without control codes, redrawn bars, names of processes and verl's printed configuration."""

import re
from collections.abc import Iterable, Iterator

from rewards.terminal import visible
from sweeper.host.amounts import number_of

_PROCESS = re.compile(r"^\((?:\w+ )?(?:pid|ip)=[^)]*\) ?")  # what Ray writes before each line of a worker
_DUMP = re.compile(r"\{'actor_rollout_ref': ")  # verl's first line of it
_METRICS = re.compile(r"^ +[\"'].*(val-(core|aux)/|np\.\w+64\()")  # and of its metrics, as a dictionary
_BAR = re.compile(r"\d%|\d(it/s|s/it)\b")  # a state of a bar
_LONGEST = 240  # characters of a line


def readable(lines: Iterable[str]) -> Iterator[str]:
    """The lines that say something; what is left out is said in its place.

    A bar that was drawn over and over is its last state. verl prints its whole configuration, hundreds of lines of one
    dictionary, each deeper than its first.
    """
    dumped = 0
    for part in _parts(lines):
        bare = _PROCESS.sub("", visible(part))
        if _DUMP.match(bare) or _METRICS.match(bare) or (dumped and bare.startswith(" ")):
            dumped += 1
            continue
        if dumped:
            yield _note(dumped)
            dumped = 0
        if bare.strip():
            yield bare if len(bare) <= _LONGEST else f"{bare[:_LONGEST]}…"
    if dumped:
        yield _note(dumped)


def _parts(lines: Iterable[str]) -> Iterator[str]:
    """Lines, and of one that was drawn over its last state: of what is no bar, each state on a line of its own."""
    for line in lines:
        *earlier, last = [part for part in line.rstrip("\n").split("\r") if part.strip()] or [""]
        yield from (part for part in earlier if not _BAR.search(part))
        yield last


def _note(n: int) -> str:
    return f"({number_of(n, 'line')} of what verl prints of its configuration and metrics left out; --raw has all)"
