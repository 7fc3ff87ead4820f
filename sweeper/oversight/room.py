"""Whether a node lets a run have what its processes take: cores, open files, processes, shared memory."""

from collections.abc import Iterator

from sweeper.host.amounts import size
from sweeper.inputs.scorer_versions import domains_of
from sweeper.launch.slurm.options import node_cpus
from sweeper.launch.slurm.shape import shape_of
from sweeper.oversight.check import Check, passed, unknown, wrong
from sweeper.oversight.probe import Finding
from sweeper.spec.run import RunSpec
from sweeper.training import processors

LEAST_FILES = 8192  # what Ray recommends
LEAST_SHARED = 1 << 30  # a container's usual 64 MB hold neither Ray's objects nor NCCL's buffers
_RUN_BY_PROGRAMS = "code"  # the domain whose answers are programs


def asked_for(spec: RunSpec) -> Check:
    """Whether the cluster's settings ask for the CPUs that a run takes."""
    name, shape = "CPUs asked for", shape_of(spec)
    needed, why = _cores(spec)
    given = node_cpus(shape)
    if given is None:
        found = f"not stated, so one where the site sets no DefCpuPerGPU; {needed} are needed, {why}"
        return unknown(name, found, f"set cluster.cpus_per_gpu=8; {_LOOK}")
    return _enough(name, given, spec)


def on_node(found: Finding, spec: RunSpec, *, where: str, is_cuda: bool) -> Iterator[Check]:
    """Checks on what a probe may use where runs execute."""
    if is_cuda:
        yield _enough(f"CPUs {where}", found.cpus, spec)
    else:
        yield passed(f"CPUs {where}", f"{found.cpus}")
    files, processes = _told(found.open_files), _told(found.processes)
    words = f"{files} open files and {processes} processes, to which jobs raise their limits"
    if found.open_files is not None and found.open_files < LEAST_FILES:
        yield wrong(f"limits {where}", words, "raise the hard limit of open files to 65536 (LimitNOFILE of slurmd)")
    else:
        yield passed(f"limits {where}", words)
    shared = found.shared_memory
    words = "there is none" if shared is None else f"{size(shared)} free"
    if is_cuda and (shared is None or shared < LEAST_SHARED):
        yield wrong(f"/dev/shm {where}", words, "give the container more (docker: --shm-size=16g, or --ipc=host)")
    else:
        yield passed(f"/dev/shm {where}", words)


def _enough(name: str, cpus: int, spec: RunSpec) -> Check:
    resources = spec.model.resources
    needed, why = _cores(spec)
    words = f"{cpus} for {resources.gpus_per_node} GPUs"
    if cpus < needed:
        cure = f"set cluster.cpus_per_gpu={-(-needed // resources.gpus_per_node)} or more (8 is usual)"
        return wrong(name, f"{words}, and {needed} are needed, {why}", cure)
    return passed(name, f"{words}; {needed} are needed")


def _cores(spec: RunSpec) -> tuple[int, str]:
    """How many of a node a run takes at least, and what for."""
    gpus = spec.model.resources.gpus_per_node
    if _RUN_BY_PROGRAMS in domains_of(spec.domain_mix, spec.eval):
        return processors.FOR_PROGRAMS * gpus, f"{processors.FOR_PROGRAMS} a GPU where programs are tested"
    return processors.cores_needed(spec.model.resources), f"{processors.BESIDE_A_GPU} a GPU"


def _told(limit: int | None) -> str:
    return "no limit of" if limit is None else f"{limit:,}"


_LOOK = "doctor --job looks from a compute node"
