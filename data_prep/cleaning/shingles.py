"""Texts as sets of overlapping runs of bytes, in numpy: exact similarities, and an index of which texts share a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

# Eight bytes are one machine word: a shingle is its own hash, and no two collide.
SHINGLE = 8
# Odd, so that it has an inverse modulo 2**64; Knuth's multiplier of MMIX.
_BASE = 6364136223846793005
_INVERSE = pow(_BASE, -1, 2**64)
# Spreads every bit over the high ones (2**64 divided by the golden ratio).
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_CHUNK_BYTES = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Hashed runs of some texts: `hashes` of text i are those from `offsets[i]` to `offsets[i + 1]`, in text order."""

    first: int
    hashes: Hashes
    offsets: NDArray[np.int64]

    def texts(self) -> NDArray[np.int64]:
        """The number of the text that each hash is of. Shape (len(hashes),)."""
        return self.first + np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


def shingles(texts: Sequence[str]) -> Iterator[Runs]:
    """All runs of `SHINGLE` bytes, chunk by chunk; a shorter text is one run, padded."""
    for first, data, starts, lengths in _chunks(texts, pad=SHINGLE):
        windows = np.lib.stride_tricks.sliding_window_view(data, SHINGLE)
        counts = lengths - SHINGLE + 1
        places = _places(starts, counts)
        hashes = np.ascontiguousarray(windows[places]).view("<u8").ravel().astype(np.uint64, copy=False)
        yield Runs(first=first, hashes=hashes, offsets=_offsets(counts))


def runs(texts: Sequence[str], length: int) -> Iterator[Runs]:
    """Hashes of all runs of `length` bytes, chunk by chunk; a shorter text has none. Different runs may collide."""
    for first, data, starts, lengths in _chunks(texts, pad=1):
        size = len(data)
        powers, inverses = _powers(_BASE, size + 1), _powers(_INVERSE, size + 1)
        prefix = np.zeros(size + 1, np.uint64)
        np.cumsum((data.astype(np.uint64) + np.uint64(1)) * powers[:size], out=prefix[1:])
        counts = np.maximum(lengths - length + 1, 0)
        places = _places(starts, counts)
        hashes = (prefix[places + length] - prefix[places]) * inverses[places]
        # Sums of consecutive bytes are regular in their low bits; a multiplication and a shift mix them.
        hashes = (hashes ^ (hashes >> np.uint64(29))) * _MIXER
        yield Runs(first=first, hashes=hashes, offsets=_offsets(counts))


def shingle_set(text: str) -> Hashes:
    """The different shingles of one text, sorted."""
    encoded = text.encode("utf-8", "replace").ljust(SHINGLE, b"\0")
    words = [
        np.frombuffer(encoded, "<u8", count=(len(encoded) - start) // SHINGLE, offset=start)
        for start in range(min(SHINGLE, len(encoded) - SHINGLE + 1))
    ]
    every = np.concatenate(words).astype(np.uint64, copy=False)
    every.sort()
    return every[np.concatenate(([True], every[1:] != every[:-1]))]


def is_in(values: Hashes, members: Hashes) -> NDArray[np.bool_]:
    """Which of `values` occur in the sorted set `members`. Shape of `values`."""
    if len(members) == 0:
        return np.zeros(len(values), bool)
    found: NDArray[np.bool_] = members[np.minimum(np.searchsorted(members, values), len(members) - 1)] == values
    return found


def n_shared(first: Hashes, second: Hashes) -> int:
    """How many shingles two sorted sets have in common."""
    few, many = (first, second) if len(first) <= len(second) else (second, first)
    return int(np.count_nonzero(is_in(few, many)))


def jaccard(first: Hashes, second: Hashes) -> float:
    """Shared share of two sorted sets, 0 to 1."""
    both = n_shared(first, second)
    return both / (len(first) + len(second) - both)


class Filter:
    """Tells in one look-up that a hash is not in a set; that it may be, it says of some others too."""

    def __init__(self, members: Hashes, *, bits: int) -> None:
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, bool)
        self._table[self._places(members)] = True

    def may_hold(self, values: Hashes) -> NDArray[np.bool_]:
        """False where a value is surely no member. Shape of `values`."""
        possible: NDArray[np.bool_] = self._table[self._places(values)]
        return possible

    def _places(self, values: Hashes) -> NDArray[np.int64]:
        return ((values * _MIXER) >> self._shift).astype(np.int64)


def _chunks(
    texts: Sequence[str], *, pad: int
) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]]:
    """Texts as bytes, so many at a time that the hashes of a chunk fit in tens of megabytes."""
    chunk: list[bytes] = []
    first = size = 0
    for number, text in enumerate(texts):
        encoded = text.encode("utf-8", "replace").ljust(pad, b"\0")
        chunk.append(encoded)
        size += len(encoded)
        if size >= _CHUNK_BYTES or number == len(texts) - 1:
            lengths = np.array([len(item) for item in chunk], np.int64)
            starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
            yield first, np.frombuffer(b"".join(chunk), np.uint8), starts, lengths
            chunk, first, size = [], number + 1, 0


def _places(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """`starts[i], starts[i] + 1, ...`, `counts[i]` of them, for every i, in one array."""
    before = np.concatenate(([0], np.cumsum(counts)[:-1]))
    return np.arange(int(counts.sum())) + np.repeat(starts - before, counts)


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(counts)))


def _powers(base: int, size: int) -> Hashes:
    powers = np.full(size, base, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)
