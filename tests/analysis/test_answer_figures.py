"""Figures of answers: every kind is drawn, long texts leave room, data hold what was drawn."""

import json
import warnings
from dataclasses import replace
from itertools import pairwise
from typing import Any

import altair
import pytest

from analysis.drawing.answer import Bar, Cell, Chart, Forest, Guide, HeatMap, Mark, Panels, Scale, Stack, Stacks, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.axes import APART, Axis, decimal_ticks, labels, ticks_at
from analysis.drawing.chart import FURTHEST, limits
from analysis.drawing.chart_rows import BESIDE, MOST_PLACES, MOST_POINTS
from analysis.drawing.line_names import APART as NAMES_APART
from analysis.drawing.page import Figure
from analysis.drawing.picture import inline_svg
from analysis.drawing.style import NEUTRAL, PALETTE
from analysis.drawing.view import View
from analysis.estimates.numerals import plain
from analysis.passk.estimate import Estimate


def assert_valid(figure: Figure) -> None:
    """By the schema of Vega-Lite, and drawn without a warning."""
    for view in figure.views:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            altair.Chart.from_dict(view.whole(width="container", hover=True))
        assert inline_svg(view, description=view.title).startswith("<svg")


def layer(view: View, name: str) -> dict[str, Any]:
    return next(item for item in view.spec["layer"] if item["name"] == name)


def chart(*traces: Trace, y: Scale | None = None) -> Chart:
    return Chart(title="t", x=Scale(label="x", log=True), y=y or Scale(label="y"), traces=traces)


def test_a_sentence_as_reason_leaves_the_axes_their_room() -> None:
    reason = "neither arm reaches the level in 16% of the draws, " * 3 + "and none of them here"
    bars = (Bar(label="grpo, 512 problems", value=None, note=reason), Bar(label="ppo, 512 problems", value=1.2))
    found = draw(Forest(title="multiplier", axis=Scale(label="x", log=True), bars=bars), name="multiplier")
    assert list(found.data["note"]) == [reason, ""]
    assert found.caption == f"All: 512 problems. No number for grpo: {reason}."  # whole below the figure
    assert layer(found.views[0], "note")["mark"]["limit"] == {"expr": "width - 12"}
    assert found.views[0].columns["value"] == [reason, "1.20"]  # the pointer is told the whole of it
    assert_valid(found)


def test_a_chart_has_one_legend_entry_a_group_and_keeps_every_point() -> None:
    traces = tuple(
        Trace(label=label, group="grpo", mark=mark, x=(1.0, 10.0), y=(0.2, 0.3), low=(0.1, None), high=(0.3, None))
        for label, mark in (("run 0", Mark.point), ("run 1", Mark.point), ("law", Mark.line))
    )
    found = draw(chart(*traces), name="chart")
    assert [(key.label, key.group) for key in found.keys] == [("grpo", "grpo")]
    assert len(found.data) == 6
    assert_valid(found)


def test_intervals_of_two_groups_at_one_x_stand_side_by_side_within_the_panel() -> None:
    traces = tuple(
        Trace(label=f"once, {group}", group=group, mark=Mark.point, x=(2.0, 3.0), y=(5, 6), low=(4, 4), high=(9, 8))
        for group in ("grpo", "ppo")
    )
    found = draw(chart(*traces), name="chart")
    assert [key.label for key in found.keys] == ["grpo", "ppo"]
    assert found.caption == "All: once."
    axis, _ = limits(chart(*traces))
    shares = [axis.share(x) for x in found.views[0].columns["x"]]
    assert shares[2] - shares[0] == pytest.approx(BESIDE, abs=1e-4)
    assert shares[3] - shares[1] == pytest.approx(BESIDE, abs=1e-4)
    assert 0 < min(shares) < max(shares) < 1
    assert found.views[0].columns["place"] == ["2", "3"] * 2  # the pointer is told where they were measured
    assert list(found.data["x"]) == [2.0, 3.0] * 2


def test_a_heat_map_writes_values_with_their_marks_and_says_where_there_is_none() -> None:
    cells = ((Cell(value=1.0), Cell(value=-0.4, low=-0.9, high=-0.1, mark="*")), (Cell(value=None), Cell(value=1.0)))
    asked = HeatMap(title="t", row_label="from", column_label="to", rows=("a", "b"), columns=("a", "b"), cells=cells)
    found = draw(asked, name="heat")
    assert found.views[0].columns["short"] == ["1.00", "-0.40*", "no number", "1.00"]
    assert "0.40*" in inline_svg(found.views[0], description="heat")
    assert "no number" in inline_svg(found.views[0], description="heat")
    assert len(found.data) == 4
    assert_valid(found)


def test_panels_have_one_legend_with_a_colour_for_each_group_and_keep_the_numbers_of_each() -> None:
    def one(title: str, *groups: str) -> Chart:
        traces = tuple(Trace(label=group, group=group, mark=Mark.line, x=(1.0, 2.0), y=(3.0, 4.0)) for group in groups)
        base = Trace(label="base", group="base", mark=Mark.dashed, x=(1.0, 2.0), y=(1.0, 1.0))
        return Chart(title=title, x=Scale(label="x"), y=Scale(label="y"), traces=(base, *traces))

    found = draw(Panels(title="both", charts=(one("one", "grpo"), one("two", "ppo", "grpo"))), name="panels")
    assert len(found.views) == 2
    colours = dict(zip(("grpo", "ppo", "base"), (*PALETTE[:2], NEUTRAL), strict=True))  # a baseline is grey
    assert {key.label: key.colour for key in found.keys} == colours
    for view in found.views:
        scale = layer(view, "line")["encoding"]["color"]["scale"]
        assert dict(zip(scale["domain"], scale["range"], strict=True)) == colours
    assert found.views[0].spec["encoding"]["y"]["scale"] == found.views[1].spec["encoding"]["y"]["scale"]
    assert found.caption == "Both."
    assert found.data.groupby(["panel", "group"]).size().to_dict() == {
        ("one", "base"): 2,
        ("one", "grpo"): 2,
        ("two", "base"): 2,
        ("two", "grpo"): 2,
        ("two", "ppo"): 2,
    }
    assert_valid(found)


def test_a_band_ends_at_the_edge_of_a_panel_and_an_interval_of_a_point_never_does() -> None:
    x, y = (1.0, 2.0), (5.0, 6.0)
    wide = Trace(label="law", group="a", mark=Mark.line, x=x, y=y, low=(-95.0, -94.0), high=(105.0, 106.0))
    point = Trace(label="point", group="a", mark=Mark.point, x=x, y=y, low=(2.0, 3.0), high=(8.0, 9.0))
    alone, together = (limits(chart(*traces))[1] for traces in ((wide,), (wide, point)))
    room = 1.1 * FURTHEST  # with the margin around it
    assert 5.0 - 1.5 * room <= alone.low < 5.0
    assert 6.0 < alone.high <= 6.0 + 1.5 * room
    assert together.low < 2.0
    assert together.high > 9.0


def test_a_band_of_shares_stays_between_0_and_1() -> None:
    line = Trace(label="law", group="a", mark=Mark.line, x=(1, 2), y=(0.1, 0.2), low=(-0.13, 0.0), high=(0.22, 0.62))
    point = Trace(label="p", group="a", mark=Mark.point, x=(1, 2), y=(0.1, 0.9), low=(0.0, 0.7), high=(0.3, 1.2))
    found = draw(chart(line, point, y=Scale.share("pass@1")), name="chart")
    low, high = found.views[0].spec["encoding"]["y"]["scale"]["domain"]
    assert (low, high) == (0.0, 1.0)
    ends = [end for name in ("low", "high") for end in found.views[0].columns[name]]
    assert min(ends) == 0.0
    assert max(ends) == 1.0


def test_a_band_that_covers_all_of_its_panel_is_said_and_not_drawn() -> None:
    wide = Trace(label="law", group="a", mark=Mark.line, x=(1, 2), y=(0.2, 0.21), low=(-5, -5), high=(5, 5))
    found = draw(chart(wide, y=Scale.share("pass@1")), name="chart")
    assert found.caption == 'The band "law" fills this panel and is not drawn.'
    assert found.views[0].columns["low"] == [None, None]
    assert found.views[0].columns["value"][0] == "0.20 [-5.00, 5.00]"
    assert list(found.data["low"]) == [-5, -5]


def test_a_long_series_is_thinned_with_counts_and_its_data_are_whole() -> None:
    x = tuple(float(i) for i in range(1, 1511))
    points = Trace(label="runs", group="a", mark=Mark.point, x=x, y=x)
    found = draw(chart(points), name="chart")
    assert found.caption == "Drawn: every 26th of 1,510 points of a series; the files hold all."
    assert len(found.views[0].columns["x"]) <= MOST_POINTS + 1
    assert (found.views[0].columns["x"][0], found.views[0].columns["x"][-1]) == (1.0, 1510.0)
    assert len(found.data) == 1510
    line = draw(chart(Trace(label="runs", group="a", mark=Mark.line, x=x, y=x)), name="chart")
    assert line.caption == "Drawn: every 8th of 1,510 points of a series; the files hold all."
    assert len(line.views[0].columns["x"]) <= MOST_PLACES + 1


def test_the_pointer_is_told_a_number_as_every_other_text_has_it() -> None:
    found = draw(
        chart(Trace(label="a", group="a", mark=Mark.point, x=(12_000.0,), y=(0.1234,), low=(0.1011,), high=(0.1449,))),
        name="chart",
    )
    assert found.views[0].columns["value"] == [plain(Estimate(0.1234, 0.1011, 0.1449))]
    assert found.views[0].columns["place"] == ["12K"]


def test_names_at_the_ends_of_lines_do_not_touch_and_stand_in_the_order_of_the_lines() -> None:
    traces = [
        Trace(label=name, group=name, mark=Mark.line, x=(1.0, 10.0), y=(0.0, end))
        for name, end in (("one", 0.5), ("two", 0.51), ("three", 0.52), ("four", 1.0))
    ]
    asked = chart(*traces)
    found = draw(asked, name="chart")
    rows = layer(found.views[0], "wide-names")["data"]["values"]
    assert [row["name"] for row in rows] == ["one", "two", "three", "four"]
    _, axis = limits(asked)
    shares = [axis.share(row["y"]) for row in rows]
    assert all(high - low >= NAMES_APART - 1e-9 for low, high in pairwise(shares))
    many = draw(chart(*(replace(traces[0], group=f"g{i}", label=f"g{i}") for i in range(9))), name="c")
    assert not any(item["name"] == "wide-names" for item in many.views[0].spec["layer"])


def test_a_stack_keeps_its_shares_and_names_only_the_parts_that_are_there() -> None:
    lines = (Stack(label="grpo, 64", shares=(0.25, 0.75, 0.0), note="1e9"), Stack(label="ppo, 64", shares=(1.0, 0, 0)))
    found = draw(Stacks(title="t", axis=Scale(label="share"), parts=("a", "b", "c"), lines=lines), name="stacks")
    assert [key.label for key in found.keys] == ["a", "b"]
    assert found.caption == "All: 64."
    assert found.data.to_dict("list") == {
        "label": ["grpo, 64", "ppo, 64"],
        "a": [0.25, 1.0],
        "b": [0.75, 0],
        "c": [0.0, 0],
        "note": ["1e9", ""],
    }
    assert_valid(found)


@pytest.mark.parametrize(
    ("places", "texts"),
    [
        ((64.0, 512.0), ["64", "512"]),  # where was measured
        ((27_000.0, 102_000.0, 1_500_000.0), ["27K", "102K", "1.5M"]),
        ((100.0, 1000.0, 1001.0, 1002.0, 1003.0), ["100", "200", "500", "1K"]),  # most would touch: round values
        ((1e3, 1e4, 3e4, 1e5, 3e5, 1e6, 1e7), ["1K", "10K", "100K", "1M", "10M"]),
    ],
)
def test_ticks_stand_at_the_values_measured_unless_their_labels_touch(
    places: tuple[float, ...], texts: list[str]
) -> None:
    axis = Axis.around(Scale(label="x", log=True), places)
    ticks = ticks_at(axis, places)
    assert labels(ticks, axis.scale) == texts
    trace = Trace(label="t", group="t", mark=Mark.point, x=places, y=places)
    found = draw(chart(trace), name="ticks")
    assert found.views[0].spec["encoding"]["x"]["axis"]["values"] == ticks
    drawn = inline_svg(found.views[0], description="ticks")
    assert all(f">{text}</text>" in drawn for text in texts)
    shares = [axis.share(tick) for tick in ticks]
    assert all(high - low > APART for low, high in pairwise(shares))


@pytest.mark.parametrize(
    ("low", "high", "log", "texts"),
    [
        (0.0, 1.0, False, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-0.13, 0.12, False, ["-0.10", "-0.05", "0.00", "0.05", "0.10"]),
        (1e-12, 6e-12, False, ["1e-12", "2e-12", "3e-12", "4e-12", "5e-12", "6e-12"]),
        (0.011, 0.95, True, ["0.02", "0.05", "0.10", "0.20", "0.50"]),
        (0.55, 0.72, True, ["0.55", "0.60", "0.65", "0.70"]),
        (1e15, 1e19, True, ["1e15", "1e16", "1e17", "1e18", "1e19"]),
    ],
)
def test_decimal_ticks_are_round_and_few(low: float, high: float, log: bool, texts: list[str]) -> None:
    axis = Axis(Scale(label="", log=log), low, high)
    ticks = decimal_ticks(axis)
    assert labels(ticks, axis.scale) == texts


def test_values_that_repeat_stand_once_in_a_page() -> None:
    trace = Trace(label="a long name of a run", group="a", mark=Mark.line, x=tuple(range(1, 9)), y=tuple(range(8)))
    (view,) = draw(chart(trace), name="chart").views
    columns = view.packed()["columns"]
    assert columns["label"] == {"of": ["a long name of a run"], "times": [8]}
    assert columns["low"] == {"of": [None], "times": [8]}
    several = replace(view, columns={"label": ["a name", "another"] * 4}).packed()["columns"]
    assert several["label"] == {"of": ["a name", "another"], "at": [0, 1] * 4}
    assert json.dumps(view.packed()).count("a long name of a run") == 1
    numbers = {"x": [0.125, 0.25] * 4, "low": [None] * 4 + [0.5] * 4, "value": list(range(8))}
    assert replace(view, columns=numbers).packed()["columns"] == {
        "x": {"of": [0.125, 0.25], "at": [0, 1] * 4},
        "low": {"of": [None, 0.5], "times": [4, 4]},
        "value": list(range(8)),
    }


def test_the_scales_of_colour_and_shape_stand_once_in_a_view_and_hold_for_all_its_layers() -> None:
    marks = (Mark.band, Mark.line, Mark.dashed, Mark.point, Mark.hollow)
    ends = {"low": (0.1, 0.2), "high": (0.3, 0.4)}
    traces = [
        Trace(label=mark, group=group, mark=mark, x=(1.0, 2.0), y=(0.2, 0.3), **ends)
        for mark in marks
        for group in "ab"
    ]
    (view,) = draw(chart(*traces), name="chart").views
    scales: dict[str, Any] = {}
    for channel, n_layers in (("color", 7), ("shape", 2)):
        given = [item["encoding"][channel] for item in view.spec["layer"] if channel in item.get("encoding", ())]
        assert len(given) == n_layers
        assert [i for i, definition in enumerate(given) if "scale" in definition] == [0]
        assert given[0]["scale"]["domain"] == ["a", "b"]
        scales[channel] = given[0]
    in_all = [
        item
        | {
            "encoding": item["encoding"]
            | {channel: scales[channel] for channel in scales.keys() & item["encoding"].keys()}
        }
        for item in view.spec["layer"]
    ]
    everywhere = replace(view, spec=view.spec | {"layer": in_all})
    assert inline_svg(view, description="t") == inline_svg(everywhere, description="t")


def test_names_of_upright_lines_stand_above_one_another_where_they_would_touch() -> None:
    guides = tuple(Guide(axis="x", value=value, label=f"best {value:g}") for value in (0.2, 0.21, 0.8))
    trace = Trace(label="a", group="a", mark=Mark.point, x=(0.0, 1.0), y=(0.1, 0.2))
    asked = Chart(title="t", x=Scale(label="x"), y=Scale(label="y"), traces=(trace,), guides=guides)
    found = draw(asked, name="chart")
    heights = [layer(found.views[0], f"guide-{i}")["mark"]["dy"] for i in range(3)]
    assert heights[0] == heights[2] > heights[1]
    assert_valid(found)


def test_of_many_series_some_are_drawn_and_the_caption_says_how_many() -> None:
    traces = [Trace(label=f"s{i}", group=f"s{i}", mark=Mark.line, x=(1.0, 2.0), y=(0.1, 0.2)) for i in range(100)]
    found = draw(chart(*traces), name="chart")
    assert found.caption == "Drawn: 15 of 100 series, evenly chosen; the files hold all."
    assert set(found.views[0].columns["group"]) == {f"s{i}" for i in range(0, 100, 7)}
    assert layer(found.views[0], "line")["encoding"]["color"]["scale"]["domain"] == [f"s{i}" for i in range(0, 100, 7)]
    assert len(found.data) == 200
    assert_valid(found)
