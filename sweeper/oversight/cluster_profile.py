"""A cluster's profile from what SLURM says of the cluster: `python -m sweeper cluster-init`."""

import json
import os
import pwd
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeper.host.errors import ConfigError
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.qos import Qos, qos_limits
from sweeper.launch.slurm.scheduler import SchedulerError
from sweeper.launch.slurm.site import (
    Association,
    Node,
    Partition,
    associations,
    groups_of_user,
    has_private_tmp,
    nodes_by_partition,
    partitions,
    version,
)
from sweeper.oversight.cluster_rights import GpuLimits, Rights
from sweeper.plan.gpu import GPUS

_LISTED = 12  # names that a comment lists
_PART = re.compile(r"\d+g\.\d+gb")  # a slice of a GPU, in NVIDIA's words
_NOT_OF_SLURM = (
    "whether jobs need modules, an environment or a container: setup, python, container (conf/cluster/slurm_*.yaml)",
    "the price of a GPU-hour: price_per_gpu_hour",
    "whether every node sees the results folder, and the network: sweeper doctor --job",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile as it is written.

    Attributes:
        name: Of the profile, and so of its file.
        based_on: The profile that it is a change of.
        settings: Key, value, and what SLURM said that led to it.
        notes: What is good to know, and no setting.
        unknown: What could not be learned, with the reason, and where it is stated.
    """

    name: str
    based_on: str
    settings: tuple[tuple[str, Any, str], ...]
    notes: tuple[str, ...]
    unknown: tuple[str, ...]

    def text(self) -> str:
        """The file."""
        lines = [*(f"# {note}" for note in self.notes)]
        lines += ["defaults:", f"  - {self.based_on}", "  - _self_", f"name: {_yaml(self.name)}"]
        for key, value, why in self.settings:
            lines.append(f"{key}: {_yaml(value)}{f'   # {why}' if why else ''}")
        lines += ["# Not learned:", *(f"#   {item}" for item in self.unknown)]
        return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _Site:
    """What SLURM said."""

    version: str
    cluster: str
    max_array_size: int
    partitions: Sequence[Partition]
    nodes: Mapping[str, Sequence[Node]]
    mine: Sequence[Association] | None  # None: accounting did not say
    rights: Rights
    unknown: list[str] = field(default_factory=list)

    @property
    def accounts(self) -> set[str]:
        return {item.account for item in self.mine or ()}


def profile(name: str | None = None, partition: str | None = None) -> Profile:
    """What SLURM says, as a profile called `name` (else as the cluster is) for a `partition` (else the one with GPUs).

    Raises:
        SchedulerError: SLURM does not tell what it is.
        ConfigError: there is no such partition, or none that has nodes.
    """
    site = _ask()
    chosen = _chosen(site, partition)
    kinds = Counter(node.gpu_type for node in site.nodes[chosen.name] for _ in range(node.gpus))
    name = name or re.sub(r"[^a-z0-9_-]+", "-", site.cluster.lower()).strip("-") or "mine"
    notes = [
        f"Cluster {site.cluster or '(without a name)'}, partition {chosen.name}, as {site.version} told of it.",
        f"Whether it fits: python -m sweeper doctor cluster={name}",
        *_limits(site, chosen),
    ]
    settings = [("partition", chosen.name, _others(site, chosen)), *_rights(site, chosen)]
    settings += _on_gpus(site, chosen, kinds) if kinds else _on_cpus(site.nodes[chosen.name])
    if kinds:
        limits = _gpu_limits(site, chosen, {key: value for key, value, _ in settings}["qos"], kinds)
        notes += limits.notes()
        settings += [("max_gpus", *at_once)] if (at_once := limits.at_once()) else []
    if site.max_array_size < 2:
        settings.append(("arrays", False, f"MaxArraySize={site.max_array_size}: each run is a job of its own"))
    return Profile(
        name=name,
        based_on="slurm" if kinds else "slurm_cpu",
        settings=tuple(settings),
        notes=tuple(notes),
        unknown=(*site.unknown, *_NOT_OF_SLURM),
    )


def _ask() -> _Site:
    said, about = scheduler.configuration(), version()
    unknown = [] if said.cluster else ["the cluster's name: scontrol show config has no ClusterName"]
    try:
        mine: list[Association] | None = associations(pwd.getpwuid(os.getuid()).pw_name)
        if not mine:
            mine = None
            unknown.append("your accounts: sacctmgr names none of you; state account if jobs need one")
    except (SchedulerError, KeyError) as error:
        mine = None
        unknown.append(f"your accounts, their QOS and limits ({error}): state account and qos if jobs need them")
    rights = Rights(accounts=mine, groups=groups_of_user())
    return _Site(about, said.cluster, said.max_array_size, partitions(), nodes_by_partition(), mine, rights, unknown)


def _chosen(site: _Site, wanted: str | None) -> Partition:
    """The partition that was named, else one of those that are up and open to the user's accounts.

    Of these it is the default one if it has GPUs, else that of the most GPUs, else the default one or the largest.
    """
    with_nodes = [item for item in site.partitions if site.nodes.get(item.name)]
    if wanted is not None:
        found = [item for item in with_nodes if item.name == wanted]
        if not found:
            raise ConfigError(f"--partition {wanted}: there is none with nodes; there are {_names(with_nodes)}")
        return found[0]
    open_to_me = [item for item in with_nodes if item.up and site.rights.closed(item) is None]
    if not open_to_me:
        why = "; ".join(
            f"{item.name} {site.rights.closed(item) or ('has no nodes' if item.up else 'is not up')}"
            for item in site.partitions[:_LISTED]
        )
        raise ConfigError(f"no partition is up, has nodes and takes jobs of yours: {why}; name one: --partition NAME")

    def rank(item: Partition) -> tuple[bool, bool, int, int]:
        gpus = sum(node.gpus for node in site.nodes[item.name])
        return gpus > 0, item.default, gpus, len(site.nodes[item.name])

    return max(open_to_me, key=rank)


def _names(items: Sequence[Partition]) -> str:
    return _listed([item.name for item in items]) or "none"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}"


def _others(site: _Site, chosen: Partition) -> str:
    others = [item.name for item in site.partitions if item.name != chosen.name]
    default = ["the default one"] if chosen.default else []
    return "; ".join([*default, *([f"there are also {_listed(others)}"] if others else [])])


def _limits(site: _Site, chosen: Partition) -> Iterator[str]:
    """What bounds a job here and is stated with a model, or nowhere."""
    if chosen.minutes is None:
        yield "Jobs of this partition have no time limit."
    else:
        yield f"Jobs of this partition end after {chosen.minutes / 60:g} h: model.resources.hours may not be more."
    if why := site.rights.closed(chosen):
        yield f"As far as SLURM tells, this partition is closed to you: it {why}."
    passed = {item.name: why for item in site.partitions if item != chosen and (why := site.rights.closed(item))}
    if passed:
        told = _listed([f"{name} {why}" for name, why in passed.items()])
        yield f"Closed to you: {told}."
    if not chosen.up:
        yield "The partition is not up now."
    bounds = {item.account: item.max_submit for item in site.mine or () if item.max_submit is not None}
    for account, bound in bounds.items():
        yield f"{bound} jobs of account {account} may be queued at once: a launch with --wait submits the rest later."
    if has_private_tmp():
        yield "Each job has a /tmp of its own."


def _rights(site: _Site, chosen: Partition) -> Iterator[tuple[str, Any, str]]:
    """Account and QOS: stated where the partition takes some alone, else SLURM's own defaults."""
    accounts = sorted(site.accounts)
    fitting = [name for name in accounts if chosen.accounts is not None and name in chosen.accounts]
    mine = f"yours: {_listed(accounts)}" if accounts else ""
    if fitting:
        yield "account", fitting[0], f"the partition takes {_listed(chosen.accounts or ())}; {mine}"
    else:
        yield "account", None, f"your default; {mine}" if mine else ""
        if chosen.accounts is not None:
            site.unknown.append(f"an account of yours that the partition takes; it takes {_listed(chosen.accounts)}")
    qos = sorted({name for item in site.mine or () for name in item.qos})
    allowed = [name for name in qos if chosen.qos is not None and name in chosen.qos]
    mine = f"yours: {_listed(qos)}" if qos else ""
    if allowed:
        yield "qos", allowed[0], f"the partition takes {_listed(chosen.qos or ())}; {mine}"
    else:
        yield "qos", None, f"your default; {mine}" if mine else ""


def _gpu_limits(site: _Site, chosen: Partition, qos: str | None, kinds: Counter[str | None]) -> GpuLimits:
    """Under the partition's own QOS and that of jobs, as far as SLURM tells which that is."""
    mine = sorted({name for item in site.mine or () for name in item.qos})
    if qos is None and len(mine) > 1:
        site.unknown.append(f"which of your QOS is your default, whose limits hold ({_listed(mine)}): state qos")
    of_jobs = qos or (mine[0] if len(mine) == 1 else None)
    known: dict[str, Qos] = {}
    try:
        known = qos_limits({name for name in (chosen.own_qos, of_jobs) if name})
    except SchedulerError as error:
        site.unknown.append(f"how many GPUs the QOS let you have ({error})")
    return GpuLimits.of(chosen, of_jobs, known, kinds.most_common(1)[0][0])


def _on_gpus(site: _Site, chosen: Partition, kinds: Counter[str | None]) -> Iterator[tuple[str, Any, str]]:
    """The nodes of the kind of GPU that there is most of."""
    kind = kinds.most_common(1)[0][0]
    nodes = [node for node in site.nodes[chosen.name] if node.gpus]
    same = [node for node in nodes if node.gpu_type == kind]
    per_node = Counter(node.gpus for node in same).most_common(1)[0][0]
    yield "gpu_type", *_type(kind, site.unknown)
    yield "gpus_per_node", per_node, ""
    yield "max_nodes", len(same), "as many as the partition has of this kind"
    cpus, memory = min(node.cpus for node in same), min(node.memory_gb for node in same)
    yield "cpus_per_gpu", max(1, cpus // per_node), f"a node's {cpus} CPUs, dealt to its GPUs"
    yield "memory_gb_per_gpu", max(1, int(memory // per_node)), f"of a node's {memory:.0f} GB"
    others = [node.name for node in nodes if node.gpu_type != kind]
    if others:
        named = ", ".join(f"{n} x {other or 'GPU'}" for other, n in kinds.items() if other != kind)
        yield "exclude", others, f"nodes of other GPUs ({named}), which SLURM would give as well"


def _type(kind: str | None, unknown: list[str]) -> tuple[str | None, str]:
    """Our word for a kind of GPU and why; null where no estimate is made of it."""
    if kind is None:
        unknown.append(f"the kind of the GPUs, which SLURM does not name: state gpu_type, one of {', '.join(GPUS)}")
        return None, "null: no estimate of time and memory"
    name = kind.lower()
    is_whole = not _PART.search(name) and not ("a100" in name and "40gb" in name)
    found = [known for known in GPUS if known.lower() in name and is_whole]
    if found:
        return found[0], f"SLURM calls it {kind}"
    return None, f"null: no estimate of time and memory is made of {kind}"


def _on_cpus(nodes: Sequence[Node]) -> Iterator[tuple[str, Any, str]]:
    cpus, memory = min(node.cpus for node in nodes), min(node.memory_gb for node in nodes)
    yield "max_nodes", len(nodes), f"nodes of {cpus} CPUs and {memory:.0f} GB at least, without GPUs"
    if cpus < 2:
        yield "cpus_per_gpu", 1, "of each training process"
    if memory < 8:
        yield "memory_gb_per_gpu", max(1, int(memory)), "of each training process"


def _yaml(value: Any) -> str:
    """A value on a line of YAML, which is JSON where its words would be read as something else."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w.-]*", value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value)


_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
