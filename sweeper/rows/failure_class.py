"""The classes of failures."""

from enum import StrEnum


class FailureClass(StrEnum):
    """What went wrong, as far as a policy of trying again can tell the cases apart."""

    host_oom = "host_oom"  # the node's memory
    cuda_oom = "cuda_oom"  # the GPU's, in training
    vllm_oom = "vllm_oom"  # the GPU's, in the rollout engine
    node = "node"  # a node, a GPU or the network between them
    timeout = "timeout"  # the job's time limit
    preempted = "preempted"
    stalled = "stalled"  # no progress for far longer than it should take
    other_weights = "other_weights"  # the rollout engine samples from others than are trained
    reward = "reward"  # the code that scores answers
    data = "data"
    config = "config"  # settings, or an environment that lacks something
    disk = "disk"  # full, or over quota
    cancelled = "cancelled"  # by a person
    unknown = "unknown"
