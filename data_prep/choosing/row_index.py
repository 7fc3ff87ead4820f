"""What choosing rows needs to know of them, as columns: a scale is cut from these without reading a prompt."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_prep.files.row import Row
from data_prep.spec import PASS_RATE, DataError
from rewards import Domain
from rewards.bounded_parquet import read_table

DIFFICULTY = "difficulty"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIndex:
    """Columns of n rows, all in the same order.

    Attributes:
        problem_id: Of each row.
        domain: Of each row.
        data_source: Of each row.
        difficulty: Level, 1 the easiest; NaN where the source states none. Shape (n,).
        has_solution: Whether there is a reference solution. Shape (n,).
        position: Row number in the published file that the source was cut from; -1 where unknown. Shape (n,).
        pass_rates: By column name, 0 to 1, NaN where not measured. Shape (n,) each.
    """

    problem_id: list[str]
    domain: list[Domain]
    data_source: list[str]
    difficulty: NDArray[np.float64]
    has_solution: NDArray[np.bool_]
    position: NDArray[np.int64]
    pass_rates: dict[str, NDArray[np.float64]]

    def easiness(self, column: str) -> NDArray[np.float64]:
        """The higher the easier: a pass rate as it is, a level with the sign turned; NaN where unknown.

        Raises:
            DataError: No row has such a column; the message lists those there are.
        """
        if column == DIFFICULTY:
            return -self.difficulty
        if column not in self.pass_rates:
            known = ", ".join([DIFFICULTY, *sorted(self.pass_rates)])
            raise DataError(
                f"no training problem has the column {column} (curriculum.order_by, data.stratify_by, data.filters). "
                f"There are: {known}. Choose another, or give it in a file of data.annotations."
            )
        return self.pass_rates[column]


def index_of(rows: Sequence[Row]) -> RowIndex:
    """The columns of rows; pass rates and positions are in `rest`."""
    rests: list[dict[str, object]] = [json.loads(row.rest) if row.rest != "{}" else {} for row in rows]
    columns = sorted({name for rest in rests for name in rest if name.endswith(PASS_RATE)})
    positions = [rest.get("source_position") for rest in rests]
    return RowIndex(
        problem_id=[row.problem_id for row in rows],
        domain=[row.domain for row in rows],
        data_source=[row.data_source for row in rows],
        difficulty=np.array([row.difficulty for row in rows], dtype=np.float64),
        has_solution=np.array([row.solution is not None for row in rows], dtype=np.bool_),
        position=np.array([p if isinstance(p, int) else -1 for p in positions], dtype=np.int64),
        pass_rates={name: np.array([_rate(rest.get(name)) for rest in rests], dtype=np.float64) for name in columns},
    )


def _rate(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def write_index(index: RowIndex, path: Path) -> None:
    """Writes the columns as parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "problem_id": pa.array(index.problem_id, pa.string()),
        "domain": pa.array([str(domain) for domain in index.domain], pa.string()),
        "data_source": pa.array(index.data_source, pa.string()),
        DIFFICULTY: pa.array(index.difficulty),
        "has_solution": pa.array(index.has_solution),
        "position": pa.array(index.position),
        **{name: pa.array(rates) for name, rates in index.pass_rates.items()},
    }
    pq.write_table(pa.table(columns), path, compression="zstd")


def read_index(path: Path) -> RowIndex:
    """Reads the columns back."""
    table = read_table(path)
    domains = {str(domain): domain for domain in Domain}
    return RowIndex(
        problem_id=table.column("problem_id").to_pylist(),
        domain=[domains[name] for name in table.column("domain").to_pylist()],
        data_source=table.column("data_source").to_pylist(),
        difficulty=table.column(DIFFICULTY).to_numpy(),
        has_solution=table.column("has_solution").to_numpy(),
        position=table.column("position").to_numpy(),
        pass_rates={n: table.column(n).to_numpy() for n in table.column_names if n.endswith(PASS_RATE)},
    )
