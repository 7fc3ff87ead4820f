"""verl is told the same by a file as it was by its arguments."""

import json
import runpy
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from sweeper.host.machine import Device
from sweeper.spec.model import WarmStart
from sweeper.spec.run import RunSpec
from sweeper.training import overrides_file
from sweeper.training.overrides import verl_overrides
from sweeper.training.sft import FineTuning, SftShare, sft_overrides
from tests.sweeper.points import spec
from tests.sweeper.test_overrides import FILES

# A trainer of verl's as Hydra knows it: verl's configuration, and what it holds in the end.
TRAINER = """
import json, sys
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

@hydra.main(config_path={folder!r}, config_name={name!r}, version_base=None)
def main(config):
    told = HydraConfig.get()
    Path("told.json").write_text(json.dumps({{
        "config": OmegaConf.to_container(config), "overrides": list(told.overrides.task), "job": told.job.name,
        "run": told.run.dir, "argv": sys.argv, "main": main.__module__, "package": __spec__.name,
    }}))

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    GlobalHydra.instance().clear()
    yield tmp_path
    GlobalHydra.instance().clear()


def told(
    folder: Path, config: str, overrides: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, object]]:
    """What a trainer gets of overrides as its arguments, and then of the same in a file."""
    name = f"trainer_{config}"
    verl = find_spec("verl")
    assert verl is not None
    assert verl.submodule_search_locations
    place = str(Path(verl.submodule_search_locations[0], "trainer", "config"))
    (folder / f"{name}.py").write_text(TRAINER.format(folder=place, name=config))
    quiet = ["hydra.output_subdir=null", "hydra/job_logging=none", "hydra/hydra_logging=none"]
    overrides_file.write(folder / "overrides.txt", [*overrides, *quiet])
    found = []
    for by_file in (False, True):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["python", *([] if by_file else [*overrides, *quiet])])
            if by_file:
                overrides_file.main(name, folder / "overrides.txt")
            else:
                runpy.run_module(name, run_name="__main__", alter_sys=True)
        GlobalHydra.instance().clear()
        found.append(json.loads((folder / "told.json").read_text()))
    return found


def at(folder: Path) -> dict[str, Path]:
    return {name: folder / name for name in ("model", "train", "val", "checkpoints", "validations", "rewards", "hydra")}


RUNS = {
    "of forks on a processor, of low rank": (("model=tiny-130k", "algorithm.lora.rank=4"), Device.cpu),
    "on several nodes, with a critic": (
        ("model=qwen2.5-7b", "model_family=qwen2.5", "model.resources.nodes=2", "algorithm=ppo"),
        Device.cuda,
    ),
}


@pytest.mark.parametrize("kind", [*RUNS])
def test_a_file_tells_verls_trainer_what_arguments_told_it(
    kind: str, in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, device = RUNS[kind]
    run: RunSpec = replace(spec(*settings), verl={"trainer": {"project_name": 'it\'s, {odd}: "100%"  # \\'}})
    files = replace(FILES, **at(in_folder), fork_socket=in_folder / "fork" if device is Device.cpu else None)
    by_arguments, by_file = told(in_folder, "ppo_trainer", verl_overrides(run, files, device), monkeypatch)
    assert by_file == by_arguments
    assert len(by_file["overrides"]) > 30  # type: ignore[arg-type]


def test_a_file_tells_the_trainer_of_fine_tuning_what_arguments_told_it(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = FineTuning(
        model=in_folder / "model",
        data=in_folder / "train",
        settings=WarmStart(steps=4),
        max_length=64,
        share=SftShare(processes=1, sequence_parallel=1, tokens=64),
    )
    overrides = sft_overrides(wanted, in_folder, Device.cpu)
    by_arguments, by_file = told(in_folder, "sft_trainer_engine", overrides, monkeypatch)
    assert by_file == by_arguments


def test_what_is_written_is_read_back_and_is_the_owners_alone(tmp_path: Path) -> None:
    overrides = ["a=1", "b='two\nlines\n\twith a tab\r\nand more'", "++c=[x,y]", "d='end\n'"]
    overrides_file.write(tmp_path / "o.txt", overrides)
    assert overrides_file.read(tmp_path / "o.txt") == overrides
    assert stat.S_IMODE((tmp_path / "o.txt").stat().st_mode) == 0o600


def test_the_arguments_of_the_trainers_process_hold_no_override(tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text(
        "import sys; from pathlib import Path; print(sys.argv[1:], Path('/proc/self/cmdline').read_bytes())"
    )
    overrides_file.write(tmp_path / "o.txt", ["trainer.project_name=planted"])
    command = [sys.executable, "-m", *overrides_file.arguments("shown", tmp_path / "o.txt")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    said, _, command_line = done.stdout.partition("]")
    assert "planted" in said
    assert "planted" not in command_line
    assert "o.txt" in command_line
