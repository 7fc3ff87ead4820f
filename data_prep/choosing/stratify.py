"""Difficulty bins, and an order in which every prefix has each bin in the share of the whole."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data_prep.choosing.mix import quota_sequence
from data_prep.choosing.row_index import DIFFICULTY, RowIndex

# Guru's bins of a pass rate (Reasoning360, model_filtering): never, fifths, always; by number, from -1 on.
RATE_BINS = ("0", "(0, .2)", "[.2, .4)", "[.4, .6)", "[.6, .8)", "[.8, 1)", "1")
_EDGES = np.array([0.2, 0.4, 0.6, 0.8])
_NEVER, _ALWAYS, _UNKNOWN = -1, 5, 6


def bins_of(index: RowIndex, column: str) -> NDArray[np.int64]:
    """The bin of each row: of its pass rate in `column`, or its level; rows without a value have a bin of their own.

    Raises:
        DataError: No row has such a column.
    """
    values = index.easiness(column)
    unknown = np.isnan(values)
    if column == DIFFICULTY:
        return np.where(unknown, 1, values).astype(np.int64)  # levels are negative here
    bins = rate_bins(values)
    bins[unknown] = _UNKNOWN
    return bins


def rate_bins(rates: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each pass rate, 0 to 1: -1 (never) to 5 (always), see `RATE_BINS`. Shape of `rates`."""
    bins = np.digitize(rates, _EDGES)
    bins[rates <= 0] = _NEVER
    bins[rates >= 1] = _ALWAYS
    return bins


def stratified(rows: Sequence[int], bins: NDArray[np.int64]) -> list[int]:
    """`rows` so reordered that each prefix has every bin within one row of its share; inside a bin the order stays.

    Args:
        rows: Row numbers.
        bins: Of all rows.
    """
    of_bin: dict[int, list[int]] = {}
    for row in rows:
        of_bin.setdefault(int(bins[row]), []).append(row)
    shares = Counter({name: len(of_bin[name]) for name in sorted(of_bin)})
    streams = {name: iter(members) for name, members in of_bin.items()}
    return [next(streams[name]) for name in quota_sequence(shares, len(rows))]
