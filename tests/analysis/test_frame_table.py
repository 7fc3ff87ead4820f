"""Tables made of frames: a value and its ends share a cell, what was not measured is a dash."""

import pandas as pd

from analysis.drawing.frame_table import FOLD, frame_table
from analysis.drawing.page import DASH

FRAME = pd.DataFrame(
    {
        "arm": ["grpo", "ppo"],
        "n": [4000, 12_345_678],
        "gain": [0.12345, float("nan")],
        "gain_low": [0.1, float("nan")],
        "gain_high": [None, None],
        "pass1": [0.5, 1.0],
        "low": [0.25, float("nan")],
        "high": [0.75, float("nan")],
        "clear": [True, False],
    }
)


def test_a_value_and_the_ends_of_its_interval_share_a_cell() -> None:
    table = frame_table(FRAME, name="t", caption="c")
    assert [column.title for column in table.columns] == ["Configuration", "N", "Gain", "pass@1", "Clear"]
    assert table.lines[0].cells == ("grpo", "4,000", "+0.123 [+0.100, ?]", "0.500 [0.250, 0.750]", "yes")
    assert table.lines[1].cells == ("ppo", "12.3M", DASH, "1.000", "no")
    assert [column.number for column in table.columns] == [False, True, True, True, False]
    assert table.data is FRAME


def test_columns_are_chosen_named_and_written_as_asked() -> None:
    titles, forms = {"n": "samples", "pass1": "pass@1"}, {"n": lambda value: f"{value / 1000:.0f}K", "pass1": ".3f"}
    table = frame_table(FRAME, name="t", caption="c", titles=titles, forms=forms, alarm=[False, True])
    assert [line.cells for line in table.lines] == [("4K", "0.500 [0.250, 0.750]"), ("12346K", "1.000")]
    assert [(line.alarm, line.strong) for line in table.lines] == [(False, False), (True, False)]


def test_a_long_table_is_folded_and_long_cells_are_wide() -> None:
    frame = pd.DataFrame({"why": ["a sentence that goes on and on until it is wide"] * (FOLD + 1)})
    assert frame_table(frame, name="t", caption="c").folded
    assert frame_table(frame, name="t", caption="c").columns[0].wide
    assert not frame_table(frame, name="t", caption="c", fold=99).folded
