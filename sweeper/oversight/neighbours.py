"""What a site leaves open to its other users: nothing of it stops a run, all of it is told.

Modes are what is looked at of files: access lists of a file system may allow more.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from sweeper.launch.slurm.scheduler import SchedulerError
from sweeper.launch.slurm.shape import Shape
from sweeper.launch.slurm.site import Partition, has_private_tmp
from sweeper.oversight.check import Check, left_open, passed, unknown

_LISTED = 1000  # entries of a folder that are looked at
_ALONE = "cluster.sbatch.exclusive=user keeps other users off the nodes of a job, =true every other job"


def of_folders(results_dir: Path) -> Iterator[Check]:
    """The home and the results folder."""
    home = Path.home()
    found = may(home)
    if "list" in found:
        cure = f"chmod go-rx {home}, if nobody is to read it"
        yield left_open("home", f"{home}: {found}; so caches, histories and whatever is not closed itself", cure)
    else:
        yield passed("home", f"{home}: {found}")
    name, found = "results_dir for others", may(results_dir)
    if "write" in found:
        words = f"{results_dir}: {found}, and who writes there runs code as everybody who uses it"
        yield left_open(name, words, f"chmod go-w {results_dir}, unless all of them may (docs/security.md)")
    elif "list" in found:
        words = f"{results_dir}: {found}; that includes prompts, answers and logs"
        yield left_open(name, words, f"chmod go-rwx {results_dir}, if they are not for everybody")
    else:
        yield passed(name, f"{results_dir}: {found}")


def may(folder: Path) -> str:
    """What the group and others may do in a folder, as its mode and those of the folders above it say."""
    said = []
    for who, read, write, enter in (
        ("its group", stat.S_IRGRP, stat.S_IWGRP, stat.S_IXGRP),
        ("others", stat.S_IROTH, stat.S_IWOTH, stat.S_IXOTH),
    ):
        modes = [path.stat().st_mode for path in (folder, *folder.parents)]
        # Whoever is of the group may be another to the folders above.
        if all(mode & (enter | stat.S_IXOTH) for mode in modes):
            acts = [word for word, bit in (("list", read), ("write", write)) if modes[0] & bit]
            said.append(f"{who} may {' and '.join(['enter', *acts])}")
    return "; ".join(said) or "nobody else may enter it"


def of_machine(temporary: Path) -> dict[str, str]:
    """What other users see of a process on this machine, by name with what was found; "": it is closed.

    Where no other user is seen at all, nothing is open.
    """
    others = _owners(Path("/proc")) - {0, os.getuid()}
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    traced = scope.read_text().strip() if scope.exists() else "absent"
    return {
        "processes": "users see each other's command lines: /proc has no hidepid" if others else "",
        "ptrace": f"kernel.yama.ptrace_scope is {traced}" if traced in ("0", "absent") and others else "",
        "tmp": f"others have files in {temporary}" if _owners(temporary) - {0, os.getuid()} else "",
    }


def _owners(folder: Path) -> set[int]:
    owners = set()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in islice(entries, _LISTED):
            with suppress(OSError):
                owners.add(entry.stat(follow_symlinks=False).st_uid)
    return owners


MEANS = {
    "processes": "no argument is private; ask for hidepid=2 on /proc, or take whole nodes",
    "ptrace": "a process of yours may read any other of yours, secrets included; ask for 1",
    "tmp": "names there can be taken beforehand; ask for job_container/tmpfs or pam_namespace, or set TMPDIR",
}


def on_node(found: dict[str, str], *, where: str) -> Iterator[Check]:
    """Checks on what `of_machine` found somewhere."""
    for name, words in found.items():
        if words:
            yield left_open(f"{name} {where}", words, MEANS[name])
    if not any(found.values()):
        yield passed(f"neighbours {where}", "no other user is seen")


def on_partition(partition: Partition, shapes: Sequence[Shape]) -> Iterator[Check]:
    """Whether other users' jobs may run beside ours, and share /tmp with them."""
    name = f"partition {partition.name} for others"
    asked = [dict(shape.sbatch).get("exclusive") for shape in shapes]
    if partition.is_exclusive:
        yield passed(name, "its nodes are one user's at a time")
    elif all(asked):
        yield passed(name, f"--exclusive{'' if asked[0] is True else f'={asked[0]}'} is asked for")
    else:
        words = "jobs of other users may run on the same nodes, and reach whatever a run opens there"
        yield left_open(name, words, _ALONE)
    try:
        private = has_private_tmp()
    except SchedulerError as error:
        yield unknown("/tmp of jobs", str(error))
        return
    if private:
        yield passed("/tmp of jobs", "each job has its own (job_container/tmpfs)")
    else:
        words = "SLURM gives jobs none of their own (pam_namespace may, which cannot be seen from here)"
        yield left_open("/tmp of jobs", words, f"{MEANS['tmp']}; doctor --job looks from a node")
