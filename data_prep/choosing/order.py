"""Puts chosen rows into the order they are trained in."""

import numpy as np
from numpy.typing import NDArray

from data_prep.choosing.row_index import DIFFICULTY, RowIndex
from data_prep.spec import DataError, DataSpec, Order

Rows = NDArray[np.intp]


def in_order(spec: DataSpec, index: RowIndex, rows: Rows) -> Rows:
    """`rows` in `spec.order`; rows that tie keep the order they come in. Shape (n,).

    Raises:
        DataError: Rows without a value of the column that a curriculum goes by.
    """
    match spec.order:
        case Order.mixed:
            return rows
        case Order.easy_to_hard:
            return rows[np.argsort(-_easiness(spec, index, rows), kind="stable")]
        case Order.hard_to_easy:
            return rows[np.argsort(_easiness(spec, index, rows), kind="stable")]
        case Order.staged:
            if spec.order_by is not None:
                rows = rows[np.argsort(-_easiness(spec, index, rows), kind="stable")]
            stage = {name: number for number, name in enumerate(spec.stages)}
            return rows[np.argsort([stage[index.domain[row]] for row in rows.tolist()], kind="stable")]


def _easiness(spec: DataSpec, index: RowIndex, rows: Rows) -> NDArray[np.float64]:
    column = DIFFICULTY if spec.order_by is None else spec.order_by
    values = index.easiness(column)[rows]
    unknown = int(np.isnan(values).sum())
    if unknown:
        first = index.problem_id[rows[np.flatnonzero(np.isnan(values))[0]]]
        known = ", ".join(sorted(index.pass_rates)) or "none"
        raise DataError(
            f"curriculum.order={spec.order}: {unknown} of {len(rows)} training problems have no {column}, the first "
            f"{first}. Set curriculum.order_by to a column that all have (pass rates here: {known}), "
            "give it in a file of data.annotations, or filter on it (data.filters)."
        )
    return values
