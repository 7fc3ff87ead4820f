"""What the README and docs/ tell people to type works, and what they point at exists."""

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from sweeper.cli.handover import HANDED_OVER
from sweeper.grid.expand import expand
from sweeper.plan.plan import make_plan
from sweeper.runs.state import State
from tests.sweeper.points import grid_of

REPOSITORY = Path(__file__).parent.parent
PAGES = {
    str(path.relative_to(REPOSITORY)): path.read_text()
    for path in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
}
TARGETS = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
MAINS = {
    "sweeper": "sweeper.cli.main",
    "analysis": "analysis.cli",
    "rewards": "rewards.cli",
    "data_prep": "data_prep.cli",
}


def typed(text: str) -> set[str]:
    """Commands of a page: of its code blocks, continued lines joined, and in its text between backquotes."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = re.findall(
        r"^(?: {4})?(?:\$ )?((?:make|python -m) .*)$|`((?:make|python -m) [^`\n]*)`", joined, re.MULTILINE
    )
    return {re.sub(r"\s+#.*", "", block or inline).strip() for block, inline in lines}


COMMANDS = sorted({command for text in PAGES.values() for command in typed(text)})
# docs/extending.md names files that the reader writes first: tests/sweeper/test_extending.py writes them and tries it.
LAUNCHES = sorted({command for page, text in PAGES.items() if page != "docs/extending.md" for command in typed(text)})
OURS = [command for command in COMMANDS if re.match(rf"python -m ({'|'.join(MAINS)})\b", command)]
NAMED = re.compile(r"[A-Z]{2,}|\.\.\.|…|[\[\]<>|]")  # a placeholder: not to be typed as it stands


def test_there_are_commands_in_every_study() -> None:
    assert all(
        any("+grid=" in command for command in typed(text)) for page, text in PAGES.items() if "/studies/" in page
    )
    assert len(OURS) > 40


@pytest.mark.parametrize("command", [item for item in COMMANDS if item.startswith("make ")])
def test_every_make_target_exists(command: str) -> None:
    assert command.split()[1] in TARGETS


def settings(command: str) -> tuple[str, ...]:
    """The overrides of a launch or a plan; none where a word is a placeholder or the command is another verb's."""
    words = shlex.split(command)[3:]
    launches = bool(words) and (words[0] in ("plan", "export-sbatch") or "=" in words[0])
    if not command.startswith("python -m sweeper") or not launches:
        return ()
    chosen = tuple(word for word in words if re.match(r"^\+?[\w./@-]+=", word))
    return () if any(NAMED.search(word) for word in chosen) else chosen


@pytest.mark.parametrize("overrides", sorted({settings(command) for command in LAUNCHES} - {()}), ids=" ".join)
def test_every_launch_plans(overrides: tuple[str, ...], tmp_path: Path) -> None:
    many = any("grid=" in word or "," in word for word in overrides)
    plan = make_plan(grid_of(*overrides) if many else expand(overrides, multirun=False), tmp_path)
    assert plan.runs
    assert not [run.reason for run in plan.runs if run.state is State.refused]


@pytest.mark.parametrize(
    "program_and_verb",
    sorted({tuple(command.split()[2:4]) for command in OURS if re.match(r"^[a-z-]+$", " ".join(command.split()[3:4]))}),
)
def test_every_verb_has_help(program_and_verb: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    program, verb = program_and_verb
    if program == "sweeper" and verb in HANDED_OVER:
        program, words, _ = HANDED_OVER[verb]
        verb = words[0] if words else "--help"
    main = import_module(MAINS[program]).main
    try:
        code = main([verb, "--help"])
    except SystemExit as end:
        code = end.code
    assert not code
    assert verb in capfd.readouterr().out


@pytest.mark.parametrize("verb", ["sweeper", "analysis", "rewards", "data_prep"])
def test_every_program_has_help(verb: str) -> None:
    done = subprocess.run([sys.executable, "-m", verb, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert f"python -m {verb}" in done.stdout


def links() -> list[tuple[str, str]]:
    """Relative links of every page, and files of the repository named between backquotes, with their page."""
    found = []
    for page, text in PAGES.items():
        found += [(page, str(Path(page).parent / target)) for target in re.findall(r"\]\(((?!http)[^)#]+)", text)]
        found += [(page, name) for name in re.findall(r"`((?:conf|docs|rewards|sweeper|analysis)/[\w./-]+\w)`", text)]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "path"), links())
def test_every_file_that_a_page_names_exists(page: str, path: str) -> None:
    assert (REPOSITORY / path).exists()
