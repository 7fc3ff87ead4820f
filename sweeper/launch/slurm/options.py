"""Options of `sbatch` that a user adds (`cluster.sbatch`), beside those that the program writes.

What the program decides is refused with the setting that decides it; what says the same of GPUs or memory in a site's
own words (`gres`, `mem-per-cpu`) takes the place of ours, if it asks for as many GPUs.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from sweeper.host.errors import ConfigError
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.shape import Options, Shape, shape_of
from sweeper.spec.run import RunSpec

# The setting that decides an option; None: the program alone does.
_OURS = {
    **{"account": "cluster.account", "partition": "cluster.partition", "qos": "cluster.qos"},
    **{"exclude": "cluster.exclude", "signal": "cluster.signal_seconds", "array": "cluster.max_gpus"},
    **{"time": "model.resources.hours", "nodes": "model.resources.nodes", "mem": "cluster.memory_gb_per_gpu"},
    **{"cpus-per-task": "cluster.cpus_per_gpu", "gpus-per-node": "model.resources.gpus_per_node"},
    "gpus-per-socket": "model.resources.gpus_per_node",
    **dict.fromkeys(("export", "export-file", "get-user-env"), "cluster.environment"),
    **dict.fromkeys(("ntasks", "ntasks-per-node", "ntasks-per-core", "ntasks-per-gpu", "ntasks-per-socket")),
    **dict.fromkeys(("job-name", "output", "error", "input", "open-mode", "chdir", "comment", "dependency", "hold")),
    **dict.fromkeys(("requeue", "no-requeue", "wrap", "parsable", "test-only", "wait", "quiet", "verbose", "usage")),
    **dict.fromkeys(("help", "version", "clusters", "uid", "gid", "ignore-pbs")),
}
_FLAGS = (  # may stand without a value
    *("contiguous", "exclusive", "external-launcher", "nice", "no-kill", "overcommit", "oversubscribe", "propagate"),
    *("reboot", "resv-ports", "spread-job", "stepmgr", "use-min-nodes"),
)
# sbatch(1) of Slurm 22.05, and what came until 25.05.
_OTHERS = (
    *("acctg-freq", "batch", "bb", "bbf", "begin", "cluster-constraint", "constraint", "container", "container-id"),
    *("consolidate-segments", "core-spec", "cores-per-socket", "cpu-freq", "cpus-per-gpu", "deadline", "delay-boot"),
    *("distribution", "extra", "extra-node-info", "gpu-bind", "gpu-freq", "gpus", "gpus-per-node", "gpus-per-task"),
    *("gres", "gres-flags", "hint", "kill-on-invalid-dep", "licenses", "mail-type", "mail-user", "mcs-label"),
    *("mem-bind", "mem-per-cpu", "mem-per-gpu", "mincpus", "network", "nodefile", "nodelist", "oom-kill-step", "power"),
    *("prefer", "priority", "profile", "reservation", "segment", "sockets-per-node", "switches", "thread-spec"),
    *("threads-per-core", "time-min", "tmp", "tres-bind", "tres-per-task", "wait-all-nodes", "wckey"),
)
_SHORT = {
    **{"A": "account", "a": "array", "b": "begin", "C": "constraint", "c": "cpus-per-task", "D": "chdir"},
    **{"d": "dependency", "e": "error", "F": "nodefile", "G": "gpus", "H": "hold", "i": "input", "J": "job-name"},
    **{"k": "no-kill", "L": "licenses", "M": "clusters", "m": "distribution", "N": "nodes", "n": "ntasks"},
    **{"O": "overcommit", "o": "output", "p": "partition", "q": "qos", "s": "oversubscribe", "S": "core-spec"},
    **{"t": "time", "w": "nodelist", "W": "wait", "x": "exclude", "B": "extra-node-info"},
}
# What of ours an option takes the place of; those of GPUs only where they name some.
_REPLACES = {
    **dict.fromkeys(("gres", "gpus", "gpus-per-node", "gpus-per-task", "tres-per-task"), "gpus-per-node"),
    **dict.fromkeys(("mem-per-cpu", "mem-per-gpu"), "mem"),
    "cpus-per-gpu": "cpus-per-task",
}
_GPUS = re.compile(r"(?:^|,)(?:gres[/:])?gpu(?:[:/](?P<kind>[A-Za-z][\w.-]*))?(?:[:=](?P<count>\d+))?(?=,|\(|$)")
_COUNTED = re.compile(r"(?:^|,)(?:(?P<kind>[A-Za-z][\w.-]*):)?(?P<count>\d+)(?=,|$)")

_TRES = re.compile(r"(?:^|,)(?P<kind>cpu|mem)[:=/]")
_AMOUNT = re.compile(r"(?P<count>\d+)(?P<unit>[KMGTkmgt])?[Bb]?")
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def replaced(options: Options) -> dict[str, str]:
    """What of ours is left out, and the option that stands in its place."""
    return {
        _REPLACES[name]: name
        for name, value in options
        if name in _REPLACES and (_REPLACES[name] != "gpus-per-node" or _gpus(name, str(value)))
    }


def kinds_of_gpus(shape: Shape) -> dict[str, str]:
    """The kinds of GPUs that options name, in the site's own words (a100, nvidia_h100_80gb), by option."""
    asked = {name: str(value) for name, value in shape.sbatch if _REPLACES.get(name) == "gpus-per-node"}
    return {name: kind for name, value in asked.items() for kind, _ in _gpus(name, value) if kind is not None}


def node_cpus(shape: Shape) -> int | None:
    """CPUs that a job is given on a node, by our own option or the one in its place; None: the site decides."""
    instead = replaced(shape.sbatch).get("cpus-per-task")
    return shape.cpus_per_node if instead is None else int(str(dict(shape.sbatch)[instead])) * shape.gpus_per_node


def node_memory(shape: Shape) -> float | None:
    """Bytes of host memory that a job is given on a node, by our own option or the one in its place.

    None: the site decides.
    """
    instead = replaced(shape.sbatch).get("mem")
    if instead is None:
        return None if shape.memory_gb is None else shape.memory_gb * _UNITS["G"]
    each = _bytes(str(dict(shape.sbatch)[instead]))
    times = shape.gpus_per_node if instead == "mem-per-gpu" else node_cpus(shape)
    return None if not each or times is None else each * times


def _bytes(amount: str) -> int | None:
    """What SLURM reads an amount of memory as, MiB where it has no unit; None: it is none."""
    found = _AMOUNT.fullmatch(amount)
    return None if found is None else int(found["count"]) * _UNITS[(found["unit"] or "M").upper()]


def replacements(shapes: Iterable[Shape]) -> list[str]:
    """For people: what of ours is left out of the scripts of these shapes."""
    found = []
    for shape in shapes:
        ours = {"gpus-per-node": shape.gpus_per_node, "mem": shape.memory_gb, "cpus-per-task": shape.cpus_per_node}
        for name, other in replaced(shape.sbatch).items():
            if ours[name]:
                value = dict(shape.sbatch)[other]
                found.append(f"--{other}={value} (cluster.sbatch) stands in the place of our --{name}")
    return list(dict.fromkeys(found))


def refuse(spec: RunSpec) -> None:
    """Refuse options that SLURM does not have, that the program writes, or that contradict the run.

    Raises:
        ConfigError: the first of them, with the setting to use.
    """
    for name, value in spec.cluster.sbatch.items():
        _refuse_name(name)
        _refuse_value(name, value)
    for name, value in shape_of(spec).sbatch:
        if _REPLACES.get(name) == "gpus-per-node":
            _refuse_gpus(name, str(value), spec)
        _refuse_amount(name, str(value))


def _refuse_name(name: str) -> None:
    bare = name.lstrip("-")
    if bare in _SHORT:
        raise ConfigError(f"cluster.sbatch.{name}: short for --{_SHORT[bare]}; {_cure(_SHORT[bare])}")
    if name in _FLAGS or name in _OTHERS:
        return
    if name in _OURS:
        raise ConfigError(f"cluster.sbatch.{name}: {_cure(name)}")
    if name in _plugins():
        return
    near = bare.replace("_", "-").lower()
    if near != name and near in (*_OURS, *_FLAGS, *_OTHERS):
        raise ConfigError(f"cluster.sbatch.{name}: sbatch calls it --{near}; {_cure(near)}")
    close = get_close_matches(near, (*_OTHERS, *_FLAGS, *_OURS), n=3)
    hint = f"did you mean {' or '.join(close)}" if close else "sbatch --help lists them"
    raise ConfigError(f"cluster.sbatch.{name}: sbatch has no option --{bare}; {hint}")


def _cure(name: str) -> str:
    """What to write for an option."""
    if name == "clusters":
        return (
            "a profile is of one cluster: make one of each (python -m sweeper cluster-init NAME on its login node) and "
            "launch with cluster=NAME; one results folder may have runs on several (docs/slurm.md)"
        )
    if name not in _OURS:
        return f"write {name}"
    return "the program writes it itself: " + (f"set {_OURS[name]}" if _OURS[name] else "leave it out")


def _refuse_value(name: str, value: Any) -> None:
    if value is True and name in _OTHERS:
        raise ConfigError(f"cluster.sbatch.{name}=true: --{name} needs a value")
    items = value if isinstance(value, list | tuple) else [value]
    if not items or any(isinstance(item, Mapping | list | tuple) for item in items):
        raise ConfigError(f"cluster.sbatch.{name}={value}: give a value, true, or a list of values")
    for item in items:
        if isinstance(item, str) and not (item.strip() and item.isprintable()):
            raise ConfigError(f"cluster.sbatch.{name}={item!r}: empty, or with characters that no line of a script has")


def _refuse_gpus(name: str, value: str, spec: RunSpec) -> None:
    found = _gpus(name, value)
    if not found:
        if name in ("gres", "tres-per-task"):
            return
        raise ConfigError(f"cluster.sbatch.{name}={value}: write a number of GPUs, or TYPE:NUMBER")
    if name == "gpus-per-node" and all(kind is None for kind, _ in found):
        raise ConfigError(f"cluster.sbatch.{name}: {_cure(name)}, or write TYPE:NUMBER")
    resources = spec.model.resources
    per_node = resources.gpus_per_node if spec.cluster.gpus_per_node > 0 else 0
    asked, needed = sum(count for _, count in found), per_node * (resources.nodes if name == "gpus" else 1)
    if asked != needed:
        key = "cluster.gpus_per_node=0" if not per_node else f"model.resources.gpus_per_node={per_node}"
        of = f" on each of {resources.nodes} nodes" if name == "gpus" else ""
        raise ConfigError(f"cluster.sbatch.{name}={value} asks for {asked} GPUs, and the run uses {needed} ({key}{of})")


def _refuse_amount(name: str, value: str) -> None:
    if name == "cpus-per-gpu" and not (value.isdecimal() and int(value)):
        raise ConfigError(f"cluster.sbatch.{name}={value}: write a number of CPUs, or set cluster.cpus_per_gpu")
    if _REPLACES.get(name) == "mem" and _bytes(value) is None:
        raise ConfigError(f"cluster.sbatch.{name}={value}: write an amount such as 90G, or set {_OURS['mem']}")
    if name == "tres-per-task" and (found := _TRES.search(value)):
        key = _OURS["cpus-per-task" if found["kind"] == "cpu" else "mem"]
        raise ConfigError(f"cluster.sbatch.{name}={value}: the program writes {found['kind']} itself: set {key}")


def _gpus(name: str, value: str) -> list[tuple[str | None, int]]:
    """The kinds and numbers of GPUs that an option asks for."""
    pattern = _GPUS if name in ("gres", "tres-per-task") else _COUNTED
    return [(match["kind"], int(match["count"] or 1)) for match in pattern.finditer(value)]


@cache
def _plugins() -> frozenset[str]:
    """The options that this machine's sbatch says it has, with those of the site's plugins; none where it is silent."""
    try:
        return frozenset(re.findall(r"--([a-z][a-z0-9-]+)", scheduler.ask(["sbatch", "--help"])))
    except scheduler.SchedulerError:
        return frozenset()
