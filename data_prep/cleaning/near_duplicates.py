"""Finds problems that are nearly the same, by MinHash and an exact check of what it proposes."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from data_prep.cleaning.boilerplate import LEFT, boilerplate, own_shingles
from data_prep.cleaning.shingles import Filter, Hashes, Runs, is_in, jaccard, shingles

# Signatures decide only what is compared; similarities are exact. The seed is any.
_PERMUTATIONS = 128
_SEED = 20
# A pair exactly at the threshold is proposed with this probability or more.
_RECALL = 0.99


def near_twins(
    texts: Sequence[str],
    sources: Sequence[str],
    *,
    rank: Callable[[int], bytes],
    may_be_same: Callable[[int, int], bool],
    threshold: float,
) -> dict[int, tuple[int, float]]:
    """Each text that resembles a kept one: its number to that one's and their Jaccard similarity.

    Args:
        texts: Letters and digits.
        sources: Of each text, for what its problems have in common anyway.
        rank: Sort key of a text by its number; of two that are alike, the first is kept.
        may_be_same: Whether two texts that are alike, by their numbers, can be the same problem.
        threshold: Jaccard similarity of shingles without boilerplate, in (0, 1].
    """
    common = boilerplate(texts, sources)
    rows_a_band = _rows_a_band(threshold)
    flagged = _flagged(texts, common, rows_a_band).tolist()
    bands = dict(zip(flagged, _bands([texts[number] for number in flagged], common, rows_a_band), strict=True))
    kept: dict[int, Hashes] = {}
    buckets: dict[bytes, list[int]] = {}
    twins: dict[int, tuple[int, float]] = {}
    for number in sorted(flagged, key=rank):
        own = own_shingles(texts[number], common)
        candidates = sorted({other for band in bands[number] for other in buckets.get(band, ())})
        similar = [(other, jaccard(own, kept[other])) for other in candidates if _can_be(own, kept[other], threshold)]
        alike = [pair for pair in similar if pair[1] >= threshold and may_be_same(number, pair[0])]
        if alike:
            twins[number] = max(alike, key=lambda pair: pair[1])
            continue
        kept[number] = own
        for band in bands[number]:
            buckets.setdefault(band, []).append(number)
    return twins


def _can_be(first: Hashes, second: Hashes, threshold: float) -> bool:
    """Sets of too different sizes cannot be similar."""
    return min(len(first), len(second)) >= threshold * max(len(first), len(second))


def _rows_a_band(threshold: float) -> int:
    def recall(rows: int) -> float:
        return float(1 - (1 - threshold**rows) ** (_PERMUTATIONS // rows))

    return max((rows for rows in (1, 2, 4, 8, 16, 32) if recall(rows) >= _RECALL), default=1)


def _flagged(texts: Sequence[str], common: Hashes, rows_a_band: int) -> NDArray[np.int64]:
    """Numbers of the texts that share a band with another."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=0.5, num_perm=_PERMUTATIONS, num_bands=_PERMUTATIONS // rows_a_band)
    matrices = []
    for part in shingles(texts):
        hashes, offsets = _without(part, common)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, _PERMUTATIONS, _SEED)
        index.insert_matrix(matrix, part.first)
        matrices.append(matrix)
    flags = [np.array(index.query_duplicate_flags_matrix(matrix), bool) for matrix in matrices]
    return np.flatnonzero(np.concatenate([np.empty(0, bool), *flags]))


def _bands(texts: Sequence[str], common: Hashes, rows_a_band: int) -> Iterator[list[bytes]]:
    from rensa import RMinHash

    for part in shingles(texts):
        hashes, offsets = _without(part, common)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, _PERMUTATIONS, _SEED)
        for row in np.array(matrix.to_rows(), np.uint32):
            yield [
                bytes([place]) + row[place : place + rows_a_band].tobytes()
                for place in range(0, _PERMUTATIONS, rows_a_band)
            ]


def _without(part: Runs, common: Hashes) -> tuple[Hashes, NDArray[np.uint64]]:
    """The hashes that are no boilerplate; all of a text's where next to nothing would be left."""
    offsets = part.offsets
    if len(common) == 0:
        return part.hashes, offsets.astype(np.uint64)
    is_own = np.ones(len(part.hashes), bool)
    suspects = np.flatnonzero(Filter(common, bits=20).may_hold(part.hashes))
    is_own[suspects[is_in(part.hashes[suspects], common)]] = False
    own = np.add.reduceat(is_own, offsets[:-1], dtype=np.int64)
    is_own |= np.repeat(own < LEFT, np.diff(offsets))
    counts = np.add.reduceat(is_own, offsets[:-1], dtype=np.int64)
    return part.hashes[is_own], np.concatenate(([0], np.cumsum(counts))).astype(np.uint64)
