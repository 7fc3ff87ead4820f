"""How tables and paragraphs fit a terminal."""

import argparse

import pytest

from sweeper.host.printed_table import WIDE, Room, paragraph, printed

ROWS = [
    {"run": "6de3a627", "model": "tiny-40k", "seed": 0, "pass@1": 0.2851, "FLOPs": "2.1e+10", "seconds": 349},
    {"run": "31edf1df", "model": "tiny-130k", "seed": 0, "pass@1": None, "FLOPs": "2.2e+10", "seconds": 216},
]
FLAG = "--wide, or a wider terminal"
DROP = ("seconds", "FLOPs", "seed")


def widest(text: str) -> int:
    return max(map(len, text.split("\n")))


def test_a_pipe_gets_every_column_whole() -> None:
    assert printed(ROWS, WIDE, drop=DROP, form=".3f").split("\n") == [
        "run       model      seed  pass@1  FLOPs    seconds",
        "--------  ---------  ----  ------  -------  -------",
        "6de3a627  tiny-40k      0   0.285  2.1e+10      349",
        "31edf1df  tiny-130k     0       -  2.2e+10      216",
    ]


@pytest.mark.parametrize("width", range(26, 60))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = printed(ROWS, Room(width=width), drop=DROP)
    assert widest(text) <= width
    assert text.startswith("run ")


@pytest.mark.parametrize("width", [1, 8, 20, 25])
def test_where_no_table_fits_each_row_is_a_list_of_all_its_fields(width: int) -> None:
    text = printed(ROWS, Room(width=width), drop=DROP, form=".3f")
    words = [word for row in ROWS for name, value in row.items() for word in (name, str(value))]
    assert text.split() == [{"0.2851": "0.285", "None": "-"}.get(word, word) for word in words]  # no word is broken
    assert widest(text) <= max(width, len("  31edf1df"), len("    tiny-130k"))
    if width == 20:
        assert text.split("\n")[:3] == ["run 6de3a627", "  model tiny-40k", "  seed 0"]


def test_what_is_alike_in_all_rows_goes_first_and_is_told_once_then_columns_by_rank() -> None:
    assert printed(ROWS, Room(width=48), drop=DROP).split("\n")[-1] == "the same in every row: seed 0"
    gone = printed(ROWS, Room(width=38), drop=DROP)
    assert gone.split("\n")[4:] == [
        "the same in every row: seed 0; not",
        "shown: seconds (a wider terminal shows",
        "them)",
    ]


def test_a_cell_is_cut_where_columns_do_not_help_and_an_id_keeps_its_end() -> None:
    rows = [{"run": "tiny-40k_grpo_uniform_n64_s0-6de3a627408b", "why": "no room is left on the device " * 3}]
    text = printed(rows, Room(width=60), cut_start="run")
    assert widest(text) <= 60
    assert "-6de3a627408b  " in text
    assert text.endswith("…")


def test_a_paragraph_is_wrapped_below_its_own_beginning() -> None:
    text = "  note: " + "word " * 12 + "end\nshort"
    assert paragraph(text, Room(width=40), indent="  ").split("\n") == [
        "  note: word word word word word word",
        "    word word word word word word end",
        "short",
    ]
    assert paragraph(text, WIDE) == text


def test_a_long_word_stays_whole_so_that_a_command_can_be_copied() -> None:
    path = "results/" + "x" * 60
    assert path in paragraph(f"see {path} now", Room(width=30)).split("\n")


def test_a_screen_has_its_width_and_a_pipe_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Room.of_screen() == WIDE
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    assert Room.of_screen() == Room(width=80, ids=False)
    assert Room.of_screen(argparse.Namespace(wide=True, ids=False)) == Room(width=None, ids=False, hint=FLAG)
    assert Room.of_screen(argparse.Namespace(wide=False, ids=True)) == Room(width=80, ids=True, hint=FLAG)
