"""What accounting says of jobs: whether they are over, and how they ended."""

import re
from collections.abc import Iterator, Mapping

from sweeper.launch.slurm.scheduler import ask

_ACCOUNT = re.compile(r"^(\d+)(?:_([^|\n]*))?\|([A-Z_][^|\n]*)\|(\d+:\d+)(?:\|(.*))?$", re.MULTILINE)  # sacct's line
_ALL = -1  # in place of an index: sacct's one line of an array of which nothing began
# sacct's words for a job that is not over.
_ALIVE = (
    *("PENDING", "RUNNING", "REQUEUED", "SUSPENDED", "RESIZING", "CONFIGURING", "COMPLETING", "STAGE_OUT", "SIGNALING"),
    *("STOPPED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"),
)
# Those for one that will not be queued again, though its node may still be cleaned up.
_OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "DEADLINE")


def endings(jobs: Mapping[int, str]) -> dict[tuple[int, int], str]:
    """What accounting says of elements of arrays ("TIMEOUT, exit 0:15"), whoever's, by job and index.

    Args:
        jobs: The names that arrays were submitted under, by number. A job of another name that is not over may be
            another's who was given the number, by a cluster that counts from 1 again: of it nothing is said.

    Raises:
        SchedulerError: sacct did not answer, or the cluster keeps no accounts.
    """
    if not jobs:
        return {}
    names = ",".join(map(str, jobs))
    text = ask(["sacct", "-n", "-P", "-X", "-a", "-j", names, "-o", "JobID,State,ExitCode,JobName"])
    found, of_many = dict[tuple[int, int], str](), dict[tuple[int, int], str]()
    for match in _ACCOUNT.finditer(text):
        job, indices, state, code, name = int(match[1]), match[2] or "", match[3], match[4], match[5]
        if name not in (None, jobs.get(job)) and is_alive(state):
            continue
        for index in _expand(indices):
            (found if indices.isdigit() else of_many)[job, index] = f"{state}, exit {code}"
    return of_many | found  # an element's own line says more than that of its array


def is_alive(account: str) -> bool:
    """Whether accounting says of an element that it is not over."""
    return account.partition(",")[0].partition(" ")[0] in _ALIVE


def is_over(account: str) -> bool:
    """Whether accounting says of an element that it ended and will not be queued again."""
    return account.partition(",")[0].partition(" ")[0] in _OVER


def _expand(indices: str) -> Iterator[int]:
    """The elements of "7", or of "[0-3,7%2]": what never began is one line of sacct; nothing stands for all."""
    if not indices:
        yield _ALL
    for part in re.sub(r"[][]|%\d+", "", indices).split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            yield from range(int(first), int(last or first) + 1)


def account_of(accounts: Mapping[tuple[int, int], str], job: int, index: int) -> str | None:
    """What `endings` found of an element; None: nothing."""
    return accounts.get((job, index), accounts.get((job, _ALL)))
