import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.host import machine
from sweeper.host.machine import Device, git_state, resolve_device, visible_gpus

REPOSITORY = Path(__file__).parents[2]


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_of_the_code_is_its_checkouts() -> None:
    commit, _ = git_state()
    assert commit == git(REPOSITORY, "rev-parse", "HEAD")


def test_a_copy_that_is_installed_inside_another_checkout_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "another project")
    shutil.copytree(REPOSITORY / "sweeper" / "host", tmp_path / "site-packages" / "sweeper" / "host")
    (tmp_path / "site-packages" / "sweeper" / "__init__.py").touch()
    code = "from sweeper.host import machine; print(machine.__file__, *machine.git_state())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "site-packages", check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(tmp_path / "site-packages/sweeper/host/machine.py"), "None", "None"]


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /dev of our own, with a driver that lists one GPU; no shell says which GPUs are its."""
    monkeypatch.setattr(machine, "DEVICES", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\nprintf 'GPU 0: NVIDIA H200 (UUID: GPU-1)\\n  MIG 1g.18gb Device 0: (UUID: MIG-1)\\n'\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def test_a_container_with_another_gpu_than_the_first_computes_on_it(devices: Path) -> None:
    assert resolve_device(Device.auto) is Device.cpu
    assert visible_gpus() == ()
    (devices / "nvidia3").touch()
    assert resolve_device(Device.auto) is Device.cuda
    assert visible_gpus() == ("0",)  # by CUDA's numbers, whatever the file's


def test_gpus_are_those_that_the_driver_lists_and_not_the_files(devices: Path) -> None:
    for number in range(8):
        (devices / f"nvidia{number}").touch()
    assert visible_gpus() == ("0",)
    (devices / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert visible_gpus() == tuple("01234567")


@pytest.mark.parametrize(
    ("named", "gpus"),
    [("2,3", ("2", "3")), ("GPU-1f, GPU-2e", ("GPU-1f", "GPU-2e")), ("", ()), ("-1", ()), ("1,-1,2", ("1",))],
)
def test_what_cuda_was_told_to_use_is_what_is_visible(
    named: str, gpus: tuple[str, ...], devices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (devices / "nvidia0").touch()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert visible_gpus() == gpus
    assert resolve_device(Device.auto) is (Device.cuda if gpus else Device.cpu)
