"""The code of a job, frozen when it is submitted: what is edited while it waits does not reach it."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from data_prep.files.atomic_folder import make_once
from rewards.bounded_file import JSON_BYTES, parsed, read_bytes
from sweeper.host.errors import DamagedError
from sweeper.host.files import undamaged
from sweeper.host.machine import SNAPSHOT, git_state
from sweeper.launch.slurm.frozen_start import difference

PACKAGES = ("sweeper", "rewards", "data_prep")  # what a job imports: `conf` is in its spec, `analysis` reads rows
SUFFIXES = (".py", ".yaml", ".jsonl", ".md", ".typed")  # of what the packages consist of; keys and notes lie there, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A folder of frozen code.

    Attributes:
        folder: Where it is.
        digest: SHA-256 of its manifest, which has that of every file.
    """

    folder: Path
    digest: str


def freeze(results_dir: Path) -> Frozen:
    """This program's packages as they are now, in a folder below `code/` named by their content and made once a user.

    Raises:
        DamagedError: the folder holds something else, or is another user's.
    """
    contents = dict(_contents(Path(__file__).resolve().parents[3]))
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    digest = hashlib.sha256("".join(f"{name}\0{one}\n" for name, one in files.items()).encode()).hexdigest()[:16]
    folder = results_dir / "code" / digest
    if folder.exists() and not _is_mine(folder):
        folder = folder.with_name(f"{digest}-{os.geteuid()}")
    make_once(folder, done=SNAPSHOT, make=partial(_write, contents, files, digest))
    manifest = folder / SNAPSHOT
    cure = f"find out who changed it, remove {folder} and try again: it is made anew"
    if not _is_mine(folder):
        raise DamagedError(f"{folder} is another user's, and code from there would run as you; {cure}")
    with undamaged(manifest, cure=cure):
        text = read_bytes(manifest, JSON_BYTES)
        frozen = Frozen(folder=folder, digest=hashlib.sha256(text).hexdigest())
        wrong = manifest if parsed(text)["files"] != files else difference(manifest, frozen.digest)
    if wrong is not None:
        raise DamagedError(f"{wrong} is damaged: it is not what was frozen; {cure}")
    return frozen


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """What the packages consist of, by path below the root, in order: no hidden file, and nothing from elsewhere."""
    for path in sorted(path for name in PACKAGES for path in (root / name).rglob("*")):
        name = path.relative_to(root)
        is_hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
        if path.suffix in SUFFIXES and not is_hidden and path.is_file() and path.resolve().is_relative_to(root):
            yield name.as_posix(), read_bytes(path, JSON_BYTES)


def _is_mine(folder: Path) -> bool:
    return not folder.is_symlink() and folder.stat().st_uid == os.geteuid()


def _write(contents: Mapping[str, bytes], files: Mapping[str, str], digest: str, out: Path) -> None:
    for name, content in contents.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    commit, dirty = git_state()
    about = {"digest": digest, "commit": commit, "dirty": dirty, "files": files}
    (out / SNAPSHOT).write_text(json.dumps(about) + "\n")
