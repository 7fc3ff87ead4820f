"""Host memory that a node of a run takes at least: what a job with less dies of before its first step.

Read off verl 0.9.1's code: a node's first process reads the model in float32, each of its processes where input and
output matrix are one (`get_init_weight_context_manager`); then states that are offloaded lie there, and the reference.
Not counted: pinned buffers, what is compiled, checkpoints on their way to the disk.
"""

from collections.abc import Mapping

from sweeper.host.machine import Device
from sweeper.rows.flops import adapter_params
from sweeper.spec.run import RunSpec

RUN = 2.3e9  # bytes of a tiny model's run, measured: Python, torch, Ray and verl


def least(spec: RunSpec) -> Mapping[str, float]:
    """Bytes on a run's first node at the larger of two moments, by what for: reading the model, and training it."""
    arch, resources = spec.model.architecture, spec.model.resources
    readers = resources.gpus_per_node if arch.tie_word_embeddings else 1
    reading = {"the model in float32": 4.0 * arch.n_params * readers}
    return {"processes": RUN} | max(reading, _held(spec), key=lambda parts: sum(parts.values()))


def _held(spec: RunSpec) -> dict[str, float]:
    """Bytes that stay on each node while a run trains."""
    arch, resources, algorithm = spec.model.architecture, spec.model.resources, spec.algorithm
    lora = algorithm.lora.rank
    states = 4 * arch.n_params + 8 * (adapter_params(arch, spec) if lora else arch.n_params)
    states += 12 * arch.n_params * algorithm.has_critic
    held: dict[str, float] = {}
    if resources.offload or spec.cluster.device is Device.cpu:
        held["weights and moments"] = states / resources.nodes
    if (algorithm.kl.in_loss or algorithm.kl.in_reward) and not lora:
        held["the reference"] = 4 * arch.n_params / resources.nodes
    return held
