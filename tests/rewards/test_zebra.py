"""Zebra puzzles."""

import json
import time

import pytest

from rewards import BadGroundTruth, check_gold, compute_score
from tests.rewards.labelled import is_right

_SOURCE = "logic__zebra_puzzle_dataset"
_GOLD = {"header": ["Position", "Beverage", "Job"], "rows": [["1", "hot-chocolate", "writer"], ["2", "tea", "dancer"]]}
_ROWS = _GOLD["rows"]


def _answer(value: object, indent: int | None = None) -> str:
    return f"<answer>{json.dumps(value, indent=indent)}</answer>"


@pytest.mark.parametrize(
    "response",
    [
        _answer(_GOLD),
        _answer(_GOLD, indent=2),
        _answer(_GOLD, indent=0),
        f"<answer>{_GOLD}</answer>",
        f"<answer>\n{_GOLD}\n</answer>",
        f"<answer>```json\n{json.dumps(_GOLD, indent=4)}\n```</answer>",
        f"<answer>```python\n{_GOLD}\n```</answer>",
        f"<answer>The grid is {json.dumps(_GOLD)}.</answer>",
        _answer({"rows": _ROWS, "header": _GOLD["header"]}),
        _answer({"header": _GOLD["header"], "rows": [[1, "hot-chocolate", "writer"], [2, "tea", "dancer"]]}),
        _answer({"header": ["position", "BEVERAGE", " Job "], "rows": [["1", "Hot-Chocolate", "WRITER "], ["2",
        "Tea", "dancer"]]}),
        _answer({"header": _GOLD["header"], "rows": [["1", "hot chocolate", "writer"], ["2", "tea", "dancer"]]}),
        _answer({"header": ["Position", "Job", "Beverage"], "rows": [["1", "writer", "hot-chocolate"], ["2",
        "dancer", "tea"]]}),
        _answer({"header": _GOLD["header"], "rows": _ROWS[::-1]}),
        _answer({"header": _GOLD["header"], "rows": [dict(zip(_GOLD["header"], row, strict=True)) for row in _ROWS]}),
        "<answer>draft</answer> " + _answer(_GOLD),
        "<answer>{'header': ['Position', 'Beverage', 'Job'], 'rows': "
        "[['1', 'hot-chocolate', 'writer'], ['2', 'tea', 'dancer'],],}</answer>",
        "<ANSWER>" + json.dumps(_GOLD) + "</ANSWER>",
    ],
)  # fmt: skip
def test_the_gold_table_is_right_in_any_usual_form(response: str) -> None:
    assert is_right(_SOURCE, response, _GOLD)


def _rows(*rows: list[object]) -> str:
    return _answer({"header": _GOLD["header"], "rows": list(rows)})


@pytest.mark.parametrize(
    "response",
    [
        "",
        "<answer></answer>",
        "<answer>[]</answer>",
        "<answer>{}</answer>",
        json.dumps(_GOLD),
        _answer(_GOLD)[:-9],
        "<answer>" + json.dumps(_GOLD)[:-1] + "</answer>",
        _rows(["1", "tea", "writer"], ["2", "hot-chocolate", "dancer"]),
        _rows(["1", "hot-chocolate", "writer"]),
        _rows(*_ROWS, ["3", "milk", "cook"]),
        _rows(["1", "hot-chocolate", "writer", "x"], ["2", "tea", "dancer", "x"]),
        _rows(["1", "hot-chocolate", "writer", "tea"], ["2", "tea", "dancer"]),
        _answer({"header": [*_GOLD["header"], "Pet"], "rows": [[*row, "cat"] for row in _ROWS]}),
        _answer({"header": ["Position", "Job", "Beverage"], "rows": _ROWS}),
        _answer({"header": _GOLD["header"], "rows": ["1hw", "2td"]}),
        _answer({"header": _GOLD["header"], "rows": "xy"}),
        _answer({"header": _GOLD["header"], "rows": [["1", ["hot-chocolate", "tea"], "writer"], ["2", "tea",
        "dancer"]]}),
        _rows([True, "hot-chocolate", "writer"], ["2", "tea", "dancer"]),
        _answer(_GOLD) + " or " + _rows(*_ROWS[:1]),
        "<answer>{'rows': __import__('os').listdir('/')}</answer>",
        "<answer>" + "[" * 100_000 + "</answer>",
        "<answer>" + '{"rows":' * 20_000 + "</answer>",
    ],
)  # fmt: skip
def test_any_other_table_is_wrong(response: str) -> None:
    assert not is_right(_SOURCE, response, _GOLD)


def test_partial_credit_is_the_share_of_right_cells_without_the_given_positions() -> None:
    half = _rows(["1", "hot-chocolate", "dancer"], ["2", "tea", "writer"])
    scored = compute_score(_SOURCE, half, _GOLD, partial_credit=True)
    assert (scored["score"], scored["acc"], scored["outcome"]) == (0.5, 0.0, "wrong")
    positions_only = _rows(["1", "x", "y"], ["2", "x", "y"])
    assert compute_score(_SOURCE, positions_only, _GOLD, partial_credit=True)["score"] == 0.0
    assert compute_score(_SOURCE, _answer(_GOLD), _GOLD, partial_credit=True)["score"] == 1.0


def test_partial_credit_is_off_unless_asked_for() -> None:
    half = _rows(["1", "hot-chocolate", "dancer"], ["2", "tea", "writer"])
    assert compute_score(_SOURCE, half, _GOLD)["score"] == 0.0


def test_rows_too_many_lower_the_partial_credit() -> None:
    padded = _rows(*_ROWS, *[["9", "hot-chocolate", "writer"]] * 6)
    scored = compute_score(_SOURCE, padded, _GOLD, partial_credit=True)
    assert scored["score"] <= 0.25


def test_a_megabyte_of_brackets_takes_no_time() -> None:
    start = time.process_time()
    assert not is_right(_SOURCE, "<answer>{" + "[" * 1_000_000 + "}</answer>", _GOLD)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "gold",
    ["", "{}", '{"header": ["a"], "rows": []}', '{"header": ["a", "b"], "rows": [["1"]]}',
     '{"header": ["a", "a"], "rows": [["1", "2"]]}'],
)  # fmt: skip
def test_a_gold_that_is_no_table_is_a_data_error(gold: str) -> None:
    with pytest.raises(BadGroundTruth):
        check_gold(_SOURCE, gold)


def test_a_table_survives_parquet_as_arrays_and_as_text() -> None:
    numpy = pytest.importorskip("numpy")
    arrays = {
        "header": numpy.array(_GOLD["header"], dtype=object),
        "rows": numpy.array([numpy.array(row, dtype=object) for row in _ROWS], dtype=object),
    }
    for gold in (arrays, json.dumps(_GOLD), str(_GOLD), json.dumps(_GOLD).encode()):
        assert is_right(_SOURCE, _answer(_GOLD), gold)
