"""The code of a job, frozen when it is submitted: what is edited while it waits does not reach it."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from data_prep.files.atomic_folder import make_once
from sweeper.host.machine import SNAPSHOT, git_state

PACKAGES = ("sweeper", "rewards", "data_prep")  # what a job imports: `conf` is in its spec, `analysis` reads rows


def freeze(results_dir: Path) -> Path:
    """A folder below `code/` with this program's packages as they are now, named by their content and made once."""
    root = Path(__file__).resolve().parents[3]
    files = sorted(
        path
        for name in PACKAGES
        for path in (root / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.relative_to(root).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    digest = total.hexdigest()[:16]
    folder = results_dir / "code" / digest
    make_once(folder, done=SNAPSHOT, make=partial(_copy, files, root, digest))
    return folder


def _copy(files: Sequence[Path], root: Path, digest: str, out: Path) -> None:
    for path in files:
        target = out / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    commit, dirty = git_state()
    (out / SNAPSHOT).write_text(json.dumps({"digest": digest, "commit": commit, "dirty": dirty}) + "\n")
