"""Modules of the user's current folder are never imported in place of ours, nor of what we import."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sweeper.rows.row import read_rows
from tests.other_modules import write_other_modules

REPOSITORY = Path(__file__).parents[2]
STANDIN = REPOSITORY / "tests" / "slurm" / "standin"  # a run's work without verl
Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    write_other_modules(folder)
    return folder


@pytest.fixture(params=["sweeper", "python -m sweeper"])
def sweeper(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Program:
    """Runs the program in that folder, in one of its two forms."""
    if request.param == "sweeper":
        (text,) = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"].values()
        entry = EntryPoint(name="sweeper", value=text, group="console_scripts")
        script = tmp_path / "bin" / "sweeper"  # what pip writes
        script.parent.mkdir()
        script.write_text(f"import sys\nfrom {entry.module} import {entry.attr}\nsys.exit({entry.attr}())\n")
        command = [sys.executable, str(script)]
    else:
        (folder / "sweeper.py").unlink()  # Python itself starts that one, before a line of ours is read
        command = [sys.executable, "-m", "sweeper"]
    return lambda *words: called([*command, *words], folder)


def called(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    path = f"{STANDIN}{os.pathsep}{REPOSITORY}"
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=300
    )


def test_plans_runs_and_reports_are_made_by_our_own_modules(sweeper: Program, folder: Path) -> None:
    planned = sweeper("plan", "+grid=smoke", "results_dir=there", "--json")
    assert planned.returncode == 0, planned.stderr
    assert len(json.loads(planned.stdout)["data"]["runs"]) == 2
    launched = sweeper("model=tiny-40k", "data_scale=n64", "training.total_steps=2", "results_dir=there")
    assert launched.returncode == 0, launched.stdout + launched.stderr
    (row,) = read_rows(folder / "there")
    assert row.steps == 2
    assert (folder / "there" / "reports" / "all.html").exists()


def test_what_may_be_chosen_comes_from_our_own_configuration(sweeper: Program) -> None:
    found = json.loads(sweeper("options", "--json").stdout)["data"]
    assert "model_scale" in found["grid"]


@pytest.mark.parametrize("flags", [["-P"], []], ids=["all of them", "all but its own name"])
@pytest.mark.parametrize(
    "command",
    [["analysis", "ask", "--list"], ["data_prep", "inspect", "--help"], ["rewards", "check", "--help"]],
    ids=" ".join,
)
def test_the_other_programs_import_our_own_modules_too(command: list[str], flags: list[str], folder: Path) -> None:
    if not flags:
        (folder / f"{command[0]}.py").unlink()
    done = called([sys.executable, *flags, "-m", *command], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of the current folder" not in done.stdout + done.stderr


@pytest.mark.parametrize("verb", ["prepare", "annotate"])
def test_a_verb_that_a_child_executes_imports_our_own_modules(verb: str, folder: Path) -> None:
    (folder / "data_prep.py").unlink()
    done = called([sys.executable, "-m", "data_prep", verb, "--help"], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"python -m data_prep {verb}" in done.stdout
