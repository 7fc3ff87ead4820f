"""What a cluster is, in SLURM's own words: partitions, nodes, limits of a user.

Whoever asks gets a SchedulerError where SLURM does not answer, as `scheduler.ask` has it, or keeps no accounts.
"""

import grp
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from sweeper.launch.slurm.scheduler import ask

_GPUS = re.compile(r"gpu(?::(?P<kind>[^:(,\s]+))?:(?P<count>\d+)")
# States of nodes that may still run a job, without the flags that sinfo appends.
_USABLE = ("idle", "mixed", "allocated", "completing", "planned", "reserved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition."""

    name: str
    default: bool
    up: bool
    minutes: int | None  # longest job; None: no limit
    accounts: tuple[str, ...] | None  # that may use it; None: all
    qos: tuple[str, ...] | None
    groups: tuple[str, ...] | None  # of Unix
    not_accounts: tuple[str, ...]  # that may not use it
    not_qos: tuple[str, ...]
    own_qos: str | None  # whose limits hold for all its jobs
    is_exclusive: bool  # a node has jobs of one user at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of a partition."""

    name: str
    usable: bool
    cpus: int
    memory_gb: float
    gpus: int
    gpu_type: str | None  # None: none, or SLURM does not know


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """What a user may do under one account; None: no limit."""

    account: str
    qos: tuple[str, ...]
    max_submit: int | None


def version() -> str:
    """Of SLURM's commands on this machine."""
    return ask(["sinfo", "--version"]).strip()


def partitions() -> list[Partition]:
    """All that this user may see."""
    said = ask(["scontrol", "-a", "-o", "show", "partition"])
    return [_partition(line) for line in said.splitlines() if line.startswith("PartitionName=")]


def _partition(line: str) -> Partition:
    fields = dict(item.split("=", 1) for item in line.split() if "=" in item)
    return Partition(
        name=fields["PartitionName"],
        default=fields.get("Default") == "YES",
        up=fields.get("State") == "UP",
        minutes=_minutes(fields.get("MaxTime", "UNLIMITED")),
        accounts=_listed(fields.get("AllowAccounts")),
        qos=_listed(fields.get("AllowQos")),
        groups=_listed(fields.get("AllowGroups")),
        not_accounts=_listed(fields.get("DenyAccounts")) or (),
        not_qos=_listed(fields.get("DenyQos")) or (),
        own_qos=None if fields.get("QoS") in (None, "N/A", "(null)") else fields["QoS"],
        is_exclusive=fields.get("ExclusiveUser") == "YES" or fields.get("OverSubscribe") == "EXCLUSIVE",
    )


def groups_of_user() -> frozenset[str] | None:
    """The names of this user's groups, as partitions name those that may use them; None: the administrator, who may."""
    if os.getuid() == 0:
        return None
    found = set()
    for number in {os.getgid(), *os.getgroups()}:
        with suppress(KeyError):  # a group without a name
            found.add(grp.getgrgid(number).gr_name)
    return frozenset(found)


def has_private_tmp() -> bool:
    """Whether SLURM gives each job a `/tmp` of its own."""
    said = ask(["scontrol", "show", "config"])
    return re.search(r"^JobContainerType\s*=\s*job_container/tmpfs", said, re.MULTILINE) is not None


def _listed(text: str | None) -> tuple[str, ...] | None:
    return None if text in (None, "ALL", "(null)") else tuple(str(text).split(","))


def _minutes(text: str) -> int | None:
    """Of SLURM's [days-]hours:minutes:seconds; None: unlimited."""
    if text in ("UNLIMITED", "INFINITE", "NONE", ""):
        return None
    days, _, clock = text.rpartition("-")
    hours, minutes, *_ = [int(part) for part in clock.split(":")]
    return int(days or 0) * 1440 + hours * 60 + minutes


def nodes(partition: str) -> list[Node]:
    """The nodes of a partition."""
    return list(_nodes(ask(["sinfo", "-h", "-N", "-p", partition, "-o", "%N|%T|%c|%m|%G"])))


def nodes_by_partition() -> dict[str, list[Node]]:
    """The nodes of every partition, hidden ones too, by one question."""
    found: dict[str, list[Node]] = {}
    for line in ask(["sinfo", "-h", "-a", "-N", "-o", "%R|%N|%T|%c|%m|%G"]).splitlines():
        partition, _, node = line.partition("|")
        found.setdefault(partition, []).extend(_nodes(node))
    return found


def _nodes(text: str) -> Iterator[Node]:
    for line in text.splitlines():
        name, state, cpus, memory, resources = line.split("|", 4)
        found = _GPUS.search(resources)
        yield Node(
            name=name,
            usable=re.sub(r"[^a-z]", "", state) in _USABLE,
            cpus=int(cpus.rstrip("+")),
            memory_gb=int(memory.rstrip("+")) / 1024,
            gpus=int(found["count"]) if found else 0,
            gpu_type=found["kind"] if found else None,
        )


def associations(user: str) -> list[Association]:
    """The accounts of a user and their limits."""
    form = "format=Account,QOS,MaxSubmitJobs"
    text = ask(["sacctmgr", "-n", "-P", "show", "associations", f"user={user}", form])
    found = []
    for line in text.splitlines():
        account, qos, submit = line.split("|")
        names = tuple(name for name in qos.split(",") if name)
        found.append(Association(account=account, qos=names, max_submit=_number(submit)))
    return found


def submit_limit_of_qos(name: str) -> int | None:
    """Jobs of one user that a QOS lets be queued; None: no limit."""
    return _number(ask(["sacctmgr", "-n", "-P", "show", "qos", name, "format=MaxSubmitJobsPerUser"]).strip())


def ignores_partition_time(qos: str) -> bool:
    """Whether jobs of a QOS may be longer than their partition lets jobs be."""
    said = ask(["sacctmgr", "-n", "-P", "show", "qos", qos, "format=Flags"])
    return "PartitionTimeLimit" in said.strip().split(",")


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
