"""Planning, options and questions in an environment that holds neither verl nor what verl needs."""

import json
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path

import omegaconf
import pytest

from tests.sweeper.called import Done, all_called

REPOSITORY = Path(__file__).parents[2]
LACKS = {
    "verl is not installed here": ("verl", "torch", "ray", "vllm", "transformers"),
    "verl cannot be imported here: No module named 'torch'": ("torch",),
}


def python_without(missing: tuple[str, ...], folder: Path) -> Path:
    """The Python of an environment that has everything that this one has, but the packages named."""
    installed, packages = Path(omegaconf.__file__).parents[1], folder / "packages"
    packages.mkdir()
    for path in installed.iterdir():
        if path.suffix != ".pth" and path.name.split("-")[0] not in missing:
            (packages / path.name).symlink_to(path)
    venv.create(folder / "venv", symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder / "venv")}))
    (site / "ours.pth").write_text(f"{REPOSITORY}\n{packages}\n")
    return folder / "venv" / "bin" / "python"


@pytest.fixture(scope="module", params=LACKS)
def reason(request: pytest.FixtureRequest) -> str:
    return str(request.param)


GRID = ("sweeper", "plan", "+grid=model_scale")
WOULD_TRAIN = (
    ("sweeper", "seed=1"),
    ("sweeper", "export-sbatch", "seed=1", "cluster=slurm", "cluster.device=cpu"),
)
NEEDS_NONE = {
    ("sweeper", "options"): "model_scale",
    ("sweeper", "--help"): "verbs",
    ("sweeper", "status", "--results", "."): "python -m sweeper +grid=model_scale -m",
    ("analysis", "ask", "--list"): "How does performance after training change with model size?",
}


@pytest.fixture(scope="module")
def answers(reason: str, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Done]:
    """What every command of this file answers there."""
    folder = tmp_path_factory.mktemp("lacking")
    python = python_without(LACKS[reason], folder)
    empty = folder / "empty"
    empty.mkdir()
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    commands = (GRID, (*GRID, "--json"), *WOULD_TRAIN, *NEEDS_NONE)
    return dict(zip(commands, all_called(commands, empty, env, str(python)), strict=True))


def test_a_grid_is_planned_all_the_same_and_marked_as_unchecked(
    answers: Mapping[tuple[str, ...], Done], reason: str
) -> None:
    done = answers[GRID]
    assert done.returncode == 0, done.stderr
    assert "8 runs" in done.stdout
    assert f"UNCHECKED, verl was not asked whether it accepts these runs: {reason}" in done.stdout
    data = json.loads(answers[*GRID, "--json"].stdout)["data"]
    assert data["verl"]["status"] == "unchecked"
    assert data["verl"]["reason"].startswith(reason)
    assert [run["state"] for run in data["runs"]] == ["new"] * 8


@pytest.mark.parametrize("words", WOULD_TRAIN, ids=" ".join)
def test_what_would_train_is_refused_with_the_cure(
    words: tuple[str, ...], answers: Mapping[tuple[str, ...], Done], reason: str
) -> None:
    done = answers[words]
    assert done.returncode == 2
    assert reason in done.stderr
    assert "make setup" in done.stderr


@pytest.mark.parametrize("words", NEEDS_NONE, ids=" ".join)
def test_what_needs_no_verl_works(words: tuple[str, ...], answers: Mapping[tuple[str, ...], Done]) -> None:
    done = answers[words]
    assert done.returncode == 0, done.stderr
    assert NEEDS_NONE[words] in done.stdout
