"""The processors that verl takes of a node, counted from its code.

verl and its TransferQueue have Ray set CPUs aside, whether they compute on them or not. Where Ray counts fewer, they
wait for the rest without a word, until the run counts as stalled.
"""

import os
from math import ceil

from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.spec.model import Resources

# Set aside with each GPU: verl's ResourcePoolManager.max_colocate_count.
BESIDE_A_GPU = 3
# One CPU each: transfer_queue.backend.SimpleStorage.num_data_storage_units, spread over the nodes. verl's own number on
# GPUs.
STORAGE_UNITS = {Device.cuda: 8, Device.cpu: 1}
# TransferQueue's, on one node; which one is Ray's to choose.
CONTROLLER = 1
# For a task of Ray's, which holds one unless it says otherwise; actors (agent loops, rewards, vLLM's servers) hold
# none.
FREE = 1
# Cores that train or test programs wants beside each GPU: a program waits for a core within its time limit.
FOR_PROGRAMS = 4
# Cores that each process which generates keeps busy while answers are scored: vLLM's engine and what feeds it never
# sleep; on CPU it has one thread, or all in turn with those who score.
GENERATING = {Device.cuda: 2, Device.cpu: 1}


def set_aside(resources: Resources, device: Device) -> int:
    """CPUs that Ray must count on each node of a run, at least."""
    units = ceil(STORAGE_UNITS[device] / resources.nodes)
    return BESIDE_A_GPU * resources.gpus_per_node + units + CONTROLLER + FREE


def counted(resources: Resources, device: Device) -> int:
    """CPUs that Ray is told of on each node: those of this process, or what verl has set aside where that is more.

    Storage and controller mostly wait, so what they set aside need not be there. Without a GPU the count is logical.
    """
    least = set_aside(resources, device)
    return least if device is Device.cpu else max(len(os.sched_getaffinity(0)), least)


def cores_needed(resources: Resources) -> int:
    """Cores of a node below which a run on its GPUs is refused: what verl sets aside beside each GPU.

    A GPU keeps about as many processes busy: its trainer, its part of vLLM, and vLLM's scheduler.
    """
    return BESIDE_A_GPU * resources.gpus_per_node


def left_for_programs(generating: int, device: Device) -> int:
    """Programs of models that may run at once on this node beside so many processes that generate; at least 1."""
    return max(1, len(os.sched_getaffinity(0)) - GENERATING[device] * generating)


def refuse_few(resources: Resources, device: Device) -> None:
    """Refuse to train with so few cores that the processes of the GPUs would wait for each other.

    Raises:
        ConfigError: this process may use fewer than `cores_needed`.
    """
    here, needed = len(os.sched_getaffinity(0)), cores_needed(resources)
    if device is Device.cuda and here < needed:
        raise ConfigError(
            f"{here} CPUs for {resources.gpus_per_node} GPUs on this node, and verl needs {needed} ({BESIDE_A_GPU} a "
            "GPU): set cluster.cpus_per_gpu (8 is usual), or here lower model.resources.gpus_per_node"
        )
