"""The code of a job, frozen when it is submitted: what is edited while it waits does not reach it."""

import hashlib
import json
import shutil
from pathlib import Path

from sweeper.host.files import locked
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
    with locked(folder.with_suffix(".lock"), wait=True):
        if not folder.is_dir():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            for path in files:
                target = partial / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            commit, dirty = git_state()
            about = {"digest": digest, "commit": commit, "dirty": dirty}
            (partial / SNAPSHOT).write_text(json.dumps(about) + "\n")
            partial.rename(folder)
    return folder
