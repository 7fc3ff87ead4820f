"""What a QOS lets jobs have, in SLURM's own words."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sweeper.launch.slurm.scheduler import SchedulerError, ask

_FORM = "format=Name,Flags,GrpTRES,MaxTRESPU,MaxTRESPA,MaxTRES,MaxJobsPU"
_GPUS = re.compile(r"gres/gpu(?::(?P<kind>[^=,]+))?=(?P<count>\d+)")
Gpus = Mapping[str, int]  # by kind, in SLURM's words; "" of any


@dataclass(frozen=True, slots=True, kw_only=True)
class Qos:
    """Limits of a QOS; what it does not limit is absent.

    Attributes:
        name: Its name.
        overrides_partition: Whether its limits come before those of a partition's own QOS.
        of_all: GPUs of all its jobs at once.
        of_user: GPUs of one user's jobs at once.
        of_account: GPUs of one account's jobs at once.
        of_job: GPUs of a job.
        jobs_of_user: Jobs of one user that may run at once; None: no limit.
    """

    name: str
    overrides_partition: bool
    of_all: Gpus
    of_user: Gpus
    of_account: Gpus
    of_job: Gpus
    jobs_of_user: int | None


def qos_limits(names: Collection[str]) -> dict[str, Qos]:
    """The limits of some QOS, by name: one question.

    Raises:
        SchedulerError: SLURM keeps no accounts, or does not answer.
    """
    if not names:
        return {}
    found = {}
    for line in ask(["sacctmgr", "-n", "-P", "show", "qos", f"name={','.join(sorted(names))}", _FORM]).splitlines():
        if line.count("|") != _FORM.count(","):
            raise SchedulerError(f"sacctmgr answered {line!r}, which is no line of limits")
        name, flags, *tres, jobs = line.split("|")
        of_all, of_user, of_account, of_job = map(_gpus, tres)
        found[name] = Qos(
            name=name,
            overrides_partition="OverPartQOS" in flags.split(","),
            of_all=of_all,
            of_user=of_user,
            of_account=of_account,
            of_job=of_job,
            jobs_of_user=int(jobs) if jobs.isdigit() else None,
        )
    return found


def bound(gpus: Gpus, kind: str | None) -> int | None:
    """GPUs of a kind that a limit leaves; None: as many as there are."""
    counts = [count for name, count in gpus.items() if name in ("", kind)]
    return min(counts, default=None)


def _gpus(text: str) -> Gpus:
    return {match["kind"] or "": int(match["count"]) for match in _GPUS.finditer(text)}
