"""Figures of answers: every kind is drawn, long texts leave room, data hold what was drawn."""

import re
import warnings

import pytest

from analysis.drawing.answer import Bar, Cell, Chart, Forest, HeatMap, Mark, Panels, Scale, Stack, Stacks, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.chart import BESIDE, FURTHEST, panel
from analysis.drawing.style import MARKERS, PALETTE, Look
from analysis.drawing.svg import style

LOOK = Look(PALETTE[0], MARKERS[0])


def test_a_sentence_as_reason_leaves_the_axes_their_room() -> None:
    reason = "neither arm reaches the level in 16% of the draws, " * 4
    bars = (Bar(label="grpo, 512 problems", value=None, note=reason), Bar(label="ppo, 512 problems", value=1.2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = draw(Forest(title="multiplier", axis=Scale(label="x", log=True), bars=bars), name="multiplier")
    assert list(found.data["note"]) == [reason, ""]
    assert found.caption == "All: 512 problems."


def test_a_chart_has_one_legend_entry_a_group_and_keeps_every_point() -> None:
    traces = tuple(
        Trace(label=label, group="grpo", mark=mark, x=(1.0, 10.0), y=(0.2, 0.3), low=(0.1, None), high=(0.3, None))
        for label, mark in (("run 0", Mark.point), ("run 1", Mark.point), ("law", Mark.line))
    )
    found = draw(Chart(title="t", x=Scale(label="x", log=True), y=Scale(label="y"), traces=traces), name="chart")
    assert [key.label for key in found.keys] == ["grpo"]
    assert len(found.data) == 6
    assert found.panels[0].startswith("<svg")


def test_intervals_of_two_groups_at_one_x_stand_side_by_side_within_the_panel() -> None:
    traces = tuple(
        Trace(label=f"once, {group}", group=group, mark=Mark.point, x=(2.0, 3.0), y=(5, 6), low=(4, 4), high=(9, 8))
        for group in ("grpo", "ppo")
    )
    found = draw(Chart(title="t", x=Scale(label="x"), y=Scale(label="y"), traces=traces), name="chart")
    assert [key.label for key in found.keys] == ["grpo", "ppo"]
    assert found.caption == "All: once."
    # The intervals, as drawn: from one y to another at one x.
    bars = {
        float(x)
        for x, bottom, same, top in re.findall(r'd="M ([\d.]+) ([\d.]+) \s*L ([\d.]+) ([\d.]+) ?\s*"', found.panels[0])
        if x == same and float(bottom) - float(top) > 50
    }
    assert sum(round(one - other, 1) == BESIDE for one in bars for other in bars) == 2


def test_a_heat_map_writes_values_with_their_marks_and_says_where_there_is_none() -> None:
    cells = ((Cell(value=1.0), Cell(value=-0.4, low=-0.9, high=-0.1, mark="*")), (Cell(value=None), Cell(value=1.0)))
    asked = HeatMap(title="t", row_label="from", column_label="to", rows=("a", "b"), columns=("a", "b"), cells=cells)
    found = draw(asked, name="heat")
    assert "0.40*" in found.panels[0]
    assert "no number" in found.panels[0]
    assert len(found.data) == 4


def test_panels_have_one_legend_with_a_colour_for_each_group_and_keep_the_numbers_of_each() -> None:
    def chart(title: str, *groups: str) -> Chart:
        traces = tuple(Trace(label=group, group=group, mark=Mark.line, x=(1.0, 2.0), y=(3.0, 4.0)) for group in groups)
        base = Trace(label="base", group="base", mark=Mark.dashed, x=(1.0, 2.0), y=(1.0, 1.0))
        return Chart(title=title, x=Scale(label="x"), y=Scale(label="y"), traces=(base, *traces))

    found = draw(Panels(title="both", charts=(chart("one", "grpo"), chart("two", "ppo", "grpo"))), name="panels")
    assert len(found.panels) == 2
    assert {key.label: key.colour for key in found.keys} == dict(
        zip(("grpo", "ppo", "base"), PALETTE[:3], strict=True)  # a baseline takes the last colour
    )
    assert found.caption == "Both."
    assert found.data.groupby(["panel", "group"]).size().to_dict() == {
        ("one", "base"): 2,
        ("one", "grpo"): 2,
        ("two", "base"): 2,
        ("two", "grpo"): 2,
        ("two", "ppo"): 2,
    }


def test_a_band_ends_at_the_edge_of_a_panel_and_an_interval_of_a_point_never_does() -> None:
    x, y = (1.0, 2.0), (5.0, 6.0)
    wide = Trace(label="law", group="a", mark=Mark.line, x=x, y=y, low=(-95.0, -94.0), high=(105.0, 106.0))
    point = Trace(label="point", group="a", mark=Mark.point, x=x, y=y, low=(2.0, 3.0), high=(8.0, 9.0))
    tops = []
    for traces in ((wide,), (wide, point)):
        with style("t"):
            _, axes = panel(Chart(title="t", x=Scale(label="x"), y=Scale(label="y"), traces=traces), {"a": LOOK})
            tops.append(axes.get_ylim())
    assert tops[0] == (5.0 - FURTHEST, 6.0 + FURTHEST)
    assert tops[1][0] < 2.0
    assert tops[1][1] > 9.0


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


@pytest.mark.parametrize(
    ("places", "labels"),
    [
        ((64.0, 512.0), ["64", "512"]),  # where was measured
        ((27_000.0, 102_000.0, 1_500_000.0), ["27K", "102K", "1.5M"]),
        ((100.0, 1000.0, 1001.0, 1002.0, 1003.0), ["100", "200", "500", "1K"]),  # most would touch: round values
    ],
)
def test_ticks_stand_at_the_values_measured_unless_their_labels_touch(
    places: tuple[float, ...], labels: list[str]
) -> None:
    trace = Trace(label="t", group="t", mark=Mark.point, x=places, y=places)
    found = draw(Chart(title="t", x=Scale(label="x", log=True), y=Scale(label="y"), traces=(trace,)), name="ticks")
    below = found.panels[0].partition('id="ticks-matplotlib.axis_2"')[0]
    assert [text for text in re.findall(r"<text[^>]*>([^<]*)</text>", below) if text != "x"] == labels
