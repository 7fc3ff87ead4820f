"""A CSV as a frame on which conditions and columns are SQL expressions.

Expressions are evaluated by DuckDB over the rows alone, with no access to files, network or Python objects; nothing is
ever passed to `eval`.
"""

import csv
import hashlib
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.imports.delimited import canonical
from analysis.laws.sample import Floats, LawError
from rewards.bounded_file import MIB, read_bytes
from sweeper.rows.closed_query import QueryError, answered

_MOST_BYTES = 64 * MIB  # of a file
_MOST_COLUMNS = 1000  # which SQL sees, and messages name
_NAMED = 10  # columns in a message
ROW_NUMBER = "row_number_of_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of a file."""

    path: Path
    digest: str  # SHA-256 of the file's bytes
    frame: pd.DataFrame
    said: tuple[str, ...] = ()  # what was guessed of its delimiter, its encoding and its numbers

    def condition(self, text: str, option: str) -> NDArray[np.bool_]:
        """Which rows satisfy an SQL condition; null counts as no.

        Raises:
            LawError: the condition is not one, or names no column of the file.
        """
        values = self._expression(text, option)
        if not all(isinstance(item, bool) for item in values.dropna().tolist()):
            raise LawError(f"{option} {text!r} is not a condition - compare columns, as in {option} \"x_kind = 'C'\"")
        return np.asarray(values.fillna(False).astype(bool), dtype=np.bool_)

    def numbers(self, text: str, option: str) -> Floats:
        """A column, or an expression of columns, as numbers; NaN where it is null.

        Raises:
            LawError: there is no such column, or it holds text.
        """
        values = self.values(text, option)
        numbers = pd.to_numeric(values, errors="coerce")  # not float(): that accepts 1_000
        if (bad := numbers.isna() & values.notna()).any():
            raise LawError(
                f"{option} {text}: {values[bad].iloc[0]!r} is not a number - name a numeric column, or leave the row "
                "out with --where"
            )
        return np.asarray(numbers, dtype=np.float64)

    def labels(self, text: str, option: str) -> tuple[str, ...]:
        """A column as labels; whole numbers without decimals.

        Raises:
            LawError: there is no such column, or a row has none.
        """
        values = self.values(text, option)
        if values.isna().any():
            raise LawError(f"{option} {text}: {int(values.isna().sum())} rows have none - leave them out with --where")
        return tuple(f"{item:.12g}" if isinstance(item, float) else str(item) for item in values.tolist())

    def values(self, text: str, option: str) -> "pd.Series[Any]":
        """A column by name, else an SQL expression of columns."""
        if text in self.frame.columns:
            return self.frame[text]
        return self._expression(text, option)

    def take(self, rows: NDArray[np.bool_]) -> "Table":
        """Rows of a mask."""
        return replace(self, frame=self.frame[rows].reset_index(drop=True))

    def _expression(self, text: str, option: str) -> "pd.Series[Any]":
        self._refuse_case(text, option)
        query = f"SELECT ({text}\n) AS value FROM numbered ORDER BY {ROW_NUMBER} LIMIT {len(self.frame) + 1}"
        tables = {"rows": self.frame, "numbered": self.frame.assign(**{ROW_NUMBER: np.arange(len(self.frame))})}
        try:
            with answered(tables, query) as answer:
                found: pd.DataFrame = answer.df()
        except QueryError as error:
            raise LawError(self._advice(text, option, str(error))) from None
        if len(found) != len(self.frame):
            raise LawError(f"{option} {text!r} is not one value per row - give an expression of the columns")
        value: pd.Series[Any] = found["value"]
        return value

    def _refuse_case(self, text: str, option: str) -> None:
        """SQL does not tell N from n: DuckDB would silently read the first of them for both."""
        names = [str(name) for name in self.frame.columns]
        for name in names:
            twins = [other for other in names if other.lower() == name.lower()]
            if len(twins) > 1 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
                raise LawError(
                    f"{option} {text!r}: the columns {' and '.join(twins)} differ in case only, which SQL cannot tell "
                    "apart - rename one in the file"
                )

    def _advice(self, text: str, option: str, message: str) -> str:
        names = [str(name) for name in self.frame.columns]
        close = get_close_matches(text, names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        reason, more = message.splitlines()[0], f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return (
            f"{option} {text!r} is neither a column of {self.path.name} nor an SQL expression of its columns: {reason} "
            f'- {hint}columns: {", ".join(names[:_NAMED])}{more}; write a name with spaces as "a name"'
        )


def read_table(path: Path) -> Table:
    """Rows of a CSV file.

    Raises:
        LawError: there is no such file, or it holds no rows.
    """
    try:
        data = read_bytes(path, _MOST_BYTES)
        text, said = canonical(data)
        if text.partition("\n")[0].count(",") >= _MOST_COLUMNS:
            raise ValueError(f"it has more than {_MOST_COLUMNS:,} columns")
        frame = pd.read_csv(io.BytesIO(text.encode()), encoding="utf-8")
    except FileNotFoundError:
        raise LawError(f"there is no file {path} - give a CSV file with a header line") from None
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise LawError(f"{path} cannot be read as CSV ({reason}) - give a CSV file with a header line") from None
    if not len(frame):
        raise LawError(f"{path} holds no rows - give a CSV file with a header line and at least one row")
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        header, first = itertools.islice((line for line in lines if line), 2)
    except csv.Error as error:
        raise LawError(f"{path} cannot be read as CSV ({error}) - give a CSV file with a header line") from None
    repeated = sorted(name for name, times in Counter(filter(None, header)).items() if times > 1)
    if repeated:
        raise LawError(f"{path} has two columns named {', '.join(repeated)} - rename one")
    if len(first) > len(header):  # pandas would take the surplus first fields as labels and shift every column
        raise LawError(f"{path}: {len(first)} fields a row, but {len(header)} column names - name every column")
    return Table(path=path, digest=hashlib.sha256(data).hexdigest(), frame=frame, said=said)
