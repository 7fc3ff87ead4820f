"""What the README and docs/gpu.md say to install for GPUs resolves on both Pythons, to files that the index has."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu_stack.wheels import PLATFORM, resolved, uv
from tests.outside import ABSENT

pytestmark = pytest.mark.nightly

ROOT = Path(__file__).parents[2]
PAGES = "\n".join((ROOT / name).read_text() for name in ("README.md", "docs/gpu.md"))
# Pure Python that is published as its source alone: pip builds it anywhere.
SOURCES = {"antlr4-python3-runtime"}


def documented(python: str) -> list[str]:
    """The words after `pip install` of the pages' command for a Python."""
    said = re.findall(rf"pip install (-c constraints/gpu-{re.escape(python)}\.txt .*)$", PAGES, re.MULTILINE)
    assert said, f"no page says how to install on Python {python}"
    assert len(set(said)) == 1, said
    return shlex.split(said[0])


def pins(lock: Path) -> dict[str, str]:
    return dict(line.split("==") for line in lock.read_text().split())


@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_the_documented_command_resolves_to_the_pins(python: str, tmp_path: Path) -> None:
    where = ["--target", str(tmp_path / "target"), "--python-version", python, "--python-platform", PLATFORM]
    done = uv("pip", "install", "--dry-run", *where, *documented(python))
    assert done.returncode == 0, done.stderr
    chosen = dict(re.findall(r"^ \+ (\S+)==(\S+)$", done.stderr, re.MULTILINE))
    locked = pins(ROOT / "constraints" / f"gpu-{python}.txt")
    assert chosen.keys() >= {"verl", "vllm", "torch", "ray", "transformers"}
    assert {name: version for name, version in chosen.items() if locked.get(name) != version} == {}


@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_every_pin_is_a_wheel_or_pure_python(python: str) -> None:
    lock = ROOT / "constraints" / f"gpu-{python}.txt"
    files = resolved(lock, python=python)
    for item in files:
        print(item.file)
    print(f"{len(files)} files, {sum(item.size or 0 for item in files) / 1e9:.1f} GB")
    assert {item.name for item in files} == set(pins(lock))
    assert {item.name for item in files if not item.is_wheel} == SOURCES


def test_flash_attns_wheel_is_where_the_page_says(tmp_path: Path) -> None:
    (said,) = set(re.findall(r"pip install (--no-deps --only-binary flash-attn .*)$", PAGES, re.MULTILINE))
    where = ["--target", str(tmp_path), "--python-version", "3.12", "--python-platform", PLATFORM]
    done = uv("pip", "install", "--dry-run", *where, *shlex.split(said))
    if re.search(r"dns error|failed to lookup|Connect|timed out", done.stderr):
        pytest.skip(f"{ABSENT}not reached: {re.search(r'https://[^/ ]+', said)[0]}")
    assert done.returncode == 0, done.stderr
    assert "flash-attn==" in done.stderr


def test_the_pins_are_all_that_the_project_asks_for() -> None:
    done = subprocess.run([ROOT / ".ci" / "lock", "--check"], capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("pins all") == 4


def test_what_the_apptainer_image_is_given_is_enough_to_install_the_project(tmp_path: Path) -> None:
    listed = re.findall(
        r"^    (\S+) /opt/rl-scaling-sweeper/\1$", (ROOT / "containers/apptainer.def").read_text(), re.M
    )
    for name in listed:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path / "dist"), "."]
    subprocess.run(build, cwd=tmp_path, check=True, timeout=500)
    assert len(list((tmp_path / "dist").glob("*.whl"))) == 1
    assert {".ci", "constraints", "containers", "Makefile"} <= set(listed)
