"""A project of the user's own: made by `init`, found by its marker alone, its `conf/` before the package's."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sweeper.called import Done
from tests.sweeper.called import called as in_process

REPOSITORY = Path(__file__).parents[2]
MINE = "# @package _global_\n# Mine, 2 runs: what does it do?\nhydra: {sweeper: {params: {seed: '0,1'}}}\n"


def process(folder: Path, *words: str) -> Done:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("user")
    done = process(folder, "sweeper", "init", "myproject", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)["data"]
    assert answer["folder"] == str(folder / "myproject")
    assert {"README.md", "conf/grid/lr.yaml", "data/columns.yaml", "my_rewards.py", "sweeper_project.yaml"} <= set(
        answer["files"]
    )
    return folder / "myproject"


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "project")


def called(folder: Path, *words: str) -> Done:
    return in_process(*words, folder=folder)


def options(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(called(folder, "options", "--json").stdout)["data"]
    return found


def test_every_file_of_a_new_project_is_short_and_says_what_it_is_for(made: Path) -> None:
    for path in made.rglob("*.*"):
        if path.suffix not in (".jsonl", ".md"):
            lines = path.read_text().splitlines()
            assert len(lines) < 40
            assert lines[0].startswith(("#", '"""')), path


def test_the_commands_of_its_readme_that_start_nothing_work_as_they_stand(made: Path) -> None:
    commands = [line.split("#")[0].split()[2:] for line in (made / "README.md").read_text().splitlines()[2:5]]
    assert [words[0] for words in commands] == ["data_prep", "sweeper", "sweeper"]
    answers = [in_process(*words, program=program, folder=made) for program, *words in commands[:2]]
    assert [done.returncode for done in answers] == [0, 0], answers
    assert "lr: 3 runs" in answers[1].stdout


def test_the_example_data_have_nothing_wrong(made: Path) -> None:
    done = in_process("validate", "data", "--gold", program="data_prep", folder=made)
    assert done.returncode == 0, done.stdout
    assert "80 rows in 2 files: nothing is wrong" in done.stdout


def test_the_example_reward_is_planned_beside_ours(made: Path) -> None:
    done = called(made, "plan", "+grid=own_reward", "--json")
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)["data"]["runs"]
    assert [run["choice"] for run in runs] == [{"reward.path": "null"}, {"reward.path": "my_rewards.py:score"}]
    assert len({run["run_id"] for run in runs}) == 2


def test_options_tells_whose_an_entry_is(project: Path) -> None:
    found = options(project)
    assert found["project"] == {"folder": str(project), "files": ["grid/lr", "grid/own_reward"], "replaced": []}
    assert {"lr", "model_scale"} <= set(found["grid_titles"])  # type: ignore[call-overload]
    text = called(project, "options").stdout
    assert "yours (conf/ of this project):\n  grid/lr\n  grid/own_reward\n" in text


def test_a_file_of_the_project_wins_over_the_packages_and_a_word_says_so(project: Path) -> None:
    (project / "conf" / "grid" / "smoke.yaml").write_text(MINE)
    done = called(project, "plan", "+grid=smoke", "data_scale=n64", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"]["axes"] == {"seed": ["0", "1"]}
    assert done.stderr == "note: conf/ of this project replaces the package's grid/smoke\n"
    found = options(project)
    assert found["grid_titles"]["smoke"] == "Mine, 2 runs: what does it do?"  # type: ignore[index]
    assert "grid/smoke (replaces ours)" in called(project, "options").stdout


def test_the_stock_hydra_application_reads_the_project_too(project: Path) -> None:
    done = process(project, "sweeper", "+grid=lr", "--cfg", "job")
    assert done.returncode == 0, done.stderr
    assert "data_root: data" in done.stdout


def test_completion_proposes_what_is_the_users(project: Path) -> None:
    command = [sys.executable, "-m", "sweeper", "completion", "words"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=project, env=environment, input="+grid=l", capture_output=True, text=True)
    assert done.stdout.split() == ["+grid=lora_rank", "+grid=lr"]


@pytest.mark.parametrize("strange", ["without the marker", "in a folder above"])
def test_a_conf_folder_that_is_not_a_projects_is_not_read(strange: str, project: Path) -> None:
    (project / "conf" / "config.yaml").write_text("defaults: [db: mysql]\n")
    if strange == "without the marker":
        (project / "sweeper_project.yaml").unlink()
    folder = project if strange == "without the marker" else project / "data"
    assert options(folder)["project"] is None
    done = called(folder, "plan", "seed=0")
    assert done.returncode == 0, done.stderr


def test_a_project_without_conf_has_the_packages(project: Path) -> None:
    shutil.rmtree(project / "conf")
    assert called(project, "plan", "+grid=smoke").returncode == 0


def test_a_file_without_a_title_does_not_end_the_catalogue(project: Path) -> None:
    (project / "conf" / "grid" / "short.yaml").write_text("# t\n")
    (project / "conf" / "grid" / "empty.yaml").write_text("")
    titles = options(project)["grid_titles"]
    assert titles["short"] == titles["empty"] == ""  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("full", "init full: it is there already and no empty folder; name a new one"),
        ("file", "init file: it is there already and no empty folder; name a new one"),
        ("file/below", "init file/below: Not a directory; name a folder that can be written"),
        ("/proc/none/x", "init /proc/none/x: No such file or directory; name a folder that can be written"),
        ("x" * 300, "File name too long; name a folder that can be written"),
        ("", "argument '' is empty: is a variable of the shell unset?"),
        (" ", "argument ' ' is empty: is a variable of the shell unset?"),
    ],
)
def test_a_folder_that_cannot_be_made_is_refused_in_one_line(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    (tmp_path / "file").touch()
    done = called(tmp_path, "init", name)
    assert done.returncode == 2
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in tmp_path.rglob("*")} == {"full", "thesis.tex", "file"}


def test_an_empty_folder_may_become_a_project(tmp_path: Path) -> None:
    (tmp_path / "new one").mkdir()
    assert called(tmp_path / "new one", "init", ".").returncode == 0
    assert (tmp_path / "new one" / "sweeper_project.yaml").is_file()


def test_a_project_that_cannot_be_written_whole_is_not_begun(tmp_path: Path) -> None:
    code = "import resource as r, sys; r.setrlimit(r.RLIMIT_FSIZE, (500, 500)); from sweeper.__main__ import run; run()"
    command = [sys.executable, "-c", code, "init", "p"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stderr.startswith("error: init p: File too large")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "p").exists()
