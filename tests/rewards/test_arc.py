"""ARC-AGI 1 and 2 and BARC grids."""

import json
import time

import pytest

from rewards import BadGroundTruth, check_gold, compute_score
from tests.rewards.labelled import is_right, table

_GOLD = [[1, 2], [3, 4]]
_BIG = [[(row * column) % 10 for column in range(30)] for row in range(30)]


@pytest.mark.parametrize(
    "source", ["simulation__arcagi1", "simulation__arcagi2", "logic__arcagi1", "logic__barc", "simulation__barc"]
)
def test_the_gold_grid_is_right_under_every_spelling_of_the_source(source: str) -> None:
    assert is_right(source, f"<answer>{_GOLD}</answer>", _GOLD)
    assert not is_right(source, "<answer>[[1, 2], [3, 5]]</answer>", _GOLD)


@pytest.mark.parametrize(
    "answer",
    [
        "[[1, 2], [3, 4]]",
        "[[1,2],[3,4]]",
        "[ [1,2],[3,4] ]",
        "\n[[1, 2],\n [3, 4]]\n",
        "[\n  [1, 2],\n  [3, 4]\n]",
        "[\n  [\n    1,\n    2\n  ],\n  [\n    3,\n    4\n  ]\n]",
        "```json\n[[1, 2], [3, 4]]\n```",
        "```\n[[1, 2], [3, 4]]\n```",
        "[[1, 2], [3, 4],]",
        "[1, 2]\n[3, 4]",
        "[1, 2],\n[3, 4]",
        "1 2\n3 4",
        "1, 2\n3, 4",
        "[[1 2]\n [3 4]]",
        "The output grid is [[1, 2], [3, 4]].",
        "Output: [[1,2],[3,4]]",
        "array([[1, 2], [3, 4]])",
        '[["1", "2"], ["3", "4"]]',
        "[[1, 2], [3, 4]] = [[1, 2], [3, 4]]",
    ],
)
def test_a_grid_is_read_in_any_usual_form(answer: str) -> None:
    assert is_right("logic__arcagi1", f"Think. <answer>{answer}</answer>", _GOLD)


@pytest.mark.parametrize(
    "response",
    [
        "",
        "no idea",
        "[[1, 2], [3, 4]]",
        "<answer></answer>",
        "<answer>[[1, 2], [3, 4]]",
        "<answer>[[1, 2], [3, 4]</answer>",
        "<answer>[[1, 2], [3]]</answer>",
        "<answer>[[1, 2], [3, 4], []]</answer>",
        "<answer>[[1, 2], [3, 4], [0, 0]]</answer>",
        "<answer>[[1, 2, 0], [3, 4, 0]]</answer>",
        "<answer>[[1, 2]]</answer>",
        "<answer>[[1.9, 2], [3, 4]]</answer>",
        "<answer>[[1, 2], [3, 4.2]]</answer>",
        "<answer>[[True, 2], [3, 4]]</answer>",
        "<answer>[[1, 2], [4, 3]]</answer>",
        "<answer>[[3, 4], [1, 2]]</answer>",
        "<answer>[[1, 3], [2, 4]]</answer>",
        "<answer>[[[1, 2], [3, 4]]]</answer>",
        "<answer>[1, 2, 3, 4]</answer>",
        "<answer>1 2 3 4</answer>",
        "<answer>[[1, 2], [3, 4]] or [[1, 2], [3, 5]]</answer>",
        "<answer>[[1, 2], [3, 5]] or [[1, 2], [3, 4]]</answer>",
        "<answer>[[...]]</answer>",
        "<answer>[[1, ...], [3, 4]]</answer>",
        "<answer>[[1, 2], [3, 4]]</answer> no, wait: <answer>[[0, 0], [0, 0]]</answer>",
        "<think><answer>[[1, 2], [3, 4]]</answer></think> I do not know.",
        "<answer>__import__('os').system('echo 1')</answer>",
        "<answer>[[__import__('os').getpid(), 2], [3, 4]]</answer>",
        "<answer>[[1, 2] * 1, [3, 4]]</answer>",
        "<answer>[[x for x in (1, 2)], [3, 4]]</answer>",
        "<answer>[[-1, 2], [3, 4]]</answer>",
        "<answer>[[12], [34]]</answer>",
    ],
)
def test_anything_else_is_not_the_grid(response: str) -> None:
    assert not is_right("logic__arcagi1", response, _GOLD)


@pytest.mark.parametrize("response", ["", "none", "<answer></answer>", "<answer>x</answer>", "<answer>[[]]</answer>"])
def test_no_answer_does_not_equal_a_single_black_cell(response: str) -> None:
    assert not is_right("simulation__arcagi1", response, [[0]])


def test_a_single_cell_can_be_answered() -> None:
    assert is_right("simulation__arcagi1", "<answer>[[0]]</answer>", [[0]])


def test_the_last_of_two_answers_counts() -> None:
    response = "<answer>[[0]]</answer> wait <answer>[[1, 2], [3, 4]]</answer>"
    assert is_right("simulation__arcagi1", response, _GOLD)
    assert not is_right("simulation__arcagi1", response, [[0]])


def test_the_largest_grid_is_right_in_every_layout() -> None:
    for indent in (None, 0, 2, 8):
        assert is_right("logic__arcagi2", f"<answer>{json.dumps(_BIG, indent=indent)}</answer>", _BIG)
    wrong = [*_BIG[:-1], [*_BIG[-1][:-1], (_BIG[-1][-1] + 1) % 10]]
    assert not is_right("logic__arcagi2", f"<answer>{wrong}</answer>", _BIG)


@pytest.mark.parametrize("answer", ["[" * 1_000_000, "[[1," * 250_000, json.dumps([[0] * 1000] * 300), "1 " * 500_000])
def test_a_huge_answer_is_wrong_at_once(answer: str) -> None:
    start = time.process_time()
    assert not is_right("logic__arcagi1", f"<answer>{answer}</answer>", _GOLD)
    assert time.process_time() - start < 1


def test_a_grid_survives_parquet_as_nested_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    gold = numpy.empty(2, dtype=object)
    gold[0], gold[1] = numpy.array([1, 2]), numpy.array([3, 4])
    assert is_right("simulation__arcagi1", "<answer>[[1, 2], [3, 4]]</answer>", gold)
    assert is_right("simulation__arcagi1", "<answer>[[1, 2], [3, 4]]</answer>", "[[1, 2], [3, 4]]")


@table([("[]", ""), ("ragged", "[[1], [2, 3]]"), ("floats", "[[1.5]]"), ("no rows", "[1, 2]"), ("text", "abc")])
def test_a_gold_that_is_no_grid_is_a_data_error(answer: str, gold: str) -> None:
    with pytest.raises(BadGroundTruth):
        check_gold("logic__arcagi1", gold)
    with pytest.raises(BadGroundTruth):
        compute_score("logic__arcagi1", "<answer>[[1]]</answer>", gold)
