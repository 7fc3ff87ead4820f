"""A first guess of the GPUs that a new model is trained on; a plan checks it as it checks any other setting."""

from collections.abc import Iterator
from dataclasses import replace

from sweeper.plan.fit import MAX_NODES, cure
from sweeper.plan.throughput import roofline
from sweeper.spec.model import Resources
from sweeper.spec.run import RunSpec


def first_guess(spec: RunSpec) -> Resources | None:
    """The fewest GPUs that hold the run and are expected to finish it within one job's hours; their type is known.

    More GPUs of one node are taken for speed, further nodes only for memory. None: no number of GPUs up to `MAX_NODES`
    nodes holds it.
    """
    found = None
    for resources in _sizes(spec):
        if found is not None and resources.nodes > found.nodes:
            break
        fitting = _fitting(_with(spec, resources))
        if fitting is None:
            continue
        found = fitting.model.resources
        seconds = roofline(fitting)
        if seconds is None or sum(seconds.values()) <= 3600 * found.hours:
            break
    return found


def _sizes(spec: RunSpec) -> Iterator[Resources]:
    """One node's GPUs in powers of two, then whole nodes, as far as an update's sequences divide among them."""
    whole, sequences = spec.cluster.gpus_per_node, spec.training.ppo_mini_batch_size * spec.algorithm.rollout_n
    within = [(1, 2**power) for power in range(whole.bit_length()) if 2**power <= whole]
    for nodes, gpus in [*within, *((2**power, whole) for power in range(1, MAX_NODES.bit_length()))]:
        if sequences % (nodes * gpus) == 0:
            yield replace(spec.model.resources, nodes=nodes, gpus_per_node=gpus)


def _fitting(spec: RunSpec) -> RunSpec | None:
    changes = cure(spec, more_nodes=False)
    return None if changes is None else _with(spec, replace(spec.model.resources, **changes))


def _with(spec: RunSpec, resources: Resources) -> RunSpec:
    return replace(spec, model=replace(spec.model, resources=resources))
