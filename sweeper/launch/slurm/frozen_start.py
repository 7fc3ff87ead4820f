"""Starts our Python from frozen code that is as it was frozen: python -I -S -c TEXT MANIFEST DIGEST ARGUMENT...

TEXT is this file: a batch script carries it, so that nothing that lies in the folder runs before it was compared, not
even a module that Python loads of itself (sitecustomize). So it imports the standard library alone.
"""

import hashlib
import importlib.machinery
import json
import os
import stat
import sys
from pathlib import Path

_MOST = 64 << 20  # bytes of a file: more is none of ours


def difference(manifest: Path, digest: str) -> Path | None:
    """The first path in a folder of frozen code that is not as it was frozen; None: all is.

    What Python compiled there is removed: it would be run in the place of the code beside it. Files that nothing could
    import may have come (a core dump).

    Args:
        manifest: In the folder: SHA-256 of each file by its path below it, under "files".
        digest: SHA-256 of the manifest.
    """
    code, text = manifest.parent, _content(manifest)
    if text is None or hashlib.sha256(text).hexdigest() != digest:
        return manifest
    files: dict[str, str] = json.loads(text)["files"]
    suffixes = tuple(importlib.machinery.all_suffixes())
    for folder, folders, names in os.walk(code):
        for name in (*folders, *names):
            path = Path(folder, name)
            if name.endswith(".pyc") and _is_removed(path):
                continue
            is_module = name.endswith(suffixes) or (path.is_symlink() and name.isidentifier())
            if is_module and path.relative_to(code).as_posix() not in files:
                return path
    for name, wanted in files.items():
        found = _content(code / name)
        if found is None or hashlib.sha256(found).hexdigest() != wanted:
            return code / name
    return None


def _is_removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)  # another job may be first
    except OSError:
        return False
    return True


def _content(path: Path) -> bytes | None:
    """The bytes of a file; None: it is none."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            about = os.fstat(file.fileno())
            return file.read(_MOST) if stat.S_ISREG(about.st_mode) and about.st_size <= _MOST else None
    except OSError:
        return None


def main(manifest: Path, digest: str, arguments: list[str]) -> None:
    """Become Python with the arguments, the code first on its path; exit code 1: it is not what was frozen."""
    path, code = difference(manifest, digest), str(manifest.parent)
    if path is not None:
        why = "is not as it was when this job was submitted, so nothing of it was run"
        sys.exit(f"error: {path} {why}: find out who changed it, remove {code} and launch again")
    # Not before: no other program of the script is to import from there. And nothing is compiled into it.
    paths = [code, *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    os.execv(sys.executable, [sys.executable, *arguments])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
