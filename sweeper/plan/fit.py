"""Whether a run fits its GPUs: why not, the first setting to change, and a first guess for a new model."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sweeper.plan.gpu import GIB
from sweeper.plan.memory import memory_of
from sweeper.plan.rates import SPREAD
from sweeper.plan.throughput import roofline, usual
from sweeper.spec.model import Resources
from sweeper.spec.run import RunSpec

MAX_NODES = 64  # as far as a cure is searched
WEEK = 168  # hours: the longest time limit that is proposed, and few partitions allow more


def misfit(spec: RunSpec) -> str | None:
    """Why a run does not fit its GPUs, with the first setting to change; None: it fits, or nothing is known."""
    memory = memory_of(spec)
    if memory is None or memory.fits:
        return None
    kind = f"cluster.gpu_type={spec.cluster.gpu_type} has {memory.capacity / GIB:.0f} GiB"
    if memory.engine_needs > memory.engine_has:
        what = (
            f"the rollout engine needs {memory.engine_needs / GIB:.0f} GiB on a GPU for its weights and one sequence, "
            f"and model.resources.gpu_memory_utilization={spec.model.resources.gpu_memory_utilization:g} gives it "
            f"{memory.engine_has / GIB:.0f} GiB"
        )
    else:
        worst = memory.worst
        largest = sorted(worst.parts.items(), key=lambda item: -item[1])[:3]
        parts = ", ".join(f"{name} {size / GIB:.0f}" for name, size in largest)
        what = f"phase {worst.phase} needs an estimated {worst.total / GIB:.0f} GiB on a GPU ({parts})"
    changes = cure(spec, more_nodes=True)
    words = f"no setting up to {MAX_NODES} nodes makes it fit: choose a smaller model or larger GPUs"
    if changes is not None:
        words = "set " + " ".join(f"model.resources.{key}={str(value).lower()}" for key, value in changes.items())
    if memory.worst.phase == "fine_tuning" and changes is None:
        words = (
            "it runs on one node, whatever model.resources.nodes is: choose a smaller model or larger GPUs, or leave "
            "fine-tuning out (data.sft_share=0, model.warm_start.steps=0)"
        )
    return f"{spec.model.name} does not fit: {what}, and {kind}; {words}"


def cure(spec: RunSpec, *, more_nodes: bool) -> dict[str, Any] | None:
    """The first change of `model.resources` that makes a run fit GPUs of a known type, empty if it does; None: none."""
    for changes in itertools.chain([{}], _changes(spec)):
        if "nodes" in changes and not more_nodes:
            return None
        changed = memory_of(_with(spec, replace(spec.model.resources, **changes)))
        if changed is not None and changed.fits:
            return changes
    return None


def _changes(spec: RunSpec) -> Iterator[dict[str, Any]]:
    """Single changes first, the cheapest in speed first; then more GPUs."""
    resources, longest = spec.model.resources, spec.training.max_length
    gpus = resources.devices
    least = 1024 * math.ceil(longest / resources.sequence_parallel / 1024)
    if not resources.gradient_checkpointing:
        yield {"gradient_checkpointing": True}
    for tokens in _lower(max(resources.actor_tokens_per_gpu, resources.log_prob_tokens_per_gpu), least):
        if tokens < resources.actor_tokens_per_gpu:
            yield {"actor_tokens_per_gpu": tokens}
        if tokens < resources.log_prob_tokens_per_gpu:
            yield {"log_prob_tokens_per_gpu": tokens}
            yield {
                "actor_tokens_per_gpu": min(tokens, resources.actor_tokens_per_gpu),
                "log_prob_tokens_per_gpu": tokens,
            }
    for percent in range(round(100 * resources.gpu_memory_utilization) - 5, 25, -5):
        yield {"gpu_memory_utilization": percent / 100}
    for percent in range(5 * math.ceil(20 * resources.gpu_memory_utilization + 0.01), 91, 5):
        yield {"gpu_memory_utilization": percent / 100}
    for width in _wider(resources.tensor_parallel, resources.gpus_per_node, spec.model.architecture.num_heads):
        yield {"tensor_parallel": width}
    if not resources.offload:
        yield {"offload": True}
    for width in _wider(resources.sequence_parallel, gpus, spec.model.architecture.num_heads):
        yield {"sequence_parallel": width, "actor_tokens_per_gpu": 1024 * math.ceil(longest / width / 1024)}
    sequences = spec.training.ppo_mini_batch_size * spec.algorithm.rollout_n
    for nodes in range(resources.nodes + 1, MAX_NODES + 1):
        if sequences % max(1, nodes * resources.gpus_per_node // resources.sequence_parallel):
            continue  # an update's sequences would not divide among its workers
        yield {"nodes": nodes}
        if not resources.offload:
            yield {"nodes": nodes, "offload": True}
        for width in _wider(resources.tensor_parallel, resources.gpus_per_node, spec.model.architecture.num_heads):
            yield {"nodes": nodes, "offload": True, "tensor_parallel": width}


def _lower(start: int, least: int) -> Iterator[int]:
    tokens = start - start % 1024 if start % 1024 else start - 1024
    while tokens >= least:
        yield tokens
        tokens -= max(1024, tokens // 8 // 1024 * 1024)


def _wider(now: int, gpus: int, heads: int) -> Iterator[int]:
    width = 2 * now
    while width <= gpus:
        if gpus % width == 0 and heads % width == 0:
            yield width
        width *= 2


def first_guess(spec: RunSpec) -> Resources | None:
    """The fewest GPUs that hold the run and finish it within one job's hours even at its price's upper end.

    More GPUs of one node are taken for speed, further nodes only for memory. None: no number of GPUs up to `MAX_NODES`
    nodes holds it. Its `hours` are that upper end, rounded up to 12, a week at most.
    """
    found = None
    for resources in _sizes(spec):
        if found is not None and resources.nodes > found.nodes:
            break
        changes = cure(_with(spec, resources), more_nodes=False)
        if changes is None:
            continue
        found = replace(resources, **changes)
        seconds = roofline(_with(spec, found))
        if seconds is None:
            break
        most = SPREAD[1] * sum(usual(seconds).values()) / 3600
        is_enough = most <= found.hours
        found = replace(found, hours=min(WEEK, 12 * math.ceil(most / 12)))
        if is_enough:
            break
    return found


def _sizes(spec: RunSpec) -> Iterator[Resources]:
    """One node's GPUs in powers of two, then whole nodes, as far as an update's sequences divide among them."""
    whole, sequences = spec.cluster.gpus_per_node, spec.training.ppo_mini_batch_size * spec.algorithm.rollout_n
    within = [(1, 2**power) for power in range(whole.bit_length()) if 2**power <= whole]
    for nodes, gpus in [*within, *((2**power, whole) for power in range(1, MAX_NODES.bit_length()))]:
        if sequences % (nodes * gpus) == 0:
            yield replace(spec.model.resources, nodes=nodes, gpus_per_node=gpus)


def _with(spec: RunSpec, resources: Resources) -> RunSpec:
    return replace(spec, model=replace(spec.model, resources=resources))
