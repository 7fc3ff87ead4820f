"""Tables of answers on a terminal: what a table is titled for stays, whatever else there is no room for."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.drawing.answer_text import table_text
from analysis.questions import QUESTIONS, Settings
from analysis.runs.selection import Selection, select
from sweeper.host.printed_table import Room

FOLDER = Path(__file__).parents[1] / "golden" / "folders" / "sft_share"
SETTING = "38 problems, 26 problems of fine-tuning, each seen 3.4 times"
TITLED = {  # by question: a table, and the columns that it is read for
    "size": ("sizes", ["Configuration", "pass@1"]),
    "compute": ("configurations", ["Configuration", "pass@1"]),
    "compute_efficiency": ("gain_per_flop", ["Gain per FLOP"]),
    "stability": ("signs", ["Sign", "Threshold", "Flagged"]),
}


@pytest.fixture(scope="module")
def runs() -> Selection:
    """Runs with long names of settings."""
    return select(FOLDER, None)


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("question", TITLED)
def test_a_terminal_shows_the_column_that_a_table_is_titled_for(runs: Selection, question: str, width: int) -> None:
    name, heads = TITLED[question]
    text = table_text(QUESTIONS[question].ask(runs, Settings()).tables[name], Room(width=width))
    first, *lines = text.split("\n")
    assert all(head in first for head in heads), first
    assert all(len(line) <= width for line in lines)


def sizes() -> pd.DataFrame:
    """Two settings of two sizes."""
    lines = [(SETTING, "tiny-40k", 1, 0.25), (SETTING, "tiny-130k", 1, 0.5), ("all", "tiny-40k", 1, 0.125)]
    frame = pd.DataFrame(lines, columns=["runs", "arm", "seeds", "pass1"])
    return frame.assign(low=frame.pass1 - 0.1, high=frame.pass1 + 0.1, note="words " * 20)


def test_what_several_rows_share_stands_once_above_them() -> None:
    lines = table_text(sizes(), Room(width=80)).split("\n")
    assert [line.split()[0] for line in lines[2:7]] == ["38", "tiny-40k", "tiny-130k", "all", "tiny-40k"]
    assert lines[2] == SETTING
    assert "0.125 [0.025, 0.225]" in lines[6]


def test_a_file_gets_every_column_of_every_row() -> None:
    lines = table_text(sizes()).split("\n")
    assert lines[0].split() == ["Setting", "Configuration", "Seeds", "pass@1", "Note"]
    assert [SETTING in line for line in lines[2:]] == [True, True, False]


def test_the_ends_of_an_interval_go_with_a_value_that_is_not_known_and_belong_to_no_other() -> None:
    frame = pd.DataFrame({"runs": ["a", "b"], "seeds": [1, 2], "crossover_k": [None, None]})
    text = table_text(frame.assign(low=[1.0, 2.0], high=[3.0, 4.0], verdict="none"), Room(width=80))
    assert text.split("\n")[0].split() == ["Setting", "Seeds", "Verdict"]
    assert "[" not in text


def test_where_nothing_could_be_computed_the_reason_stays() -> None:
    frame = pd.DataFrame({"arm": ["tiny-40k", "tiny-130k"], "target": [0.1, 0.2], "multiplier": [None, None]})
    text = table_text(frame.assign(reason=["not reached in " + "a" * 60, "not reached in " + "b" * 60]), Room(width=60))
    assert "Reason" in text.split("\n")[0]
