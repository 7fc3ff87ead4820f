"""The transcript of an agent's trajectory, as it is kept for people to read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sweeper.rows.sample import Turn

KEPT_TURNS = 32  # of a transcript: the first and the last ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What the model wrote and observed behind its prompt, in order."""

    turns: tuple[Turn, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(turn.text for turn in self.turns)

    @property
    def tokens(self) -> int:
        """Of all of it."""
        return sum(turn.tokens for turn in self.turns)

    def kept(self, characters: int) -> dict[str, Any]:
        """At most `KEPT_TURNS` turns of together at most `characters`, as JSON has them, and how many are left out."""
        first = min(KEPT_TURNS // 2, len(self.turns))
        last = max(first, len(self.turns) - (KEPT_TURNS - KEPT_TURNS // 2))
        turns = [*self.turns[:first], *self.turns[last:]]
        most = _most_each([len(turn.text) for turn in turns], characters)
        return {"turns": [asdict(_shortened(turn, most)) for turn in turns], "turns_left_out": last - first}


def segments(mask: Sequence[int]) -> list[tuple[int, int, bool]]:
    """Runs of equal values, as (first, end, whether it is of ones); of verl's `response_mask` the turns."""
    found: list[tuple[int, int, bool]] = []
    for place, one in enumerate(mask):
        if found and found[-1][2] == bool(one):
            found[-1] = (found[-1][0], place + 1, bool(one))
        else:
            found.append((place, place + 1, bool(one)))
    return found


def shortened(text: str, most: int) -> str:
    """A long text without its middle: what is asked begins it, the answer ends it."""
    half = most // 2
    return text if len(text) <= most else text[:half] + text[len(text) - half :]


def _shortened(turn: Turn, most: int) -> Turn:
    text = shortened(turn.text, most)
    return replace(turn, text=text, left_out=len(turn.text) - len(text))


def _most_each(lengths: Sequence[int], most: int) -> int:
    """How long each text may be so that all together have at most `most`, the short ones being whole."""
    left = most
    for done, length in enumerate(sorted(lengths)):
        each = left // (len(lengths) - done)
        if length > each:
            return each
        left -= length
    return max(lengths, default=0)
