"""Every socket on which a run listens, as the kernel lists them, and who may speak to it."""

import os
import re
import stat
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

_LISTENS, _ACCEPTS = "0A", 0x10000  # in /proc/net/tcp; the flag in /proc/net/unix

# By what docs/security.md calls them: processes by title or command, and on how many ports each listens at most.
KNOWN = {
    "Ray's GCS": (r"\S*/gcs_server ", 1),
    "Ray's raylet": (r"\S*/raylet ", 2),
    "Ray's monitor and dashboard head": (
        r"\S*python\S* .*/ray/(autoscaler/_private/monitor|dashboard/dashboard)\.py ",
        1,
    ),
    "Ray's agents": (r"ray::(DashboardAgent|RuntimeEnvAgent)|\S*python\S* .*/ray/\S*agent\S*\.py ", 4),
    "Ray's driver": (r"\S*python\S* -m sweeper\.training\.overrides_file verl\.trainer\.main_ppo ", 1),
    "torch's gloo": (r"ray::\S*WorkerDict", 3),
    "torch's launcher": (
        r"\S*python\S* (-u )?-m (torch\.distributed\.run|sweeper\.training\.overrides_file) .*sft_trainer",
        3,
    ),
    # A worker of Ray, TransferQueue's among them: the port on which Ray speaks to it, and none of its own.
    "Ray's workers": (r"ray::|\S*python\S* .*/default_worker\.py ", 1),
}


# Names, not files, that nobody needs to be kept from: a listener that is there to be refused (`rewards.sandbox.walls`).
_LOOPBACK = re.compile(r"tcp6? (0100007F|0{24}01000000|0{16}FFFF00000100007F):")
_NAMES = re.compile(r"@rewards-canary-\d+-\d+")


def strangers(processes: Sequence[psutil.Process]) -> list[str]:
    """The listening sockets of these processes that no line of `KNOWN` and no private folder accounts for."""
    found, ports = [], defaultdict(set)
    known = _listening()
    for process in sorted(processes, key=lambda one: one.pid):
        try:
            title = " ".join(process.cmdline()) + " "
            if Path(f"/proc/{process.pid}/statm").read_text().startswith("0 "):
                continue  # it is ending: its memory and title are gone, its sockets go next
            names = [str(one.readlink()) for one in Path(f"/proc/{process.pid}/fd").iterdir()]
        except (psutil.Error, OSError):
            continue
        for name in names:
            address = known.pop(name, None)  # of the oldest process that has it: forks inherit it
            if address is None or _NAMES.fullmatch(address) or _is_private(address):
                continue
            row = next((row for row, (owner, _) in KNOWN.items() if re.match(owner, title)), None)
            ports[process.pid].add(address)
            beyond = [one for one in ports[process.pid] if not _LOOPBACK.match(one)]
            is_open = row == "torch's gloo" and len(beyond) > 1  # Ray's port alone is to be reached from elsewhere
            if row is None or not address.startswith("tcp") or len(ports[process.pid]) > KNOWN[row][1] or is_open:
                found.append(f"{title[:120]}: {sorted(ports[process.pid])}")
    return found


@contextmanager
def watched() -> Iterator[dict[str, int]]:
    """Looks every second at all that this process starts in the block; yields the strangers, and how many `looks`."""
    found: dict[str, int] = defaultdict(int)
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(1.0):
            found["looks"] += 1
            for line in strangers(psutil.Process().children(recursive=True)):
                found[line] += 1

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield found
    finally:
        ended.set()
        looking.join()


def _listening() -> dict[str, str]:
    """By `socket:[inode]`, as a descriptor's link reads: the address of each listening socket of this machine."""
    found = {}
    for family in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{family}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS:
                found[f"socket:[{fields[9]}]"] = f"{family} {fields[1]}"
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[3], 16) & _ACCEPTS:
            found[f"socket:[{fields[6]}]"] = fields[7] if len(fields) > 7 else "unix, of no name"
    return found


def _is_private(address: str) -> bool:
    """Whether it is a file, and a folder above it lets only this user in."""
    for folder in Path(address).parents[:-1] if address.startswith("/") else ():
        try:
            state = folder.stat()
        except OSError:  # gone with its process
            continue
        if state.st_uid == os.getuid() and not stat.S_IMODE(state.st_mode) & 0o077:
            return True
    return False
