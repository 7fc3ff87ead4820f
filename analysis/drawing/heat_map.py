"""A heat map: a matrix of values with their intervals written into its cells."""

from dataclasses import asdict
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm

from analysis.drawing.answer import Cell, HeatMap
from analysis.drawing.page import Figure
from analysis.drawing.style import NEUTRAL
from analysis.drawing.svg import HEIGHT_IN, WIDTH_IN, inline_svg, new_panel

DIVERGING = "PuOr"  # stays apart for colour-blind readers, pale at its centre


def draw_heat_map(asked: HeatMap, name: str) -> Figure:
    """Call inside `style`."""
    figure, axes = new_panel(asked.title, fitted=True)
    figure.set_size_inches(max(WIDTH_IN, 1.6 + 0.85 * len(asked.columns)), max(HEIGHT_IN, 1.1 + 0.5 * len(asked.rows)))
    values = np.array(
        [[np.nan if cell.value is None else cell.value for cell in row] for row in asked.cells], dtype=np.float64
    )
    reach = float(np.nanmax(np.abs(values - asked.centre))) if np.isfinite(values).any() else 1.0
    norm = TwoSlopeNorm(asked.centre, asked.centre - (reach or 1.0), asked.centre + (reach or 1.0))
    axes.set_facecolor("#ececec")
    axes.pcolormesh(np.ma.masked_invalid(values), cmap=DIVERGING, norm=norm, edgecolors="white", linewidth=1.5)
    for i, row in enumerate(asked.cells):
        for j, cell in enumerate(row):
            distance = abs(values[i, j] - asked.centre) / (reach or 1.0) if cell.value is not None else 0.0
            _write_cell(axes, j + 0.5, i + 0.5, cell, dark=distance > 0.62)
    axes.set_xticks(np.arange(len(asked.columns)) + 0.5, asked.columns)
    axes.set_yticks(np.arange(len(asked.rows)) + 0.5, asked.rows)
    axes.set_xlabel(asked.column_label)
    axes.set_ylabel(asked.row_label)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(length=0)
    panel = inline_svg(figure, name=name, description=asked.title)
    records = [
        {asked.row_label: label, asked.column_label: column, **asdict(cell)}
        for label, row in zip(asked.rows, asked.cells, strict=True)
        for column, cell in zip(asked.columns, row, strict=True)
    ]
    return Figure(name=name, keys=(), panels=(panel,), data=pd.DataFrame(records))


def _write_cell(axes: Axes, x: float, y: float, cell: Cell, *, dark: bool) -> None:
    write = partial(axes.text, x, ha="center", va="center", color="white" if dark else "#222222")
    if cell.value is None:
        write(y, "no number", fontsize=7, color=NEUTRAL)
        return
    known = cell.low is not None and cell.high is not None
    write(y - (0.13 if known else 0), f"{cell.value:.2f}{cell.mark}", fontsize=9)
    if known:
        write(y + 0.22, f"{cell.low:.2f} to {cell.high:.2f}", fontsize=6.5)
