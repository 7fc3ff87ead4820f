"""The figure of the power laws: error against size and FLOPs in log-log."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.figures import NEUTRAL, FigureGroup, Key, looks, series_keys, size_ticks
from analysis.frame import Run, series_of
from analysis.power_law import PowerLaw
from analysis.row_laws import ALL_RUNS, Axis, Law
from analysis.svg import inline_svg, new_panel, style


def law_figure(laws: Sequence[Law], runs: Sequence[Run]) -> FigureGroup | None:
    """Error against size and FLOPs in log-log, with the law of all runs, its band and the held-out prediction."""
    look, labels = looks(runs), series_of(runs)
    panels, held_out = [], False
    for law in laws:
        if law.subset != ALL_RUNS or not isinstance(law.result, PowerLaw):
            continue
        name = f"law-{law.axis.name}"
        with style(name):
            figure, axes = new_panel(f"Error against {law.axis}")
            _law_line(axes, law.result)
            for item in law.observations:
                colour, marker = look[labels[item.run_id]]
                axes.plot([item.x], [item.error], marker=marker, color=colour, linestyle="none", markersize=6)
            held = law.result.held_out
            if held is not None:
                held_out = True
                at = [item.x for item in law.observations if item.run_id in held.run_ids]
                axes.plot(
                    [float(np.exp(np.mean(np.log(at))))],
                    [held.predicted],
                    marker="*",
                    color="none",
                    linestyle="none",
                    markeredgecolor="#000000",
                    markersize=13,
                    zorder=5,
                )
            axes.set_xscale("log")
            axes.set_yscale("log")
            _error_ticks(axes)
            if law.axis is Axis.size:
                size_ticks(axes, [int(item.x) for item in law.observations])
            axes.set_xlabel(
                "non-embedding parameters" if law.axis is Axis.size else "training FLOPs (model, all phases)"
            )
            axes.set_ylabel("error (1 - pass@1)")
            panels.append(inline_svg(figure, name=name, description=f"error against {law.axis} with a power law"))
    if not panels:
        return None
    keys = [*series_keys(look, marker=True), Key(label="power law of all runs, 95% band", colour=NEUTRAL, line=True)]
    if held_out:
        label = "largest size, predicted by the law fitted without it"
        keys.append(Key(label=label, colour="#000000", marker="*", hollow=True))
    return FigureGroup(keys=tuple(keys), panels=tuple(panels))


def _law_line(axes: Axes, fit: PowerLaw) -> None:
    grid = np.geomspace(fit.x_min, fit.x_max, 40)
    axes.plot(grid, [fit.predict(x) for x in grid], color=NEUTRAL, linewidth=1.6)
    bands = [fit.band(x) for x in grid]
    known = [band for band in bands if band is not None]
    if len(known) == len(grid):
        low, high = zip(*known, strict=True)
        axes.fill_between(grid, low, high, color=NEUTRAL, alpha=0.16, linewidth=0)


def _error_ticks(axes: Axes) -> None:
    """Decimal ticks on a log axis, as many as fit."""
    low, high = axes.get_ylim()
    inside: list[float] = []
    for steps in ((1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0), (1.0, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0)):
        ticks = [step * 10.0**power for power in range(-6, 1) for step in steps]
        inside = [tick for tick in ticks if low <= tick <= min(high, 1.0001)]
        if len(inside) <= 8:
            break
    if len(inside) < 3:
        inside = [round(float(tick), 3) for tick in np.geomspace(low, high, 6)[1:-1]]
    axes.yaxis.set_major_locator(FixedLocator(inside))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.yaxis.set_minor_locator(NullLocator())
