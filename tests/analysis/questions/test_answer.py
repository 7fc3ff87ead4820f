"""What an answer is, its JSON form, and the command that asks."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis.cli import main
from analysis.drawing.answer import Answer, Cell, Chart, HeatMap, Mark, Scale, Status, Trace, answer_json
from analysis.questions import QUESTIONS
from tests.analysis.questions.planted import Planted, selection

NAMES = [
    *("size", "steps", "data", "compute", "sample_efficiency", "compute_efficiency", "marginal_return", "reuse"),
    *("sft_share", "rollout_allocation", "curriculum", "transfer", "min_data", "stability", "algorithm"),
    *("unseen_size", "rest_of_run", "agent_turns", "tool_gain", "tool_use"),
]


def test_the_twenty_questions_are_asked_by_these_names():
    assert list(QUESTIONS) == NAMES
    assert all(name == question.name and question.text.endswith("?") for name, question in QUESTIONS.items())


def test_the_json_of_an_answer_has_null_for_what_is_not_known():
    trace = Trace(label="a", group="a", mark=Mark.point, x=(1.0,), y=(0.5,), low=(None,), high=(None,))
    heat = HeatMap(
        title="t", row_label="r", column_label="c", rows=("r1",), columns=("c1",), cells=((Cell(value=float("nan")),),)
    )
    answer = Answer(
        name="size",
        question="?",
        verdict="0.3",
        text="0.3",
        status=Status.answered,
        tables={"values": pd.DataFrame({"n": np.array([3], dtype=np.int64), "low": [np.nan]})},
        figures={
            "curve": Chart(title="c", x=Scale(label="x", log=True), y=Scale(label="y"), traces=(trace,)),
            "h": heat,
        },
    )
    found = json.loads(json.dumps(answer_json(answer), allow_nan=False))
    assert found["tables"]["values"] == [{"n": 3, "low": None}]
    assert found["figures"]["curve"]["kind"] == "Chart"
    assert found["figures"]["curve"]["traces"][0]["mark"] == "point"
    assert found["figures"]["h"]["cells"][0][0]["value"] is None


@pytest.mark.parametrize(("status", "reason"), [(Status.answered, "why"), (Status.missing, None)])
def test_an_answer_has_a_reason_exactly_where_it_is_none(status, reason):
    with pytest.raises(ValueError, match="with reason"):
        Answer(name="size", question="?", verdict="", text="", status=status, reason=reason)


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_an_answer_that_nothing_can_give_names_the_runs_left_out_too(name):
    found = QUESTIONS[name].ask(selection([Planted(), Planted(seed=1, failed=True)]))
    assert any(note.startswith("1 failed run is not in the answer: ") for note in found.notes)


def test_ask_without_a_question_lists_those_there_are(capsys):
    assert main(["ask"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("error: name a question, one of size, steps, ")
    assert "tool_use; --list has them in words" in said


def test_ask_lists_its_questions(capsys):
    assert main(["ask", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 20


@pytest.mark.parametrize("arguments", [["nonsense"], ["size", "--margin", "1.5"], ["size", "--target", "0"]])
def test_ask_refuses_what_it_cannot_ask(arguments, capsys):
    assert main(["ask", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: ")
