"""A private view of the machine for a process and its children: user, process, network, IPC, host name, files.

What bubblewrap would do, without starting it: the file tree holds the named folders, read-only, and nothing else (no
/proc, no /tmp, no home); there is no network device but a loopback that is down; other processes cannot be named.
It needs no privilege where the kernel lets ordinary users make namespaces.
"""

import ctypes
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from rewards.sandbox.walls.kernel import check, libc, prctl

_NEW_USER, _NEW_PID, _NEW_NET, _NEW_IPC, _NEW_UTS, _NEW_MOUNT = (
    0x10000000,
    0x20000000,
    0x40000000,
    0x08000000,
    0x04000000,
    0x00020000,
)
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 1, 2, 4, 32
_MS_BIND, _MS_REC, _MS_PRIVATE, _MS_RELATIME = 4096, 16384, 1 << 18, 1 << 21
_MNT_DETACH = 2
_MOUNT_SETATTR, _AT_RECURSIVE = 442, 0x8000
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_PR_SET_PDEATHSIG = 1
# Any folder that is there and holds no library will do to mount the new root on.
_STAGE = "/proc"


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    coded = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    check(libc.mount(coded[0], coded[1], coded[2], ctypes.c_ulong(flags), coded[3]), f"mount {target}")


def enter_namespaces() -> None:
    """Moves this single-threaded process into new namespaces, as the same user, with all rights inside them.

    Raises:
        OSError: Not permitted here (containers, Ubuntu 24.04's AppArmor, max_user_namespaces=0).
    """
    uid, gid = os.getuid(), os.getgid()
    check(libc.unshare(_NEW_USER | _NEW_PID | _NEW_NET | _NEW_IPC | _NEW_UTS | _NEW_MOUNT), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def show_only(folders: Sequence[Path], hidden: Sequence[Path], shown_again: Sequence[Path]) -> None:
    """Replaces the file tree by a read-only one of `folders` less `hidden`, each at its own place.

    Args:
        folders: Folders and files to show with all that is in them.
        hidden: Folders to empty, where they lie in `folders`.
        shown_again: Folders and files to show, inside hidden ones or elsewhere.

    Raises:
        OSError: A mount is refused.
    """
    machine = os.uname().machine
    if machine not in _PIVOT_ROOT:
        raise OSError(f"pivot_root: its number is not known on {machine}")
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    _mount("tmpfs", _STAGE, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=1m")
    for folder in sorted(folders):
        _show(folder)
    for folder in sorted(hidden):
        target = f"{_STAGE}{folder}"
        if os.path.isdir(target) and not os.path.islink(target):  # noqa: PTH112, PTH114
            _mount("tmpfs", target, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=1m")
    for folder in sorted(shown_again):
        _show(folder)
    os.chdir(_STAGE)
    check(libc.syscall(_PIVOT_ROOT[machine], b".", b"."), "pivot_root")
    check(libc.umount2(b".", _MNT_DETACH), "umount2")
    os.chdir("/")
    _make_read_only("/")


def _show(path: Path) -> None:
    target = Path(f"{_STAGE}{path}")
    if os.path.lexists(target) and not path.is_dir():
        return
    if path.is_symlink():
        # /lib is /usr/lib on most systems: the loader's paths must go on to work.
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path.readlink())
        return
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif path.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    else:
        return
    _mount(str(path), str(target), None, _MS_BIND | _MS_REC)
    _make_read_only(str(target))


def _make_read_only(target: str) -> None:
    attributes = (_MS_RDONLY | _MS_NOSUID).to_bytes(8, "little") + bytes(24)
    if libc.syscall(_MOUNT_SETATTR, -100, target.encode(), _AT_RECURSIVE, attributes, len(attributes)) == 0:
        return
    # Before Linux 5.12: one mount alone, which must keep the flags that the host gave it.
    flags = os.statvfs(target).f_flag
    # Numbers that statvfs and mount share, and the one that they do not.
    kept = flags & (os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME)
    kept |= _MS_RELATIME if flags & os.ST_RELATIME else 0
    _mount(None, target, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | kept)


def continue_as_init() -> None:
    """Goes on in a child, the first process of the new process namespace; this process waits for it and ends with it.

    Killing either ends every process of the namespace.
    """
    waiting = os.fork()
    if waiting:
        for descriptor in range(3, 64):
            try:
                os.close(descriptor)
            except OSError:
                continue
        os.waitpid(waiting, 0)
        os._exit(0)
    # From outside the namespace, so it reaches even its first process.
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
