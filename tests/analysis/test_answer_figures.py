"""Figures of answers: every kind is drawn, long texts leave room, data hold what was drawn."""

import re
import warnings

from analysis.drawing.answer import Bar, Cell, Chart, Forest, HeatMap, Mark, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.chart import BESIDE


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
