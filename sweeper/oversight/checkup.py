"""A cluster's profile against what SLURM says of the cluster."""

import os
import pwd
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from data_prep.files.lock import locked
from rewards.bounded_file import MIB, read_text
from sweeper.host.files import write_atomic
from sweeper.host.machine import Device
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.array import Chunk, folder
from sweeper.launch.slurm.scheduler import SchedulerError
from sweeper.launch.slurm.script import script
from sweeper.launch.slurm.shape import Shape, shape_of
from sweeper.launch.slurm.site import Node, Partition, associations, nodes, partitions, submit_limit_of_qos, version
from sweeper.launch.slurm.snapshot import freeze
from sweeper.oversight import neighbours, probe, room
from sweeper.oversight.check import Check, passed, unknown, wrong
from sweeper.oversight.probe import Finding
from sweeper.spec.cluster import Cluster
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId

JOB_SECONDS = 300.0  # for a job of the doctor to begin and end
_LOGIN = "run this on a login node of the cluster"
_QUESTIONS = {
    "squeue": ["squeue", "-h", "-a", "-u", str(os.getuid())],
    "sacct": ["sacct", "-n", "-X"],
    "scontrol": ["scontrol", "ping"],
}


def site(specs: Sequence[RunSpec], results_dir: Path) -> Iterator[Check]:
    """Commands, partitions, nodes, account and limits, for the shapes of the runs."""
    cluster = specs[0].cluster
    answers = list(_commands())
    yield from answers
    if any(check.name == "scontrol" and check.cure for check in answers):
        yield unknown("cluster", "SLURM does not tell its partitions, nodes, accounts and limits here", _LOGIN)
    else:
        yield from _cluster(specs, results_dir)
    if cluster.gpus_per_node and cluster.device is not Device.cpu:
        # Of equal findings one.
        yield from dict.fromkeys(room.asked_for(spec) for spec in specs)


def _cluster(specs: Sequence[RunSpec], results_dir: Path) -> Iterator[Check]:
    cluster, shapes = specs[0].cluster, list(dict.fromkeys(shape_of(spec) for spec in specs))
    yield from _limits(cluster, len(specs))
    known = {partition.name: partition for partition in partitions()}
    default = next((item.name for item in known.values() if item.default), None)
    for name in dict.fromkeys(shape.partition for shape in shapes):
        chosen = known.get(name or default or "")
        if chosen is None:
            said = f"no partition {name!r}" if name else "no default partition"
            yield wrong("partition", f"{said}; there are {', '.join(known)}", "set cluster.partition")
            continue
        asked = [shape for shape in shapes if shape.partition == name]
        yield from _partition(chosen, cluster, asked)
        yield from neighbours.on_partition(chosen, asked)
    for shape in shapes:
        yield _accepted(shape, results_dir)


def _commands() -> Iterator[Check]:
    """Whether SLURM's commands answer; what one of them said is not said again of the others."""
    said: set[str] = set()

    def once(error: SchedulerError) -> str:
        words = str(error).partition(": ")[2]  # after the command's name
        again = words in said
        said.add(words)
        return "the same" if again else str(error)

    try:
        yield passed("SLURM", version())
    except SchedulerError as error:
        yield wrong("SLURM", once(error), _LOGIN)
    for name, command in _QUESTIONS.items():
        try:
            scheduler.ask(command)
        except SchedulerError as error:
            if name == "sacct":
                yield unknown(name, once(error), "without accounts, why a job ended is told by its own record alone")
            else:
                yield wrong(name, once(error), f"{_LOGIN}, or ask its administrators")
        else:
            yield passed(name, "answers")


def _me() -> str:
    """This user's name, which accounting knows people by."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise SchedulerError(f"user {os.getuid()} has no name on this machine; {_LOGIN}") from None


def _arrays(cluster: Cluster, n_runs: int) -> Check:
    largest = scheduler.configuration().max_array_size
    if not cluster.arrays:
        return passed("MaxArraySize", f"{largest}, not used: each of {n_runs} runs is a job (cluster.arrays=false)")
    if largest < 1:
        return wrong("MaxArraySize", f"{largest}: this site has no job arrays", "set cluster.arrays=false")
    return passed("MaxArraySize", f"{largest}: {n_runs} runs are {-(-n_runs // largest)} arrays a shape at most")


def _limits(cluster: Cluster, n_runs: int) -> Iterator[Check]:
    yield _arrays(cluster, n_runs)
    try:
        mine = associations(_me())
        qos = submit_limit_of_qos(cluster.qos) if cluster.qos else None
    except SchedulerError as error:
        yield unknown("account", str(error))
        return
    names = sorted({item.account for item in mine})
    if cluster.account and cluster.account not in names:
        yield wrong(
            "account", f"{cluster.account} is not yours; yours: {', '.join(names) or 'none'}", "set cluster.account"
        )
        return
    used = [item for item in mine if cluster.account in (None, item.account)]
    yield passed("account", cluster.account or f"your default, of {', '.join(names) or 'none'}")
    allowed = {name for item in used for name in item.qos}
    if cluster.qos and cluster.qos not in allowed:
        yield wrong("qos", f"{cluster.qos} is not allowed; yours: {', '.join(sorted(allowed))}", "set cluster.qos")
    bounds = [bound for bound in (qos, *(item.max_submit for item in used)) if bound is not None]
    if bounds and min(bounds) < n_runs:
        found = f"{min(bounds)} jobs may be queued, fewer than the {n_runs} runs"
        yield unknown("submit limit", found, "--wait submits the rest as there is room, or the same command later")
    else:
        yield passed("submit limit", f"{min(bounds)} jobs may be queued" if bounds else "none")


def _partition(found: Partition, cluster: Cluster, shapes: Sequence[Shape]) -> Iterator[Check]:
    name = f"partition {found.name}"
    if not found.up:
        yield wrong(name, "it is not up", "set cluster.partition, or wait")
    # Which of the user's accounts and QOS is the default SLURM does not say to all: its own verdict follows.
    if found.accounts is not None and cluster.account is not None and cluster.account not in found.accounts:
        yield wrong(name, f"only for accounts {', '.join(found.accounts)}", "set cluster.account or cluster.partition")
    if found.qos is not None and cluster.qos is not None and cluster.qos not in found.qos:
        yield wrong(name, f"only for QOS {', '.join(found.qos)}", "set cluster.qos or cluster.partition")
    longest = max(shape.minutes for shape in shapes)
    if found.minutes is not None and found.minutes < longest:
        limit = f"jobs end after {found.minutes / 60:g} h, and a model asks for {longest / 60:g} h"
        cure = f"set model.resources.hours={found.minutes / 60:g} (a run goes on in its next job) or another partition"
        yield wrong(name, limit, cure)
    else:
        yield passed(name, "no time limit" if found.minutes is None else f"jobs of up to {found.minutes / 60:g} h")
    yield from _fit(name, nodes(found.name), cluster, shapes)


def _fit(name: str, there: Sequence[Node], cluster: Cluster, shapes: Sequence[Shape]) -> Iterator[Check]:
    usable = [node for node in there if node.usable]
    if not usable:
        yield wrong(name, f"none of its {len(there)} nodes is usable now", "set cluster.partition, or wait")
        return
    best = max(usable, key=lambda node: (node.gpus, node.cpus))
    about = f"{best.gpus} x {best.gpu_type or 'GPU'}, {best.cpus} CPUs, {best.memory_gb:.0f} GB"
    yield passed(name, f"{len(usable)} of {len(there)} nodes usable; the largest: {about}")
    kind, stated = best.gpu_type, cluster.gpu_type
    is_other = kind is not None and stated is not None and stated.lower() not in kind.lower()
    for differs, found, key, value in (
        (cluster.gpus_per_node not in (0, best.gpus), f"nodes have {best.gpus} GPUs", "gpus_per_node", best.gpus),
        (len(there) < cluster.max_nodes, f"it has {len(there)} nodes", "max_nodes", len(there)),
        (is_other, f"its GPUs are {kind}", "gpu_type", str(kind).upper()),
    ):
        if differs:
            yield wrong(name, f"{found}, the profile says {getattr(cluster, key)}", f"set cluster.{key}={value}")
    for shape in shapes:
        fits = [
            node
            for node in there
            if node.gpus >= shape.gpus_per_node
            and node.cpus >= (shape.cpus_per_node or 1)
            and node.memory_gb >= (shape.memory_gb or 0)
        ]
        each = f"{shape.gpus_per_node} GPUs, {shape.cpus_per_node or 1} CPUs and {shape.memory_gb or 0} GB"
        if len(fits) < shape.nodes:
            cure = "lower cluster.cpus_per_gpu, cluster.memory_gb_per_gpu or model.resources, or set another partition"
            yield wrong(
                name, f"{len(fits)} of its nodes have what a run asks for: {each} on each of {shape.nodes}", cure
            )


def _accepted(shape: Shape, results_dir: Path) -> Check:
    """SLURM's own verdict on a job of a shape, which is not queued."""
    name = f"job of {shape.nodes} x {shape.gpus_per_node} GPUs"
    text = script(Chunk(name="doctor", run_ids=(RunId(""),), code=str(results_dir)), shape, results_dir)
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(text)
        file.flush()
        try:
            scheduler.ask(["sbatch", "--test-only", file.name])
        except SchedulerError as error:
            return wrong(name, str(error), "the checks above may say which of cluster.* or model.resources to change")
    return passed(name, "SLURM would accept it")


def ask_job(shape: Shape, results_dir: Path, *, gpu: bool) -> list[Finding]:
    """What a job of a shape finds on its nodes; fewer findings than nodes when time was up.

    Raises:
        SchedulerError: SLURM refused the job.
    """
    place = folder(results_dir) / f"doctor-{time.time_ns()}"
    folder(results_dir).joinpath("logs").mkdir(parents=True, exist_ok=True)
    arguments = [*probe.arguments(gpu=gpu), "--out", str(place), "--held", f"{place}.lock"]
    short = replace(shape, minutes=max(1, min(shape.minutes, round(JOB_SECONDS / 60))))
    code = freeze(results_dir)
    chunk = Chunk(name=place.name, run_ids=(RunId(""),), code=str(code.folder), digest=code.digest)
    path = place.with_suffix(".sh")
    write_atomic(path, script(chunk, short, results_dir, arguments=arguments))
    answers = [place.with_name(f"{place.name}.{rank}") for rank in range(shape.nodes)]
    try:
        with locked(Path(f"{place}.lock"), wait=True):
            job = scheduler.submit(path)
            deadline = time.monotonic() + JOB_SECONDS
            while time.monotonic() < deadline and not all(path.exists() for path in answers):
                time.sleep(1.0)
            scheduler.ask(["scancel", str(job)])
        found = [probe.read(read_text(path, MIB)) for path in answers if path.exists()]
    finally:
        for path in place.parent.glob(f"{place.name}*"):
            path.unlink()
    return [finding for finding in found if finding is not None]
