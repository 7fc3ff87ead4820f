"""A heat map: a matrix of values with their intervals written into its cells."""

from dataclasses import asdict
from typing import Any

import pandas as pd

from analysis.drawing.answer import Cell, HeatMap
from analysis.drawing.page import Figure
from analysis.drawing.style import DIVERGING
from analysis.drawing.view import WIDE, Spec, View, told, value_text
from analysis.passk.estimate import Estimate

LINE, AROUND = 46, 80  # pixels of a line, and of the axes
DARK = 0.62  # of the way from the centre, from which a cell takes white text
LONG = 9  # characters of a column's name, from which the names are slanted


def draw_heat_map(asked: HeatMap, name: str) -> Figure:
    """One view."""
    cells = [
        (row, column, cell)
        for row, own in zip(asked.rows, asked.cells, strict=True)
        for column, cell in zip(asked.columns, own, strict=True)
    ]
    reach = max((abs(cell.value - asked.centre) for _, _, cell in cells if cell.value is not None), default=1.0) or 1.0
    columns: dict[str, list[Any]] = {
        "row": [row for row, _, _ in cells],
        "column": [column for _, column, _ in cells],
        "number": [cell.value for _, _, cell in cells],
        "short": ["no number" if cell.value is None else f"{cell.value:.2f}{cell.mark}" for _, _, cell in cells],
        "ends": [_ends(cell) for _, _, cell in cells],
        "value": [_whole(cell) for _, _, cell in cells],
        "dark": [int(cell.value is not None and abs(cell.value - asked.centre) / reach > DARK) for _, _, cell in cells],
    }
    slanted = max(map(len, asked.columns)) > LONG
    view = View(
        title=asked.title,
        columns=columns,
        height=AROUND + LINE * len(asked.rows) + 5 * slanted * max(map(len, asked.columns)),
        spec={
            "encoding": {
                "x": _side("column", asked.column_label, asked.columns, angle=-35 if slanted else 0),
                "y": _side("row", asked.row_label, asked.rows, angle=0),
                "tooltip": told(("row", asked.row_label), ("column", asked.column_label), ("value", "value")),
            },
            "layer": _layers(asked.centre, reach),
        },
    )
    records = [{asked.row_label: row, asked.column_label: column, **asdict(cell)} for row, column, cell in cells]
    return Figure(name=name, keys=(), views=(view,), data=pd.DataFrame(records))


def _side(field: str, title: str, names: tuple[str, ...], *, angle: int) -> Spec:
    axis = {"title": title, "labelAngle": angle, "grid": False, "ticks": False, "domain": False, "labelLimit": 140}
    return {"field": field, "type": "nominal", "scale": {"domain": list(names)}, "axis": axis}


def _layers(centre: float, reach: float) -> list[Spec]:
    scale = {
        "type": "linear",
        "domain": [centre + share * reach for share in (-1, -0.5, 0, 0.5, 1)],
        "range": list(DIVERGING),
        "clamp": True,
    }
    colour = {"field": "number", "type": "quantitative", "scale": scale, "legend": None}
    ink: Spec = {"color": {"condition": {"test": "datum.dark == 1", "value": "#ffffff"}, "value": "#1d1d1f"}}
    known = [{"filter": "isValid(datum.number)"}]
    return [
        {"name": "nothing", "mark": {"type": "rect", "color": "#8c8c8c", "opacity": 0.15}},
        {"name": "cell", "transform": known, "mark": {"type": "rect"}, "encoding": {"color": colour}},
        {
            "name": "none",
            "transform": [{"filter": "!isValid(datum.number)"}],
            "mark": {"type": "text", "fontSize": 9},
            "encoding": {"text": {"field": "short"}},
        },
        {
            "name": "number",
            "transform": known,
            "mark": {"type": "text", "fontSize": 12, "dy": -5},
            "encoding": {"text": {"field": "short"}} | ink,
        },
        {
            "name": f"{WIDE}-ends",
            "transform": known,
            "mark": {"type": "text", "fontSize": 9, "dy": 10},
            "encoding": {"text": {"field": "ends"}} | ink,
        },
    ]


def _ends(cell: Cell) -> str:
    return "" if cell.low is None or cell.high is None else f"{cell.low:.2f} to {cell.high:.2f}"


def _whole(cell: Cell) -> str:
    if cell.value is None:
        return cell.note or "no number"
    return value_text(Estimate(cell.value, cell.low, cell.high)) + cell.mark
