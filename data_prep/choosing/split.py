"""Divides chosen problems between supervised fine-tuning and RL at a fixed total."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_prep.choosing.mix import domain_counts
from data_prep.choosing.rank import content_rank
from data_prep.choosing.row_index import RowIndex
from data_prep.spec import DataError, DataSpec

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Disjoint rows, together all that were chosen; both in the order of training."""

    sft: Rows
    rl: Rows


def sft_and_rl(spec: DataSpec, index: RowIndex, rows: Rows, qualified: Collection[str]) -> Parts:
    """Exactly round(share x n) problems for fine-tuning, in the domains' shares, the rest for RL.

    Which problems go depends on their content, so the fine-tuning set of a smaller share is a part of a larger one's.

    Args:
        spec: The share and the seed.
        index: Of all rows.
        rows: Chosen problems.
        qualified: Ids of further problems that have a solution, besides those with a reference solution.

    Raises:
        DataError: A domain has too few problems with a solution.
    """
    n_sft = int(spec.sft_share * len(rows) + 0.5)
    if n_sft == 0:
        return Parts(sft=rows[:0], rl=rows)
    if n_sft == len(rows):
        raise DataError(
            f"data.sft_share={spec.sft_share} of {len(rows)} problems leaves none for RL. Lower it or raise "
            "data_scale.n_unique."
        )
    present = Counter(str(index.domain[row]) for row in rows.tolist())
    taken: set[int] = set()
    for domain, count in domain_counts(present, n_sft).items():
        able = [
            row
            for row in rows.tolist()
            if index.domain[row] is domain and (index.has_solution[row] or index.problem_id[row] in qualified)
        ]
        if len(able) < count:
            raise DataError(
                f"data.sft_share={spec.sft_share} needs {count} {domain} problems with a solution, but {len(able)} of "
                f"the {present[domain]} chosen have one. Lower data.sft_share, or set data.sft_solutions to a file of "
                "rejection-sampled answers (problem_id, solution)."
            )
        able.sort(key=lambda row: content_rank(f"sft|{spec.seed}", index.problem_id[row]))
        taken.update(able[:count])
    is_sft = np.array([row in taken for row in rows.tolist()], dtype=np.bool_)
    return Parts(sft=rows[is_sft], rl=rows[~is_sft])
