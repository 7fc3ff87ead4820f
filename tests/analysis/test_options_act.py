"""Every option acts in every branch of its verb, or is refused there."""

import inspect
import json
from importlib import import_module
from pathlib import Path

import pytest

from analysis.cli import main
from analysis.questions import QUESTIONS
from analysis.questions.command import READERS
from tests.analysis.synthetic_rows import write_grid

CURVE = "x,y,n,c,problem_id\n" + "".join(f"{x},{1 / x},8,3,p{x}\n" for x in range(1, 9))
REFUSED = {
    "fit --law sigmoid": "--law: of fit CSV, and no CSV is named",
    "fit --where x>1 --draws 0": "--where, --draws: of fit CSV",
    "fit {csv} --law power --x x --y y --grid model_scale": "reads that file alone; leave --results and --grid out",
    "fit {csv} --law power --x x --y y --results elsewhere": "reads that file alone; leave --results and --grid out",
    "fit {csv} --law power --x x --y y --weights per-group": "--weights per-group: there are no groups",
    "fit {csv} --law power --x x --y y --n n": "has no --n - leave it out",
    "ask size --margin 0.02": "--margin changes nothing in size, but in curriculum, min_data, reuse",
    "ask curriculum --target 0.5": "--target changes nothing in curriculum, but in compute_efficiency, sample_eff",
    "passk --answers {answers} --beyond": "--group-by and --beyond are of counts",
    "passk --answers {answers} --group-by x": "--group-by and --beyond are of counts",
    "import {csv} --csv out.csv --model m --n-unique 3": "--model, --n-unique: of a row, and --csv writes none",
}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    write_grid(tmp_path, models={"tiny-40k": 27_000})
    (tmp_path / "a.csv").write_text(CURVE)
    (tmp_path / "answers.csv").write_text("problem_id,answer,correct,count\np1,4,1,5\np1,5,0,3\n")
    return {"csv": str(tmp_path / "a.csv"), "answers": str(tmp_path / "answers.csv"), "results": str(tmp_path)}


@pytest.mark.parametrize("line", REFUSED)
def test_an_option_that_would_change_nothing_is_refused(
    line: str, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.format(**files) for word in line.split()]
    where = ["--results", files["results"]] if words[0] == "ask" or line.startswith("fit --") else []
    assert main([*words, *where]) == 2
    assert REFUSED[line] in capsys.readouterr().err


def test_a_setting_of_a_question_is_said_to_be_read_where_it_is() -> None:
    for name, readers in READERS.items():
        found = {
            question
            for question in QUESTIONS
            if f"settings.{name}" in inspect.getsource(import_module(f"analysis.questions.{question}"))
        }
        assert found == set(readers)


def test_votes_are_counted_up_to_the_fewest_answers_where_no_k_is_named(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["passk", "--answers", files["answers"], "--json"]) == 0
    (votes,) = json.loads(capsys.readouterr().out)["majority"]
    assert [item["k"] for item in votes["ks"]] == [1, 2, 4, 8]


def test_groups_of_one_file_alone_are_said_not_to_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, groups in (("base", ("math",)), ("trained", ("math", "code"))):
        lines = [f"{group}{i},8,{i},{group}" for group in groups for i in range(4)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["problem_id,n,c,group", *lines]) + "\n")
    assert main(["passk", str(tmp_path / "trained.csv"), "--base", str(tmp_path / "base.csv")]) == 0
    assert "not compared, being in one of the two files alone: all, code" in capsys.readouterr().err
