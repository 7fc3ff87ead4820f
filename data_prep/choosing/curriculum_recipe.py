"""The row selection of arXiv:2509.25300's math curriculum, by index arithmetic alone.

The published files were made from the 54,404 rows of Guru's math, sorted by Qwen2.5-7B's pass rate, easiest first:

1. Rows with a pass rate of at least 0.3 are easy (11,804), the rest hard (42,600). 250 of each, drawn with pandas'
   `sample(random_state=42)` and `(43)`, became `holdout_500.parquet`.
2. The other 53,904 were sorted again; the first 51,200 (11,554 easy) are the training set, which leaves out the 2,704
   hardest.
3. Each subset of k rows has int(k * 11554 / 51200) easy rows, again drawn with seeds 42 and 43, in the order of the
   training set. One seed means one permutation, so the subsets nest, although the paper calls them independent.

Both sorts were unstable, so which row of equal pass rate has which position is known only from the published files
themselves, whose `__index_level_0__` column states it: rows are found by that column.
"""

import numpy as np
from numpy.typing import NDArray

from data_prep.spec import DataError

N_TRAIN, N_EASY = 51_200, 11_554
PUBLISHED_SIZES = (25_600, 12_800, 10_240, 5_120, 2_560, 2_048, 1_024, 512)
_EASY_SEED, _HARD_SEED = 42, 43

Positions = NDArray[np.int64]


def subset_positions(k: int) -> Positions:
    """Positions in the training set of the subset of `k` rows, ascending, which is the order in its file. Shape (k,).

    Args:
        k: Rows, 1 to 51,200; `PUBLISHED_SIZES` are those of the paper.

    Raises:
        DataError: k outside that range.
    """
    if not 1 <= k <= N_TRAIN:
        raise DataError(
            f"data_scale.n_unique={k}: the recipe guru_math_cl has 1 to {N_TRAIN} rows (published: "
            f"{', '.join(map(str, PUBLISHED_SIZES))})."
        )
    n_easy = int(k * N_EASY / N_TRAIN)
    easy = _drawn(_EASY_SEED, N_EASY, n_easy)
    hard = N_EASY + _drawn(_HARD_SEED, N_TRAIN - N_EASY, k - n_easy)
    return np.concatenate([np.sort(easy), np.sort(hard)])


def recipe_rows(positions: Positions, k: int) -> NDArray[np.intp]:
    """Which of the rows at `positions` make the subset of `k`, in its order. Shape (k,).

    Args:
        positions: Of the rows at hand, -1 where unknown, shape (n,). The same position may occur in several files.
        k: Rows of the subset.

    Raises:
        DataError: Rows of the subset are not at hand.
    """
    wanted = subset_positions(k)
    known, first = np.unique(positions, return_index=True)
    where = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    found = known[where] == wanted if len(known) else np.zeros(k, dtype=np.bool_)
    if not found.all():
        raise DataError(
            f"data_scale.n_unique={k} with data.recipe=guru_math_cl: {int((~found).sum())} of its {k} rows are not in "
            f"data_root, the first at position {int(wanted[~found][0])}. Add the published file of {k} rows or a "
            "larger one (math__sampled_1_*.parquet); positions are in its column __index_level_0__."
        )
    chosen: NDArray[np.intp] = first[where]
    return chosen


def _drawn(seed: int, n: int, k: int) -> Positions:
    # RandomState on purpose: pandas' sample(random_state=seed) draws with the legacy generator.
    return np.random.RandomState(seed).choice(n, k, replace=False).astype(np.int64)
