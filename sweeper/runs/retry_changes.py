"""What is tried next after a failure, by its class: throughput-only changes, one rung an attempt.

A change that would alter the mathematics (a shorter response, a smaller batch) makes a new point and is not on any
ladder. Splitting a batch into smaller micro-batches, another share of memory for vLLM and offloading change the
order of floating-point sums, as another number of GPUs does, and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sweeper.rows.failure_class import FailureClass
from sweeper.runs.adjustment import Changes
from sweeper.spec.run import RunSpec

LOWEST_UTILIZATION, HIGHEST_UTILIZATION, UTILIZATION_STEP = 0.3, 0.9, 0.1
FEWEST_SEQUENCES = 64
# Trying again would fail again: first something must be mended.
NEEDS_A_FIX = (FailureClass.config, FailureClass.data, FailureClass.reward, FailureClass.other_weights)
NEW_POINT = (
    "what is left (shorter responses, a smaller batch) changes the mathematics: that is a new point. More GPUs "
    "(model.resources.nodes, gpus_per_node) do not: set them and launch again"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a decision is made from."""

    spec: RunSpec  # as the failed attempt used it
    failure_class: FailureClass
    evidence: str | None
    phase: str | None  # in which it failed; None: its last attempt, if any, did not come to one
    nodes: tuple[str, ...]  # on which it failed
    failures: int  # attempts of this run that failed so, without those that SLURM ended for its own reasons
    gpu_hours: float  # of all its failed attempts
    asked: bool  # a person named the class, after a fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a run is tried again, and how."""

    retry: bool
    words: str
    changes: Changes = field(default_factory=dict)


def decide(case: Case) -> Decision:
    """The next rung, or why there is none."""
    kind, cluster = case.failure_class, case.spec.cluster
    if kind in NEEDS_A_FIX and not case.asked:
        return Decision(retry=False, words=f"needs a fix first; then: retry --class {kind}")
    if case.failures >= cluster.max_failures:
        words = f"failed {case.failures} times so (cluster.max_failures={cluster.max_failures})"
        return Decision(retry=False, words=words)
    limit = gpu_hours_limit(case.spec)
    if case.gpu_hours >= limit:
        words = f"its failed attempts took {case.gpu_hours:.1f} of {limit:.1f} GPU-hours (cluster.max_failed_gpu_hours)"
        return Decision(retry=False, words=words)
    rung = _LADDERS.get(kind)
    in_training = case.phase in (None, "train")
    if rung is None or (kind in (FailureClass.cuda_oom, FailureClass.vllm_oom) and not in_training):
        begun = "" if case.phase is None else ", from its last checkpoint"
        return Decision(retry=True, words=f"again as it is{begun}")
    return rung(case)


def gpu_hours_limit(spec: RunSpec) -> float:
    """GPU-hours that a run's failed attempts may take together; by default what one job may."""
    if spec.cluster.max_failed_gpu_hours is not None:
        return spec.cluster.max_failed_gpu_hours
    resources = spec.model.resources
    return resources.devices * resources.hours


def _cuda_oom(case: Case) -> Decision:
    resources, training = case.spec.model.resources, case.spec.training
    longest = training.max_length
    lowest = -(-longest // resources.sequence_parallel)  # one sequence must fit
    tokens = {
        f"model.resources.{name}": max(lowest, value // 2)
        for name, value in (
            ("actor_tokens_per_gpu", resources.actor_tokens_per_gpu),
            ("log_prob_tokens_per_gpu", resources.log_prob_tokens_per_gpu),
        )
        if value > lowest
    }
    if tokens:
        return _with("half the tokens in a micro-batch", **tokens)
    if not resources.gradient_checkpointing:
        return _with("activations computed again", **{"model.resources.gradient_checkpointing": True})
    if not resources.offload:
        return _with("parameters and optimiser in host memory", **{"model.resources.offload": True})
    if resources.gpu_memory_utilization > LOWEST_UTILIZATION:
        return _utilization(resources.gpu_memory_utilization - UTILIZATION_STEP, "less memory for vLLM")
    return Decision(retry=False, words=f"no throughput setting is left to lower; {NEW_POINT}")


def _vllm_oom(case: Case) -> Decision:
    resources, said = case.spec.model.resources, case.evidence or ""
    share = resources.gpu_memory_utilization
    # These mean that vLLM's share is too small for weights and cache; the others that the GPU is.
    if "cache blocks" in said or "KV cache" in said:
        if share < HIGHEST_UTILIZATION:
            return _utilization(share + UTILIZATION_STEP, "more memory for vLLM")
    elif share > LOWEST_UTILIZATION:
        return _utilization(share - UTILIZATION_STEP, "less memory for vLLM")
    if resources.max_num_seqs > FEWEST_SEQUENCES:
        fewer = max(FEWEST_SEQUENCES, resources.max_num_seqs // 2)
        return _with("fewer sequences decoded at once", **{"model.resources.max_num_seqs": fewer})
    return Decision(
        retry=False, words=f"no throughput setting is left to change (or raise tensor_parallel); {NEW_POINT}"
    )


def _host_oom(case: Case) -> Decision:
    memory = case.spec.cluster.memory_gb_per_gpu
    if memory is not None:
        return _with("half as much host memory again", **{"cluster.memory_gb_per_gpu": memory + memory // 2})
    if case.spec.model.resources.offload:
        return _with("nothing offloaded to host memory", **{"model.resources.offload": False})
    return Decision(retry=True, words="again as it is: cluster.memory_gb_per_gpu is the partition's default, state it")


def _node(case: Case) -> Decision:
    named = [name for name in case.nodes if name in (case.evidence or "")]
    bad = case.nodes if len(case.nodes) == 1 else tuple(named)
    if not bad:
        return Decision(retry=True, words="again as it is: which node is bad is not known")
    excluded = [*case.spec.cluster.exclude, *(name for name in bad if name not in case.spec.cluster.exclude)]
    return _with(f"without {', '.join(bad)}", **{"cluster.exclude": excluded})


def _with(words: str, **changes: Any) -> Decision:
    return Decision(retry=True, words=words, changes=changes)


def _utilization(share: float, words: str) -> Decision:
    bounded = round(min(HIGHEST_UTILIZATION, max(LOWEST_UTILIZATION, share)), 2)
    return _with(words, **{"model.resources.gpu_memory_utilization": bounded})


_LADDERS: dict[FailureClass, Callable[[Case], Decision]] = {
    FailureClass.cuda_oom: _cuda_oom,
    FailureClass.vllm_oom: _vllm_oom,
    FailureClass.host_oom: _host_oom,
    FailureClass.node: _node,
}
