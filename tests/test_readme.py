"""What the README tells people to type works, and what it points at exists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


def typed(program: str) -> list[str]:
    """Commands of the README that start with `program`, without comments, each once."""
    lines = re.findall(rf"^    ({program}.*)$|`({program}[^`]*)`", README, re.MULTILINE)
    return sorted({(block or inline).partition(" #")[0].strip() for block, inline in lines})


@pytest.mark.parametrize("command", typed("make [a-z]"))
def test_every_make_target_exists(command: str) -> None:
    assert command.split()[1] in TARGETS


@pytest.mark.parametrize("command", [item for item in typed("python -m sweeper") if "+grid=" in item])
def test_every_grid_plans(command: str, tmp_path: Path) -> None:
    words = [word for word in shlex.split(command)[3:] if word != "plan"]
    done = subprocess.run(
        [sys.executable, "-m", "sweeper", "plan", *words, f"results_dir={tmp_path}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


VERBS = typed("python -m (?:sweeper|analysis|rewards|data_prep)")


@pytest.mark.parametrize("command", [item for item in VERBS if "+grid=" not in item])
def test_every_verb_has_help(command: str) -> None:
    words = re.sub(r"\[.*", "", command).split()[1:]
    verb = [word for word in words[2:3] if not word.startswith("-")]
    done = subprocess.run(
        [sys.executable, *words[:2], *verb, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not verb or verb[0] in done.stdout


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)|`((?:conf|docs|rewards)/[\w./-]+\w)`", README)))
)
def test_every_file_it_names_exists(path: tuple[str, str]) -> None:
    assert (REPOSITORY / (path[0] or path[1])).exists()
