"""Scores ARC-AGI 1 and 2 and BARC: the grid in the last <answer>, all cells equal."""

import re
from collections.abc import Iterator

from rewards.answers.literal import gold_literal
from rewards.problem.extraction import after_thinking, last_answer
from rewards.problem.question import BadGroundTruth
from rewards.problem.verdict import Verdict, judged

Grid = tuple[tuple[int, ...], ...]

# A grid of 30 by 30, the largest there is, with a cell a line and indentation.
_MAX_ANSWER = 1 << 15
_CELL = re.compile(r"""["']?(-?[0-9]{1,4})["']?""")
_GAP = re.compile(r"[\s,]*")
_ROW = re.compile(r"\[([^\[\]]*)\]")


def parse_grid(ground_truth: str) -> Grid:
    """The gold grid.

    Raises:
        BadGroundTruth: Not a non-empty rectangle of integers.
    """
    rows = gold_literal(ground_truth, "grid")
    if not isinstance(rows, list | tuple) or not rows or not all(isinstance(row, list | tuple) and row for row in rows):
        raise BadGroundTruth(f"ground_truth is no list of rows: {ground_truth[:80]!r}")
    if not all(type(cell) is int for row in rows for cell in row) or len({len(row) for row in rows}) != 1:
        raise BadGroundTruth("ground_truth is no rectangle of integers")
    return tuple(tuple(row) for row in rows)


def score_arc(response: str, gold: Grid) -> Verdict:
    """Right only if the answer holds one grid (or the same one again) and it is the gold one, cell by cell."""
    most = max(_MAX_ANSWER, 16 * len(gold) * len(gold[0]))
    return judged(last_answer(after_thinking(response)), lambda answer: _shows(answer, gold), most)


def _shows(answer: str, gold: Grid) -> bool:
    grids = _grids(answer) if "[" in answer else _plain_grid(answer)
    return bool(grids) and all(grid == gold for grid in grids)


def _grids(answer: str) -> list[Grid | None]:
    """Every bracketed grid in the text; rows without outer brackets are one; None for what cannot be a grid."""
    groups = list(_groups(answer))
    if groups and all(depth == 1 for _, depth in groups):
        return [_grid("".join(text for text, _ in groups))]
    return [_grid(text[1:-1]) if depth == 2 else None for text, depth in groups]


def _groups(text: str) -> Iterator[tuple[str, int]]:
    depth = deepest = start = 0
    for bracket in re.finditer(r"[\[\]]", text):
        if bracket.group() == "[":
            if depth == 0:
                start, deepest = bracket.start(), 0
            depth += 1
            deepest = max(deepest, depth)
        elif depth:
            depth -= 1
            if depth == 0:
                yield text[start : bracket.end()], deepest
    if depth:
        yield text[start:], -1


def _grid(rows: str) -> Grid | None:
    grid = []
    position = 0
    for row in _ROW.finditer(rows):
        if not _GAP.fullmatch(rows, position, row.start()):
            return None
        cells = _cells(row.group(1))
        if cells is None:
            return None
        grid.append(cells)
        position = row.end()
    return tuple(grid) if _GAP.fullmatch(rows, position) else None


def _cells(row: str) -> tuple[int, ...] | None:
    """Cells between commas or blanks; whole numbers only, since 1.9 is not 1."""
    written = row.strip().removesuffix(",").split(",") if "," in row else row.split()
    cells = [_CELL.fullmatch(cell.strip()) for cell in written]
    return tuple(int(cell.group(1)) for cell in cells if cell) if cells and all(cells) else None


def _plain_grid(answer: str) -> list[Grid | None]:
    """Rows as lines of numbers, without any brackets."""
    rows = [_cells(line.strip(" |")) for line in answer.translate(_PIPES).splitlines() if line.strip()]
    return [tuple(row for row in rows if row is not None)] if rows and None not in rows else []


_PIPES = str.maketrans({"|": " "})
