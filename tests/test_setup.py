"""The set-up takes a Python that verl allows, says which, and names what is missing with a command that installs it."""

import os
import subprocess
from pathlib import Path

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
)
# What stands for a Python: it knows its version, whether it has venv, and writes down what pip is asked for.
STANDIN = """#!/bin/sh
case "$2" in
  *sys.exit*) exit {other} ;;
  *ensurepip*) exit {without_venv} ;;
  *'print('*) echo {version} ;;
  venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; touch "$3/pyvenv.cfg" ;;
  pip) echo "$@" >> "$ASKED" ;;
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

    def has(self, name: str, version: str, *, venv: bool = True) -> None:
        """A Python of `version` under `name`, with or without its module venv."""
        text = STANDIN.format(version=version, other=int(version not in ("3.11", "3.12")), without_venv=int(not venv))
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def has_uv(self) -> None:
        """A uv that brings 3.12."""
        self.has("brought", "3.12")
        script = (
            '#!/bin/sh\n[ "$1" = --version ] && echo "uv 9" && exit\nfor last; do :; done\nbrought -m venv "$last"\n'
        )
        (self.bin / "uv").write_text(script)
        (self.bin / "uv").chmod(0o755)

    def set_up(self, *wanted: str, active: bool = False) -> "subprocess.CompletedProcess[str]":
        """`.ci/setup` on this machine, or where its environment is active."""
        path = f"{self.venv / 'bin'}:{self.bin}" if active else str(self.bin)
        environment = {"PATH": path, "ASKED": str(self.asked), "HOME": os.devnull}
        return subprocess.run(
            [str(ROOT / ".ci" / "setup"), str(self.venv), *wanted],
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
    assert machine.asked.read_text().count("constraints/cpu-3.12.txt") == 2
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
