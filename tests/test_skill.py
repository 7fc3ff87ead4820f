"""What AGENTS.md and the skill tell an agent to type works on a small results folder."""

import re
import shlex
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from sweeper.cli.main import main
from tests.test_documents import MAINS, REPOSITORY, TARGETS, settings, typed

PAGES = (REPOSITORY / "AGENTS.md", REPOSITORY / ".agents" / "skills" / "scaling-sweep" / "SKILL.md")
COMMANDS = sorted({command for page in PAGES for command in typed(page.read_text())})
LAUNCHES = [command for command in COMMANDS if " -m" in command.removeprefix("python -m")]
# Tried elsewhere: a report, what to run next; and FOLDER is a model that the reader has.
ELSEWHERE = re.compile("FOLDER|analysis report|sweeper suggest")
OTHERS = [
    command
    for command in COMMANDS
    if command.startswith("python -m") and command not in LAUNCHES and not ELSEWHERE.search(command)
]
RUN = "8da7874e35d6"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(REPOSITORY / "tests" / "golden" / "folders" / "sft_share", tmp_path / "results")
    (run,) = tmp_path.glob(f"results/rows/*{RUN}.json")
    attempt = tmp_path / "results" / "runs" / run.stem / "attempts" / "001"
    attempt.mkdir(parents=True)
    (attempt / "log.txt").write_text("step:1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_commands_of_every_step() -> None:
    assert len(LAUNCHES) == 2
    assert len(OTHERS) > 12


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_every_target_exists(command: str) -> None:
    assert command.split()[1] in TARGETS


@pytest.mark.parametrize("command", LAUNCHES)
def test_every_launch_plans(command: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *settings(command)]) == 0
    assert "refused" not in capfd.readouterr().out


@pytest.mark.parametrize("command", OTHERS)
def test_every_command_ends_well(command: str, folder: Path) -> None:
    words = [RUN if word == "RUN" else word for word in shlex.split(command)[2:]]
    assert import_module(MAINS[words[0]]).main(words[1:]) == 0


def test_the_files_that_they_name_exist() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), target
