"""What docs/extending.md shows is done here, on a copy of the program."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.sweeper.called import Done, all_called

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "extending.md").read_text()
BLOCKS = dict(re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^    python -m (.+)$", PAGE, re.MULTILINE)
PACKAGES = ("conf", "rewards", "data_prep", "sweeper")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages, with the page's scorer among them."""
    root = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BLOCKS:
        if name.startswith("rewards/"):
            write(root, name)
    return root


@pytest.fixture(scope="module")
def project(copy: Path, tiny_model: Path) -> Path:
    """What the page's first command makes, with the page's files in it; FOLDER is a data set, my-model a model."""
    done = run(copy, copy, "-m", *shlex.split(COMMANDS[0]))
    assert done.returncode == 0, done.stderr
    for name in BLOCKS:
        if not name.startswith("rewards/"):
            write(copy / "myproject", name)
    folder = copy / "myproject" / "FOLDER"
    rows = [{"question": f"What is {n} + 1?", "answer": f"One more is {n + 1}.\n#### {n + 1}"} for n in range(60)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    shutil.copytree(tiny_model, copy / "myproject" / "my-model")
    return copy / "myproject"


def write(root: Path, name: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.read_text() + BLOCKS[name] if path.exists() else BLOCKS[name])


PROMPTS = ("sweeper", "plan", "data_root=FOLDER")
GRID = ("sweeper", "plan", "+grid=temperature", "model_family=qwen2.5", "cluster=mine", "--json")


@pytest.fixture(scope="module")
def answers(copy: Path, project: Path) -> dict[tuple[str, ...], Done]:
    """What the page's other commands and two more answer."""
    commands = [tuple(shlex.split(command)) for command in COMMANDS[1:]]
    commands += [PROMPTS, GRID]
    return dict(zip(commands, all_called(commands, project, of(copy)), strict=True))


def of(root: Path) -> dict[str, str]:
    """The environment of a copy of the program."""
    return os.environ | {"PYTHONPATH": str(root)}


def run(root: Path, folder: Path, *words: str) -> Done:
    return subprocess.run([sys.executable, *words], cwd=folder, env=of(root), capture_output=True, text=True)


def test_the_page_has_a_block_for_everything_that_is_added() -> None:
    places = {str(Path(name).parent) for name in BLOCKS}
    assert places == {"conf/grid", "conf/cluster", "FOLDER", ".", "rewards/answers", "rewards/route"}


def test_the_page_begins_with_the_command_that_makes_a_project() -> None:
    assert COMMANDS[0] == "sweeper init myproject"


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_every_command_of_the_page_works_on_its_files(command: str, answers: Mapping[tuple[str, ...], Done]) -> None:
    done = answers[tuple(shlex.split(command))]
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_folder_takes_two_commands_also_where_prompts_are_longer_than_the_ladders(
    copy: Path, project: Path, answers: Mapping[tuple[str, ...], Done]
) -> None:
    first = answers[PROMPTS]
    assert first.returncode == 2
    (told,) = (line for line in first.stdout.splitlines() if "This works: python " in line)
    words = shlex.split(told.partition("This works: python ")[2])
    assert words[-1] == "training.max_prompt_length=59"
    second = run(copy, project, *words)
    assert second.returncode == 0, second.stdout + second.stderr


def test_the_added_grid_has_its_runs_and_the_added_cluster_is_planned_for(
    answers: Mapping[tuple[str, ...], Done],
) -> None:
    planned = answers[GRID]
    assert planned.returncode == 0, planned.stderr
    assert len(json.loads(planned.stdout)["data"]["runs"]) == 6


def test_the_added_reward_scores(copy: Path) -> None:
    code = (
        "from rewards import compute_score as s\n"
        "print([s('logic__reversed_word', f'<answer>{a}</answer>', 'olleh')['score'] for a in ('OLLEH', 'hello')])"
    )
    done = run(copy, copy, "-c", code)
    assert done.stdout.strip() == "[1.0, 0.0]", done.stderr
