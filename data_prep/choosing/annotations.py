"""Files that add to rows by `problem_id`: rejection-sampled solutions, and measured pass rates."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from data_prep.choosing.row_index import RowIndex
from data_prep.sources.record_file import records
from data_prep.spec import PASS_RATE, DataError


def read_solutions(path: str) -> dict[str, str]:
    """Solution by problem id; the first of several.

    Raises:
        DataError: Unreadable, or a row without both texts.
    """
    solutions: dict[str, str] = {}
    for number, record in records(side_file(path)):
        name, solution = record.get("problem_id"), record.get("solution")
        if not isinstance(name, str) or not isinstance(solution, str) or not solution.strip():
            raise DataError(f"{path} row {number} (data.sft_solutions): needs problem_id and solution, both text.")
        solutions.setdefault(name, solution)
    return solutions


def read_pass_rates(paths: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Pass rates by column and problem id.

    Raises:
        DataError: Unreadable, no pass-rate column, or a rate that is not between 0 and 1.
    """
    rates: dict[str, dict[str, float]] = {}
    for path in paths:
        for number, record in records(side_file(path)):
            name = record.get("problem_id")
            columns = [column for column in record if column.endswith(PASS_RATE)]
            if not isinstance(name, str) or not columns:
                raise DataError(f"{path} row {number} (data.annotations): needs problem_id and a column *{PASS_RATE}.")
            for column in columns:
                value = record[column]
                if value is None:
                    continue
                if not isinstance(value, int | float) or not 0 <= value <= 1:
                    raise DataError(
                        f"{path} row {number} (data.annotations): {column}={value!r} is not between 0 and 1."
                    )
                rates.setdefault(column, {})[name] = float(value)
    return rates


def annotated(index: RowIndex, rates: dict[str, dict[str, float]]) -> RowIndex:
    """The index with measured pass rates; a measurement takes precedence over the source's of the same name."""
    pass_rates = dict(index.pass_rates)
    for column, of_problem in rates.items():
        known = pass_rates.get(column, np.full(len(index.problem_id), np.nan))
        values = [of_problem.get(name, float(old)) for name, old in zip(index.problem_id, known, strict=True)]
        pass_rates[column] = np.array(values, dtype=np.float64)
    return replace(index, pass_rates=pass_rates)


def side_file(path: str) -> Path:
    """The file at `path`.

    Raises:
        DataError: There is none.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"{path} (data.sft_solutions, data.annotations) is not a file. Give a parquet or JSONL file.")
    return file
