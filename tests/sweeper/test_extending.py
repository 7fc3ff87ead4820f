"""What docs/extending.md shows is done here, on a copy of the program."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "extending.md").read_text()
BLOCKS = dict(re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^    python -m (.+)$", PAGE, re.MULTILINE)
PACKAGES = ("conf", "rewards", "data_prep", "sweeper")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """The packages with the page's files in them; FOLDER is a model and a data set."""
    root = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in BLOCKS.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(path.read_text() + text if path.exists() else text)
    rows = [{"question": f"What is {n} + 1?", "answer": f"One more is {n + 1}.\n#### {n + 1}"} for n in range(4)]
    (root / "FOLDER" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    shutil.copytree(tiny_model, root / "FOLDER", dirs_exist_ok=True)
    return root


def run(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run([sys.executable, *words], cwd=root, env=environment, capture_output=True, text=True)


def test_the_page_has_a_block_for_everything_that_is_added() -> None:
    places = {str(Path(name).parent) for name in BLOCKS}
    assert places == {"conf/grid", "conf/cluster", "FOLDER", "rewards/answers", "rewards/route"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_works_on_its_files(command: str, copy: Path) -> None:
    done = run(copy, "-m", *shlex.split(command))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_added_grid_has_its_runs_and_the_added_cluster_is_planned_for(copy: Path) -> None:
    planned = run(copy, "-m", "sweeper", "plan", "+grid=temperature", "model_family=qwen2.5", "cluster=mine", "--json")
    assert planned.returncode == 0, planned.stderr
    assert len(json.loads(planned.stdout)["data"]["runs"]) == 6


def test_the_added_reward_scores(copy: Path) -> None:
    code = (
        "from rewards import compute_score as s\n"
        "print([s('logic__reversed_word', f'<answer>{a}</answer>', 'olleh')['score'] for a in ('OLLEH', 'hello')])"
    )
    done = run(copy, "-c", code)
    assert done.stdout.strip() == "[1.0, 0.0]", done.stderr
