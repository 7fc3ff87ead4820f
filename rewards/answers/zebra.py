"""Scores zebra puzzles: the table in the last <answer>, compared column by column by name and row by position."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rewards.answers.literal import BadLiteral, gold_literal, parse_literal
from rewards.answers.plain_text import unwrapped
from rewards.problem.extraction import after_thinking, last_answer
from rewards.problem.question import BadGroundTruth
from rewards.problem.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of cells, all in the form in which they are compared."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def parse_table(ground_truth: str) -> Table:
    """The gold table, rows in order.

    Raises:
        BadGroundTruth: Not a header with distinct names and rows of that length.
    """
    table = _table(gold_literal(ground_truth, "table"))
    if table is None or not table.rows or not table.header or len(set(table.header)) != len(table.header):
        raise BadGroundTruth(f"ground_truth is no table with header and rows: {ground_truth[:80]!r}")
    if any(len(row) != len(table.header) for row in table.rows):
        raise BadGroundTruth("ground_truth has a row that is not as long as its header")
    return table


def score_zebra(response: str, gold: Table) -> Verdict:
    """CORRECT if every cell is right and there is none too many.

    `credit` is the share of right cells, which Guru trains with, but without the first column: it holds the positions
    1 to n, which the puzzle itself gives.
    """
    answer = last_answer(after_thinking(response))
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    start, end = answer.find("{"), answer.rfind("}")
    try:
        table = _table(parse_literal(answer[start : end + 1]), gold.header) if start >= 0 else None
    except BadLiteral:
        table = None
    if table is None:
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    given = _aligned(table, gold)
    if given == gold.rows:
        return Verdict(outcome=Outcome.CORRECT, pred=answer)
    return Verdict(outcome=Outcome.WRONG, pred=answer, credit=_share(given, gold) if given else 0.0)


def _table(value: object, known_header: Sequence[str] = ()) -> Table | None:
    if not isinstance(value, Mapping):
        return None
    parts = {str(key).strip().casefold(): item for key, item in value.items()}
    header, rows = parts.get("header", list(known_header)), parts.get("rows")
    if not isinstance(header, list | tuple) or not isinstance(rows, list | tuple):
        return None
    names = tuple(map(_cell, header))
    cells = [_row(row, names) for row in rows]
    return Table(names, tuple(row for row in cells if row is not None)) if None not in cells else None


def _row(row: object, header: Sequence[str]) -> tuple[str, ...] | None:
    """A row's cells; text is not a list of letters."""
    if isinstance(row, Mapping):
        by_name = {_cell(key): _cell(item) for key, item in row.items()}
        return tuple(by_name[name] for name in header) if by_name.keys() == set(header) else None
    return tuple(map(_cell, row)) if isinstance(row, list | tuple) else None


def _cell(value: object) -> str:
    """One cell as compared: 1, 1.0 and "1" are the same, and so are `Hot Chocolate` and `hot-chocolate`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return f"\0{value!r}"
    return " ".join(unwrapped(str(value)).casefold().replace("-", " ").replace("_", " ").split())


def _aligned(table: Table, gold: Table) -> tuple[tuple[str, ...], ...] | None:
    """The rows with their columns in the gold order and, where the first column names the rows, in that order."""
    if sorted(table.header) != sorted(gold.header) or any(len(row) != len(gold.header) for row in table.rows):
        return None
    order = [table.header.index(name) for name in gold.header]
    rows = tuple(tuple(row[i] for i in order) for row in table.rows)
    positions = [row[0] for row in gold.rows]
    if len(set(positions)) == len(positions) and sorted(row[0] for row in rows) == sorted(positions):
        by_position = {row[0]: row for row in rows}
        rows = tuple(by_position[position] for position in positions)
    return rows


def _share(rows: tuple[tuple[str, ...], ...], gold: Table) -> float:
    right = sum(
        given == wanted
        for row, gold_row in zip(rows, gold.rows, strict=False)
        for given, wanted in zip(row[1:], gold_row[1:], strict=True)
    )
    cells = max(len(rows), len(gold.rows)) * (len(gold.header) - 1)
    return right / cells if cells else 0.0
