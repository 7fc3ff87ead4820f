"""The figures of a report: lists of panels with one legend, every panel an inline SVG.

One colour and marker a series, everywhere the same; the base model is hollow or dashed. Panels of one figure share
their axes. The palette is Okabe and Ito's, which stays apart for colour-blind readers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.bootstrap import Estimate
from analysis.estimates import all_ks, gain, pass_at
from analysis.frame import SEPARATOR, Point, Run, points_of, series_of
from analysis.numerals import short
from analysis.svg import inline_svg, new_panel, style

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
NEUTRAL = "#5a5a5a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One entry of a legend."""

    label: str
    colour: str
    marker: str | None = None
    hollow: bool = False
    dashed: bool = False
    line: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureGroup:
    """Panels that belong together; `panels` are SVG elements."""

    keys: tuple[Key, ...]
    panels: tuple[str, ...]


def looks(runs: Sequence[Run]) -> dict[str, tuple[str, str]]:
    """(colour, marker) of each series in the order of the runs.

    When several fields tell series apart, the last (the data scale, where it varies) is the colour and the others are
    the marker.
    """
    names = [name.rsplit(SEPARATOR, 1) for name in dict.fromkeys(series_of(runs).values())]
    colours = list(dict.fromkeys(parts[-1] for parts in names))
    markers = list(dict.fromkeys(parts[0] for parts in names))
    return {
        SEPARATOR.join(parts): (
            PALETTE[colours.index(parts[-1]) % len(PALETTE)],
            MARKERS[markers.index(parts[0]) % len(MARKERS)],
        )
        for parts in names
    }


def size_figure(runs: Sequence[Run]) -> FigureGroup:
    """pass@1 against model size, and its paired gain over the base model."""
    points, look = points_of(runs), looks(runs)
    panels = []
    shift = _dodge(points)
    with style("size"):
        figure, axes = new_panel("pass@1 of base and trained models")
        bases: dict[tuple[str, float], Point] = {}
        for point in points:
            base = pass_at(point, 1, base=True)
            if base is not None:
                bases.setdefault((point.row.model, base.value), point)
        for point in bases.values():
            base = pass_at(point, 1, base=True)
            if base is not None:
                _mark(axes, point.size, base, colour=NEUTRAL, marker="o", hollow=True)
        for point in points:
            _seeds(axes, point, shift, look, [run.pass1() for run in point.runs])
            found = pass_at(point, 1)
            if found is not None:
                colour, marker = look[point.series]
                _mark(axes, point.size * shift[point.series], found, colour=colour, marker=marker)
        _size_axis(axes, points)
        axes.set_ylabel("pass@1 (share of samples correct)")
        axes.set_ylim(bottom=0)
        panels.append(inline_svg(figure, name="size", description="pass@1 against non-embedding parameters"))
    with style("gain"):
        figure, axes = new_panel("Gain of training: trained minus base, paired")
        axes.axhline(0, color=NEUTRAL, linewidth=1)
        for point in points:
            found = gain(point)
            if found is not None:
                colour, marker = look[point.series]
                _mark(axes, point.size * shift[point.series], found, colour=colour, marker=marker)
        _size_axis(axes, points)
        axes.set_ylabel("gain in pass@1")
        panels.append(inline_svg(figure, name="gain", description="gain in pass@1 against non-embedding parameters"))
    base_key = Key(label="base model", colour=NEUTRAL, marker="o", hollow=True)
    return FigureGroup(keys=(base_key, *series_keys(look, marker=True)), panels=tuple(panels))


def curve_figure(runs: Sequence[Run], field: str) -> FigureGroup | None:
    """`reward` or `val_pass1` against training steps: a panel a model, a line a run; None if nothing was logged."""
    look, labels = looks(runs), series_of(runs)
    lines: dict[tuple[int, str], list[tuple[str, list[tuple[int, float]]]]] = {}
    for run in runs:
        values = [(point.step, value) for point in run.row.curve if (value := getattr(point, field)) is not None]
        if values:
            key = (run.row.n_params_non_embedding, run.row.model)
            lines.setdefault(key, []).append((labels[run.row.run_id], values))
    if not lines:
        return None
    everything = [pair for members in lines.values() for _, values in members for pair in values]
    xs, ys = zip(*everything, strict=True)
    what = {"reward": "training reward (batch mean)", "val_pass1": "validation accuracy"}[field]
    panels = []
    for i, ((size, model), members) in enumerate(sorted(lines.items())):
        name = f"{field.replace('_', '-')}-{i}"
        with style(name):
            figure, axes = new_panel(f"{model} ({short(size)})")
            for series, values in members:
                colour, marker = look[series]
                steps, heights = zip(*values, strict=True)
                every = max(1, len(values) // 8)
                axes.plot(steps, heights, color=colour, marker=marker, markersize=4, markevery=every, linewidth=1.4)
            _limits(axes, xs, ys)
            axes.set_xlabel("training step")
            axes.set_ylabel(what)
            panels.append(inline_svg(figure, name=name, description=f"{what} of {model} against training steps"))
    return FigureGroup(keys=series_keys(look, marker=True, line=True), panels=tuple(panels))


def pass_at_k_figure(runs: Sequence[Run]) -> FigureGroup | None:
    """pass@k of base (dashed) and trained (solid) models: a panel a model; None if nothing was measured."""
    points, look = points_of(runs), looks(runs)
    ks = all_ks(points)
    if not ks:
        return None
    models: dict[tuple[int, str], list[Point]] = {}
    for point in points:
        models.setdefault((point.size, point.row.model), []).append(point)
    panels = []
    for i, ((size, model), members) in enumerate(models.items()):
        name = f"pass-at-k-{i}"
        with style(name):
            figure, axes = new_panel(f"{model} ({short(size)})")
            drawn: set[tuple[float | None, ...]] = set()
            for point in members:
                base = [pass_at(point, k, base=True) for k in ks]
                values = tuple(item.value if item else None for item in base)
                if values not in drawn:
                    drawn.add(values)
                    _band(axes, ks, base, colour=NEUTRAL, dashed=True, marker=None)
            for point in members:
                colour, marker = look[point.series]
                _band(axes, ks, [pass_at(point, k) for k in ks], colour=colour, dashed=False, marker=marker)
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_locator(FixedLocator(ks))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_ylim(0, 1.02)
            axes.set_xlabel("k (samples a problem)")
            axes.set_ylabel("pass@k")
            panels.append(inline_svg(figure, name=name, description=f"pass@k of {model}, base and trained"))
    base_key = Key(label="base model", colour=NEUTRAL, dashed=True, line=True)
    return FigureGroup(keys=(base_key, *series_keys(look, marker=True, line=True)), panels=tuple(panels))


def _mark(axes: Axes, x: float, value: Estimate, *, colour: str, marker: str, hollow: bool = False) -> None:
    if value.low is not None and value.high is not None:
        axes.plot([x, x], [value.low, value.high], color=colour, linewidth=1.3, solid_capstyle="butt", zorder=2)
    axes.plot(
        [x],
        [value.value],
        marker=marker,
        color=colour,
        linestyle="none",
        markersize=6.5,
        zorder=3,
        markerfacecolor="white" if hollow else colour,
        markeredgewidth=1.4,
    )


def _seeds(
    axes: Axes, point: Point, shift: dict[str, float], look: dict[str, tuple[str, str]], values: list[float | None]
) -> None:
    """Each seed as a small dot beside the mean, when there are several."""
    known = [value for value in values if value is not None]
    if len(known) > 1:
        x = point.size * shift[point.series] * shift["seed"]
        axes.plot([x] * len(known), known, marker=".", color=look[point.series][0], linestyle="none", markersize=4)


def _band(
    axes: Axes, ks: Sequence[int], values: Sequence[Estimate | None], *, colour: str, dashed: bool, marker: str | None
) -> None:
    known = [(k, item) for k, item in zip(ks, values, strict=True) if item is not None]
    whole = [(k, item.low, item.high) for k, item in known if item.low is not None and item.high is not None]
    if whole:
        at, low, high = zip(*whole, strict=True)
        axes.fill_between(at, low, high, color=colour, alpha=0.13, linewidth=0)
    axes.plot(
        [k for k, _ in known],
        [item.value for _, item in known],
        color=colour,
        linestyle="--" if dashed else "-",
        marker=marker,
        markersize=4,
        linewidth=1.6,
    )


def _dodge(points: Sequence[Point]) -> dict[str, float]:
    """Factor on x for each series: bars of one size stand side by side, right of the base and left of the next."""
    names = list(dict.fromkeys(point.series for point in points))
    sizes = sorted({math.log10(point.size) for point in points})
    span = max(sizes[-1] - sizes[0], 0.5)
    room = min([0.75 * (after - before) for before, after in pairwise(sizes)] + [0.12 * span])
    step = min(0.03 * span, room / len(names))
    return {name: 10 ** (step * (i + 1)) for i, name in enumerate(names)} | {"seed": 10 ** (step / 3)}


def _size_axis(axes: Axes, points: Sequence[Point]) -> None:
    axes.set_xscale("log")
    sizes = [point.size for point in points]
    size_ticks(axes, sizes)
    margin = 1.6 if min(sizes) < max(sizes) else 3
    axes.set_xlim(min(sizes) / margin, max(sizes) * margin * 1.15)
    axes.set_xlabel("non-embedding parameters")


def size_ticks(axes: Axes, sizes: Sequence[int]) -> None:
    """One tick a model; where labels would touch, the later one is left without a label."""
    distinct = sorted(set(sizes))
    span = max(math.log10(distinct[-1] / distinct[0]), 0.5)
    labelled = distinct[:1]
    for size in distinct[1:]:
        if math.log10(size / labelled[-1]) > 0.11 * span:
            labelled.append(size)
    axes.xaxis.set_major_locator(FixedLocator(distinct))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: short(x) if round(x) in labelled else ""))
    axes.xaxis.set_minor_locator(NullLocator())


def _limits(axes: Axes, xs: Sequence[float], ys: Sequence[float]) -> None:
    """The same limits for every panel; zero is in sight when the values are not negative."""
    low, high = min(*ys, 0.0), max(ys)
    pad = 0.04 * ((high - low) or 1)
    axes.set_ylim(low - (pad if low < 0 else 0), high + pad)
    width = max(xs) - min(xs)
    axes.set_xlim(min(xs) - 0.02 * (width or 1), max(xs) + 0.02 * (width or 1))


def series_keys(look: dict[str, tuple[str, str]], *, marker: bool = False, line: bool = False) -> tuple[Key, ...]:
    """Legend entries of the series."""
    return tuple(
        Key(label=name, colour=colour, marker=shape if marker else None, line=line)
        for name, (colour, shape) in look.items()
    )
