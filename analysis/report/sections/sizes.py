"""pass@1 at the end of training against model size, and its paired gain over the base model."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing.axes import mark, size_axis
from analysis.drawing.page import Figure, Key, Section
from analysis.drawing.style import NEUTRAL, Look, series_keys
from analysis.drawing.svg import inline_svg, new_panel, style
from analysis.estimates.points import gain, pass_at
from analysis.passk.estimate import NONE, Estimate
from analysis.report.evidence import Evidence
from analysis.runs.selection import Point

TITLE = "pass@1 against model size"


def section(evidence: Evidence) -> Section:
    """Two panels: pass@1, and gain."""
    if not evidence.points:
        return Section(anchor="sizes", title=TITLE, missing=("No run has a measured pass@1.",))
    seeds = sorted({len(point.runs) for point in evidence.points})
    counts = " or ".join(str(count) for count in seeds)
    lead = (
        f"Colour and marker show the {evidence.varying}. Bars are 95% intervals over problems, and over seeds where "
        "there are several; the gain pairs base and trained model on the same problems. Each point is the mean of "
        f"{counts} training seed{'' if seeds == [1] else 's'}"
        f"{': the spread between seeds is not known' if seeds == [1] else ''}."
    )
    return Section(anchor="sizes", title=TITLE, lead=(lead,), figures=(_figure(evidence.points, evidence.looks),))


def _figure(points: Sequence[Point], looks: Mapping[str, Look]) -> Figure:
    shift = _dodge(points)
    sizes = [point.size for point in points]
    panels = []
    with style("size"):
        figure, axes = new_panel("pass@1 of base and trained models")
        bases: dict[tuple[int, float], Estimate] = {}
        for point in points:
            base = pass_at(point, 1, base=True)
            if base is not None:
                bases.setdefault((point.size, base.value), base)
        for (size, _), base in bases.items():
            mark(axes, size, base, colour=NEUTRAL, marker="o", hollow=True)
        for point in points:
            _seeds(axes, point, shift, looks)
            found = pass_at(point, 1)
            if found is not None:
                mark(axes, point.size * shift[point.series], found, **looks[point.series]._asdict())
        size_axis(axes, sizes)
        axes.set_ylabel("pass@1 (share of samples correct)")
        axes.set_ylim(bottom=0)
        panels.append(inline_svg(figure, name="size", description="pass@1 against non-embedding parameters"))
    with style("gain"):
        figure, axes = new_panel("Gain of training: trained minus base, paired")
        axes.axhline(0, color=NEUTRAL, linewidth=1)
        for point in points:
            found = gain(point)
            if found is not None:
                mark(axes, point.size * shift[point.series], found, **looks[point.series]._asdict())
        size_axis(axes, sizes)
        axes.set_ylabel("gain in pass@1")
        panels.append(inline_svg(figure, name="gain", description="gain in pass@1 against non-embedding parameters"))
    base_key = Key(label="base model", colour=NEUTRAL, marker="o", hollow=True)
    return Figure(
        name="sizes",
        keys=(base_key, *series_keys(dict(looks), marker=True)),
        panels=tuple(panels),
        data=pd.DataFrame([_record(point) for point in points]),
    )


def _record(point: Point) -> dict[str, object]:
    record: dict[str, object] = {
        "model": point.row.model,
        "n_params_non_embedding": point.size,
        "series": point.series,
        "group_id": point.row.group_id,
        "seeds": len(point.runs),
    }
    found = {"base": pass_at(point, 1, base=True), "trained": pass_at(point, 1), "gain": gain(point)}
    for name, value in found.items():
        mean, low, high = value or NONE
        record |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    return record


def _seeds(axes: Axes, point: Point, shift: dict[str, float], looks: Mapping[str, Look]) -> None:
    """Each seed as a small dot beside the mean, when there are several."""
    known = [value for run in point.runs if (value := run.pass1()) is not None]
    if len(known) > 1:
        x = point.size * shift[point.series] * shift["seed"]
        axes.plot([x] * len(known), known, marker=".", color=looks[point.series].colour, linestyle="none", markersize=4)


def _dodge(points: Sequence[Point]) -> dict[str, float]:
    """Factor on x for each series: bars of one size stand side by side, right of the base and left of the next."""
    names = list(dict.fromkeys(point.series for point in points))
    sizes = sorted({math.log10(point.size) for point in points})
    span = max(sizes[-1] - sizes[0], 0.5)
    room = min([0.75 * (after - before) for before, after in pairwise(sizes)] + [0.12 * span])
    step = min(0.03 * span, room / len(names))
    return {name: 10 ** (step * (i + 1)) for i, name in enumerate(names)} | {"seed": 10 ** (step / 3)}
