"""Checks on what a probe found of a machine's GPUs, their driver, and the kernels that training needs."""

from collections.abc import Iterator

from sweeper.oversight.check import Check, passed, unknown, wrong
from sweeper.oversight.probe import Finding
from sweeper.spec.run import RunSpec

# The oldest driver on which all releases of a CUDA run (NVIDIA, CUDA Compatibility, "Minor Version Compatibility",
# table 1).
_DRIVERS = {11: 450, 12: 525, 13: 580}
_LOOK = "look at the driver and CUDA_VISIBLE_DEVICES, or lower model.resources.gpus_per_node"


def checks(found: Finding, spec: RunSpec, *, where: str, on_node: bool, install: str, ask_job: str) -> Iterator[Check]:
    """GPUs, driver and flash-attn; `on_node`, where runs execute, what is missing is a fault.

    `install` says how packages come there, `ask_job` how to look from a compute node.
    """
    if found.cuda is None:
        yield wrong(f"GPUs {where}", "this torch is built without CUDA", install)
        return
    yield _driver(found.driver, found.cuda, name=f"driver {where}", on_node=on_node, ask_job=ask_job)
    name, wanted = f"GPUs {where}", spec.model.resources.gpus_per_node
    seen = f"CUDA {found.cuda}, but {len(found.gpus)} GPUs are visible and {spec.model.name} wants {wanted}"
    if len(found.gpus) >= wanted:
        yield passed(name, f"{len(found.gpus)} x {found.gpus[0]}, CUDA {found.cuda}")
    else:
        yield wrong(name, seen, _LOOK) if on_node else unknown(name, seen, ask_job)
    if "flash_attn" not in found.broken:  # else it is among the packages
        yield _attention(found, name=f"flash-attn {where}", ask_job=ask_job)


def driver_needed(cuda: str) -> int | None:
    """The major version that a driver needs at least for a CUDA ("13.0"); None: not known here."""
    return _DRIVERS.get(int(cuda.split(".")[0]))


def _driver(version: str | None, cuda: str, *, name: str, on_node: bool, ask_job: str) -> Check:
    needed = driver_needed(cuda)
    if version is None:
        said = "nvidia-smi does not answer"
        return (
            wrong(name, said, "install NVIDIA's driver, or start the container with it")
            if on_node
            else unknown(name, said, ask_job)
        )
    if needed is None:
        return unknown(name, f"{version}; which one CUDA {cuda} needs is not known here")
    if int(version.split(".")[0]) < needed:
        cure = f"an administrator installs driver {needed} or newer, or take nodes that have it"
        return wrong(name, f"{version}, but this torch's CUDA {cuda} needs {needed} or newer", cure)
    return passed(name, f"{version}, CUDA {cuda} needs {needed} or newer")


def _attention(found: Finding, *, name: str, ask_job: str) -> Check:
    if not found.gpus:
        return unknown(name, "it imports; without a GPU it was not run", ask_job)
    if found.attention is not None:
        cure = "it was built for another torch, CUDA or GPU: .ci/flash-attn VENV --build compiles it (docs/gpu.md)"
        return wrong(name, found.attention, cure)
    return passed(name, f"computes what torch computes on {found.gpus[0]}")
