"""A job's code is what was frozen for it, whoever writes into the results folder meanwhile."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.host.errors import DamagedError
from sweeper.host.machine import SNAPSHOT
from sweeper.launch.slurm import frozen_start, snapshot
from sweeper.launch.slurm.frozen_start import difference
from sweeper.launch.slurm.snapshot import Frozen, freeze

RUN = "sweeper/job/run.py"
CHANGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "an edited file": (RUN, lambda code: (code / RUN).write_text("import os")),
    "an edited setting": ("sweeper/conf.yaml", lambda code: (code / "sweeper" / "conf.yaml").write_text("x: 2")),
    "a file that is gone": (RUN, lambda code: (code / RUN).unlink()),
    "a link in a file's place": (RUN, lambda code: (code / RUN).symlink_to((code / RUN).rename(code / "aside"))),
    "a pipe in a file's place": (RUN, lambda code: (code / RUN).unlink() or os.mkfifo(code / RUN)),
    "a module of everybody's": ("sitecustomize.py", lambda code: (code / "sitecustomize.py").write_text("")),
    "a package in the place of another": ("torch", lambda code: (code / "torch").symlink_to("/tmp")),
    "a compiled module": ("sweeper/x.so", lambda code: (code / "sweeper" / "x.so").write_text("")),
    "another list of files": (SNAPSHOT, lambda code: (code / SNAPSHOT).write_text('{"files": {}}')),
    "no list of files": (SNAPSHOT, lambda code: (code / SNAPSHOT).write_text("[")),
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small program in the place of this one."""
    root = tmp_path / "checkout"
    files = dict.fromkeys(("sweeper/__init__.py", "sweeper/job/__init__.py", "rewards/a.py", "data_prep/b.py"), "")
    for name, text in (files | {RUN: "print(__file__)", "sweeper/conf.yaml": "x: 1"}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(snapshot, "__file__", str(root / "sweeper" / "launch" / "slurm" / "snapshot.py"))
    return root


@pytest.fixture
def frozen(checkout: Path, tmp_path: Path) -> Frozen:
    return freeze(tmp_path / "results")


@pytest.mark.parametrize("kind", CHANGES)
def test_what_differs_from_what_was_frozen_is_named_and_refused_by_job_and_launch(
    kind: str, frozen: Frozen, tmp_path: Path
) -> None:
    name, change = CHANGES[kind]
    manifest = frozen.folder / SNAPSHOT
    assert difference(manifest, frozen.digest) is None
    change(frozen.folder)
    assert difference(manifest, frozen.digest) == frozen.folder / name
    refusal = rf"{frozen.folder / name} is damaged.* remove {frozen.folder} and try again"
    with pytest.raises(DamagedError, match=refusal):
        freeze(tmp_path / "results")
    shutil.rmtree(frozen.folder)
    assert freeze(tmp_path / "results") == frozen


def test_nothing_of_a_changed_folder_runs_before_the_job_is_refused(frozen: Frozen) -> None:
    start = ["-I", "-S", "-c", Path(frozen_start.__file__).read_text(), str(frozen.folder / SNAPSHOT), frozen.digest]
    command = [sys.executable, *start, "-m", "sweeper.job.run"]
    asked = {"cwd": frozen.folder, "env": {"PYTHONPATH": str(frozen.folder)}, "capture_output": True, "text": True}
    assert subprocess.run(command, **asked).stdout == f"{frozen.folder / RUN}\n"  # type: ignore[call-overload]
    assert not list(frozen.folder.rglob("*.pyc"))
    for name in ("sitecustomize.py", "hashlib.py", "json.py"):
        (frozen.folder / name).write_text("print('owned')")
    done = subprocess.run(command, **asked)  # type: ignore[call-overload]
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {frozen.folder}/")
    assert done.stderr.endswith(f"remove {frozen.folder} and launch again\n")


def test_what_another_compiled_is_removed_and_a_core_dump_stops_no_job(frozen: Frozen) -> None:
    compiled, dump = frozen.folder / "sweeper" / "job" / "__pycache__" / "run.cpython-312.pyc", frozen.folder / "core.7"
    compiled.parent.mkdir()
    compiled.write_bytes(b"evil")
    dump.write_bytes(b"x")
    assert difference(frozen.folder / SNAPSHOT, frozen.digest) is None
    assert not compiled.exists()
    assert dump.exists()


def test_only_what_the_packages_consist_of_is_frozen(checkout: Path, tmp_path: Path) -> None:
    whole = freeze(tmp_path / "one")
    key = tmp_path / "id_rsa"
    for path in (key, checkout / "sweeper" / ".env", checkout / "sweeper" / "token", checkout / "rewards" / ".x.py"):
        path.write_text("secret")
    for folder in (".ipynb_checkpoints", "__pycache__", ".venv"):
        (checkout / "sweeper" / folder).mkdir()
        (checkout / "sweeper" / folder / "a.py").write_text("secret")
    (checkout / "rewards" / "key.py").symlink_to(key)
    (checkout / "rewards" / "keys").symlink_to(tmp_path)
    again = freeze(tmp_path / "two")
    assert again.folder.name == whole.folder.name
    assert "secret" not in "".join(path.read_text() for path in again.folder.rglob("*") if path.is_file())
    (checkout / "rewards" / "also.py").symlink_to("a.py")  # inside the program
    assert "rewards/also.py" in json.loads((freeze(tmp_path / "two").folder / SNAPSHOT).read_text())["files"]


def test_code_that_another_user_put_where_mine_belongs_is_not_mine(
    frozen: Frozen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.geteuid()
    other = really + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(DamagedError, match="another user's"):  # what is made there is still made by `really`
        freeze(tmp_path / "results")
    monkeypatch.setattr(os, "geteuid", lambda: really)
    aside = frozen.folder.with_name("aside")
    frozen.folder.rename(aside)
    frozen.folder.symlink_to(aside)
    mine = freeze(tmp_path / "results")
    assert mine.folder.name == f"{frozen.folder.name}-{really}"
    assert mine.digest == frozen.digest


def test_frozen_code_is_as_open_as_the_umask_says(checkout: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        folder = freeze(tmp_path / "results").folder
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (folder, *folder.rglob("*"))} == {0}
