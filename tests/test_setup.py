"""The set-up takes a Python that verl allows, says which, and names what is missing with a command that installs it."""

import os
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
TOOLS = (
    "bash",
    "cut",
    "dirname",
    "env",
    "grep",
    "paste",
    "realpath",
    "mkdir",
    "rm",
    "tail",
    "touch",
    "tr",
    "cat",
    "chmod",
    "awk",
    "df",
    "head",
    "sed",
    "uname",
)
# What stands for a Python: it knows its version, whether it has venv, and writes down what pip is asked for.
STANDIN = """#!/bin/sh
case "$2" in
  *sys.exit*) exit {other} ;;
  *ensurepip*) exit {without_venv} ;;
  *Python.h*) exit {without_headers} ;;
  *'print('*) echo {version} ;;
  venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; touch "$3/pyvenv.cfg" ;;
  pip) echo "$@${{FLASH_ATTENTION_FORCE_BUILD:+ forced=$FLASH_ATTENTION_FORCE_BUILD}}" >> "$ASKED"
    case "$*" in *only-binary*) [ ! -e "$ASKED.unreached" ] ;; esac ;;
  *) echo "Python {version}.9" ;;
esac
"""


class Machine:
    """A folder that is all that PATH holds."""

    def __init__(self, folder: Path) -> None:
        """`folder`: empty; gets `bin/`, and `venv/` by the set-up."""
        self.bin, self.venv, self.asked = folder / "bin", folder / "venv", folder / "asked"
        self.bin.mkdir()
        for tool in (*TOOLS, "cp", "id"):
            self._link(tool)

    def _link(self, tool: str) -> None:
        (self.bin / tool).symlink_to(next(p for p in (Path("/usr/bin") / tool, Path("/bin") / tool) if p.exists()))

    def has(self, name: str, version: str, *, venv: bool = True, headers: bool = True) -> None:
        """A Python of `version` under `name`, with or without its module venv and its headers."""
        other = int(version not in ("3.11", "3.12"))
        lacking = {"without_venv": int(not venv), "without_headers": int(not headers)}
        self.has_command(name, STANDIN.format(version=version, other=other, **lacking))

    def has_command(self, name: str, text: str) -> None:
        """A program of that name and text."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def has_uv(self) -> None:
        """A uv that brings 3.12."""
        self.has("brought", "3.12")
        script = (
            '#!/bin/sh\n[ "$1" = --version ] && echo "uv 9" && exit\nfor last; do :; done\nbrought -m venv "$last"\n'
        )
        self.has_command("uv", script)

    def has_gpus(self, *, driver: str = "580.95.05", nvcc: str | None = None) -> None:
        """NVIDIA's driver, a C compiler, the oldest glibc that will do, a terabyte of disk, and nvcc of a release."""
        self.has_command("nvidia-smi", f"#!/bin/sh\necho {driver}\necho {driver}\n")
        self.has_command("gcc", "#!/bin/sh\n")
        self.has_command("getconf", "#!/bin/sh\necho glibc 2.31\n")
        (self.bin / "df").unlink()
        self.has_command("df", "#!/bin/sh\necho Filesystem\necho disk 2000000000 1000000000 1000000000 50% /\n")
        if nvcc:
            self.has_command("nvcc", f"#!/bin/sh\necho 'Cuda compilation tools, release {nvcc}, V{nvcc}.48'\n")

    def set_up(self, *wanted: str, active: bool = False, gpu: bool = False) -> "subprocess.CompletedProcess[str]":
        """`.ci/setup` on this machine, or where its environment is active."""
        path = f"{self.venv / 'bin'}:{self.bin}" if active else str(self.bin)
        environment = {"PATH": path, "ASKED": str(self.asked), "HOME": os.devnull, "CUDA_HOME": os.devnull}
        return subprocess.run(
            [str(ROOT / ".ci" / "setup"), *(["--gpu"] if gpu else []), str(self.venv), *wanted],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def test_of_two_pythons_the_newer_is_taken_and_named_and_its_own_pins_are_installed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.11", "3.11")
    machine.has("python3.12", "3.12")
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    assert f"Python: Python 3.12.9, {machine.bin}/python3.12" in done.stdout
    torch, packages, gym, ours = machine.asked.read_text().splitlines()
    assert re.search(r"--constraint constraints/cpu-3\.12\.txt .*--no-deps --index-url https://\S+/cpu torch$", torch)
    assert packages.endswith("--no-deps --require-hashes --requirement constraints/hashed/cpu-3.12.txt")
    assert gym.endswith("--no-deps --require-hashes --requirement constraints/hashed/gym-3.12.txt")
    assert ours.endswith("--constraint constraints/cpu-3.12.txt --editable .[cpu,dev]")
    assert "extra-index-url" not in machine.asked.read_text()
    assert (ROOT / "constraints" / "cpu-3.12.txt").exists()


def test_a_python_that_cannot_make_an_environment_yields_to_one_that_can(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.12", "3.12", venv=False)
    machine.has("python3.11", "3.11")
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    assert "Python 3.11.9" in done.stdout
    assert "constraints/cpu-3.11.txt" in machine.asked.read_text()


def test_a_plain_python3_counts_when_it_is_a_version_that_verl_allows(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3", "3.12")
    assert machine.set_up().returncode == 0


def test_without_such_a_python_uv_brings_one(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3", "3.13")
    machine.has_uv()
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    assert "Python 3.12.9, by uv 9" in done.stdout


def test_with_neither_every_system_gets_its_command_and_nothing_is_made(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3", "3.13")
    done = machine.set_up()
    assert done.returncode == 1
    for command in (
        "curl ",
        "apt-get install python3.12-venv",
        "apt-get install python3.11-venv",
        "dnf install",
        "pacman -S",
    ):
        assert command in done.stderr
    assert not machine.venv.exists()


def test_a_named_python_that_verl_does_not_allow_is_refused_and_the_environment_stays(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.11", "3.11")
    machine.has("python3.13", "3.13")
    assert machine.set_up().returncode == 0
    done = machine.set_up("python3.13")
    assert done.returncode == 1
    assert "python3.13" in done.stderr
    assert (machine.venv / "pyvenv.cfg").exists()


def test_a_folder_that_is_no_environment_is_never_removed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.11", "3.11")
    machine.venv.mkdir()
    (machine.venv / "thesis.tex").touch()
    done = machine.set_up()
    assert done.returncode == 1
    assert (machine.venv / "thesis.tex").exists()


def test_an_active_environment_is_renewed_by_the_machines_python_and_keeps_what_else_is_in_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.11", "3.11")
    assert machine.set_up().returncode == 0
    (machine.venv / "bin" / "python3.11").symlink_to("python")
    (machine.venv / "added").touch()
    done = machine.set_up(active=True)
    assert done.returncode == 0, done.stderr
    assert f"{machine.bin}/python3.11" in done.stdout
    assert (machine.venv / "added").exists()
    refused = machine.set_up(str(machine.venv / "bin" / "python"))
    assert refused.returncode == 1
    assert "the environment that it is to make" in refused.stderr
    assert (machine.venv / "added").exists()


def test_an_environment_of_another_python_makes_way(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.11", "3.11")
    assert machine.set_up().returncode == 0
    (machine.venv / "added").touch()
    machine.has("python3.12", "3.12")
    assert machine.set_up().returncode == 0
    assert not (machine.venv / "added").exists()


def test_a_gpu_machine_gets_the_pins_of_python_3_12_and_then_flash_attn_as_verls_wheel(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.11", "3.11")
    machine.has("python3", "3.12")
    machine.has_gpus()
    done = machine.set_up(gpu=True)
    assert done.returncode == 0, done.stderr
    assert "Python 3.12.9" in done.stdout
    assert "driver: 580.95.05" in done.stdout
    packages, gym, stack, flash_attn = machine.asked.read_text().splitlines()
    assert packages.endswith("--no-deps --require-hashes --requirement constraints/hashed/gpu-3.12.txt")
    assert gym.endswith("--no-deps --require-hashes --requirement constraints/hashed/gym-3.12.txt")
    assert "--constraint constraints/gpu-3.12.txt --editable .[gpu,dev]" in stack
    assert re.search(
        r"--no-deps --only-binary flash-attn --extra-index-url https://\S+ flash-attn==[\d.]+$", flash_attn
    )
    assert (ROOT / "constraints" / "gpu-3.12.txt").exists()


def test_where_there_is_no_python_3_12_uv_brings_it_to_a_gpu_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.11", "3.11")
    machine.has_gpus()
    machine.has_uv()
    done = machine.set_up(gpu=True)
    assert done.returncode == 0, done.stderr
    assert "Python 3.12.9, by uv 9" in done.stdout


def test_a_driver_too_old_for_cuda_13_is_refused_before_anything_is_downloaded(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.12", "3.12")
    machine.has_gpus(driver="550.127.08")
    done = machine.set_up(gpu=True)
    assert done.returncode == 1
    assert "here is 550.127.08" in done.stderr
    assert "nvidia-driver-580" in done.stderr
    assert not machine.venv.exists()
    assert not machine.asked.exists()


def test_a_machine_whose_driver_does_not_answer_is_told_that_it_was_not_looked_at(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.12", "3.12")
    machine.has_gpus()
    machine.has_command("nvidia-smi", "#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    done = machine.set_up(gpu=True)
    assert done.returncode == 0, done.stderr
    assert "driver: no GPU answers here, so it was not looked at" in done.stdout


def test_all_that_a_gpu_machine_lacks_is_told_at_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.12", "3.12", headers=False)
    machine.has_gpus(driver="535.1")
    (machine.bin / "gcc").unlink()
    machine.has_command("df", "#!/bin/sh\necho Filesystem\necho disk 2000 1000 3000000 50% /\n")
    machine.has_command("getconf", "#!/bin/sh\necho glibc 2.28\n")
    done = machine.set_up(gpu=True)
    assert done.returncode == 1
    for cure in (
        "an image",
        "nvidia-driver-580",
        "apt-get install gcc",
        "apt-get install python3.12-dev",
        "VENV=/another",
    ):
        assert cure in done.stderr
    assert done.stderr.count("missing:") == 5


def test_on_python_3_11_flash_attn_is_compiled_by_nvcc_13_and_refused_without(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.11", "3.11")
    machine.has_gpus(nvcc="12.8")
    refused = machine.set_up("python3.11", gpu=True)
    assert refused.returncode == 1
    assert "nvcc 13, with which flash-attn is compiled; here is 12.8" in refused.stderr
    assert not machine.asked.exists()
    machine.has_gpus(nvcc="13.0")
    done = machine.set_up("python3.11", gpu=True)
    assert done.returncode == 0, done.stderr
    assert "compiling flash-attn" in done.stdout
    packages, gym, stack, tools, flash_attn = machine.asked.read_text().splitlines()
    assert packages.endswith("--require-hashes --requirement constraints/hashed/gpu-3.11.txt")
    assert gym.endswith("--requirement constraints/hashed/gym-3.11.txt")
    assert "constraints/gpu-3.11.txt" in stack
    assert "setuptools wheel" in tools
    assert re.search(
        r"--no-deps --no-build-isolation --no-binary flash-attn flash-attn==[\d.]+ forced=TRUE$", flash_attn
    )


def test_an_environment_made_for_gpus_stays_so_when_it_is_renewed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.12", "3.12")
    machine.has_gpus()
    assert machine.set_up(gpu=True).returncode == 0
    machine.asked.unlink()
    assert machine.set_up().returncode == 0
    assert "constraints/gpu-3.12.txt" in machine.asked.read_text()
    assert "cpu" not in machine.asked.read_text()


def test_where_flash_attns_wheel_is_not_to_be_had_the_step_that_compiles_it_is_named_and_the_environment_stays_for_gpus(
    tmp_path: Path,
) -> None:
    machine = Machine(tmp_path)
    machine.has("python3.12", "3.12")
    machine.has_gpus()
    machine.asked.with_name("asked.unreached").touch()
    done = machine.set_up(gpu=True)
    assert done.returncode == 1
    assert f".ci/flash-attn {machine.venv} --build" in done.stderr
    assert (machine.venv / ".installed").stat().st_mtime == 0  # which make takes for out of date
    machine.asked.unlink()
    machine.set_up()
    assert "cpu" not in machine.asked.read_text()


def test_flash_attn_is_the_release_that_verl_pins() -> None:
    pinned = {
        requirement.partition(";")[0].strip()
        for requirement in metadata.requires("verl") or []
        if requirement.startswith("flash-attn")
    }
    version = re.search(r"^version=(\S+)", (ROOT / ".ci" / "flash-attn").read_text(), re.MULTILINE)
    assert version is not None
    assert pinned == {f"flash-attn=={version[1]}"}


@pytest.mark.parametrize("name", ["cpu-3.11", "cpu-3.12", "gpu-3.11", "gpu-3.12", "gym-3.11", "gym-3.12"])
def test_every_pin_has_the_hashes_of_its_files_but_torchs_cpu_build_which_pypi_has_not(name: str) -> None:
    pins = (ROOT / "constraints" / f"{name}.txt").read_text().split()
    lines = (ROOT / "constraints" / "hashed" / f"{name}.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == [pin for pin in pins if not pin.endswith("+cpu")]
    assert len(pins) - len(lines) == (1 if name.startswith("cpu") else 0)
    assert all(re.fullmatch(r"\S+==\S+( --hash=sha256:[0-9a-f]{64})+", line) for line in lines)


@pytest.mark.parametrize("name", ["ray", "TransferQueue", "verl", "vllm", "transformers"])
def test_what_is_patched_is_bounded_from_above(name: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = [Requirement(text) for extra in ("cpu", "gpu") for text in extras[extra]]
    found = [one for one in asked if one.name.lower() == name.lower()]
    assert found
    assert all(any(spec.operator in ("==", "<") for spec in one.specifier) for one in found)
