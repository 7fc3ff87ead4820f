"""The commands of docs/tasks.md, executed on a small results folder."""

import re
import shlex
from pathlib import Path

import pytest

from sweeper.cli.handover import HANDED_OVER
from sweeper.cli.main import main
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.grid_file import Member, Membership
from sweeper.rows.row import Failure, write_row
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId
from tests.sweeper.kept_run import kept_run
from tests.sweeper.points import spec
from tests.sweeper.rows import row

PAGE = (Path(__file__).parent.parent / "docs" / "tasks.md").read_text()
TASKS = {
    title: re.findall(r"^    python -m sweeper (.*)$", body, re.MULTILINE)
    for title, body in re.findall(r"^## (.*)\n((?:(?!^## ).*\n)+)", PAGE, re.MULTILINE)
}
LARGEST = ("model=tiny-130k", "training.actor_lr=0.001")
POINTS = (("model=tiny-40k", "training.actor_lr=0.001"), ("model=tiny-40k", "training.actor_lr=0.0003"), LARGEST)
ELSEWHERE = ("suggest", "plan")  # tests/sweeper/test_suggest.py and tests/test_documents.py try them


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs with samples, over two models and two step sizes, and one that failed for its data."""
    folder = tmp_path_factory.mktemp("tasks")
    members = []
    for point in POINTS:
        run = kept_run(folder, *point)
        members.append(Member(run_id=run.run_id, choice=tuple(word.partition("=")[2] for word in point)))
    broken = spec("model=tiny-40k", "training.actor_lr=0.01")
    RunDir(results_dir=folder, run_id=broken.run_id).freeze(broken)
    why = Failure(phase="data", reason="no problem is left", log="l", failure_class=FailureClass.data)
    write_row(folder, row(broken, failure=why))
    members.append(Member(run_id=broken.run_id, choice=("tiny-40k", "0.01")))
    axes = {"model": ("tiny-40k", "tiny-130k"), "training.actor_lr": ("0.001", "0.0003", "0.01")}
    Membership(name="lr", grid="lr", axes=axes, members=tuple(members)).write(folder)
    return folder


def test_there_are_ten_tasks_and_none_takes_more_than_two_commands() -> None:
    assert len(TASKS) >= 10
    assert {title: len(commands) for title, commands in TASKS.items() if not 1 <= len(commands) <= 2} == {}


@pytest.mark.parametrize("task", [task for task, commands in TASKS.items() if commands[0].split()[0] not in ELSEWHERE])
def test_a_task_is_done_by_its_commands(
    task: str, results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (largest,) = (path.stem for path in (results / "rows").glob("tiny-130k*.json"))
    for command in TASKS[task]:
        made = {"GRID": "lr", "RUN": largest[-12:-4], "FOLDER": str(next((results / "data").glob("*/")))}
        words = [made.get(word, word) for word in shlex.split(command)]
        if words[0] == "report":
            words += ["-o", str(tmp_path / "page.html")]
        try:
            code = main([*words, *([] if words[0] == "data" else [f"results_dir={results}"])])
        except SystemExit as ended:  # another program's
            code = int(str(ended.code))
        told = capfd.readouterr()
        assert code == 0, told.err
        assert told.out.strip(), command


def test_the_best_step_size_and_the_largest_model_are_what_is_told(
    results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*_words("Which learning rate was best?", 0), f"results_dir={results}"]) == 0
    told = capfd.readouterr().out
    assert all(lr in told for lr in ("0.001", "0.0003"))
    assert main([*_words("Show me wrong answers of the largest model", 0), f"results_dir={results}"]) == 0
    assert "tiny-130k" in capfd.readouterr().out


def _words(task: str, number: int) -> list[str]:
    return [{"GRID": "lr"}.get(word, word) for word in shlex.split(TASKS[task][number])]


def test_every_verb_of_the_page_is_one() -> None:
    from sweeper.cli.main import VERBS

    assert {command.split()[0] for commands in TASKS.values() for command in commands} <= {*VERBS, *HANDED_OVER}


def test_why_of_a_done_run_tells_its_settings_gain_time_and_what_it_left(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (largest,) = (path.stem for path in (results / "rows").glob("tiny-130k*.json"))
    again = RunDir(results_dir=results, run_id=RunId(largest)).new_attempt()
    again.write("exit", {"status": "completed", "phase": "evaluate"})
    assert main(["why", largest, f"results_dir={results}"]) == 0
    told = capsys.readouterr().out
    assert "settings: model tiny-130k, lr 1e-3" in told
    assert re.search(
        r"pass@1: 0\.\d{3} before, 0\.\d{3} after \d+ steps; gain [+-]0\.\d{3} \[[+-]\d.*, [+-]\d.*\]", told
    )
    assert "took 1m40s (training 1m20s, pass@k 5s): 0.03 device-hours of 1 x a CPU" in told
    assert "attempt 1: left no record of its end\nattempt 2: completed in evaluate\n" in told
    assert f"samples: {results}" in told
