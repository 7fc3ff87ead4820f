"""What a device is taken to do: the constants of the time model. docs/planning.md has the source of each."""

import math
from dataclasses import dataclass

from sweeper.host.machine import Device, resolve_device
from sweeper.plan.gpu import GPUS
from sweeper.spec.run import RunSpec

TRAINING_SHARE = 0.3  # of peak FLOP/s in forward and backward passes over packed sequences, on one node
TRAINING_SHARE_ACROSS = 0.25  # the same on several nodes, which wait for weights from each other
PREFILL_SHARE = 0.5  # of peak FLOP/s
BANDWIDTH_SHARE = 0.6  # of peak bandwidth while decoding
DECODE_SECONDS = 0.004  # a token of the batch costs at least this: kernel launches, scheduling, sampling
STEP_SECONDS = 20.0  # of a training step outside all phases: rewards, waking and sleeping, logging
HAND_OVER = 8e9  # bytes/s of float32 weights on their way from the trainer to the engines
OFFLOAD = 25e9  # bytes/s between a GPU and host memory
START_SECONDS = 240.0  # verl, Ray, the engine and its graphs
LOAD = 1e9  # bytes/s of a model's files, read by one process
EVALUATE_SECONDS = 120.0  # the engine of the pass@k evaluation
MEAN_LENGTH = 0.3  # of the longest prompt and response allowed, on average: the median of published runs
# What published runs took over this roofline: the median, by which a price is multiplied that nothing measured
# corrects, and the smallest and largest over that.
PUBLISHED = 1.8
SPREAD = (0.2, 2.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a device is taken to do."""

    flops: float  # FLOP/s, of forward and backward passes
    across: float  # share of `flops` that is left on several nodes
    prefill: float  # FLOP/s
    bandwidth: float  # bytes/s
    decode: float  # seconds per token of the batch, at least
    step: float  # seconds of a training step outside all phases
    hand_over: float  # bytes/s of weights to the engines
    offload: float  # bytes/s to host memory and back
    start: float  # seconds before the first step, and before a byte of the model is read
    load: float  # bytes/s of a model's files
    evaluate: float  # seconds before the evaluation's first sample
    mean_length: float  # of prompts and responses, over the longest allowed


# Two cores and verl_cpu's engine, of the right order: figures of a CPU are shown only after a calibration.
CPU = Rates(
    flops=4e10,
    across=1.0,
    prefill=4e10,
    bandwidth=1e10,
    decode=0.002,
    step=3.0,
    hand_over=math.inf,
    offload=math.inf,
    start=30.0,
    load=math.inf,
    evaluate=10.0,
    mean_length=1.0,
)


def kind_of(spec: RunSpec) -> str | None:
    """The kind of device a run computes on: `cpu` or a GPU type; None: a GPU of unknown type."""
    return "cpu" if resolve_device(spec.cluster.device) is Device.cpu else spec.cluster.gpu_type


def rates_of(kind: str | None) -> Rates | None:
    """The rates of a kind of device; None: not known."""
    if kind == "cpu":
        return CPU
    gpu = GPUS.get(kind or "")
    if gpu is None:
        return None
    return Rates(
        flops=gpu.flops * TRAINING_SHARE,
        across=TRAINING_SHARE_ACROSS / TRAINING_SHARE,
        prefill=gpu.flops * PREFILL_SHARE,
        bandwidth=gpu.bandwidth * BANDWIDTH_SHARE,
        decode=DECODE_SECONDS,
        step=STEP_SECONDS,
        hand_over=HAND_OVER,
        offload=OFFLOAD,
        start=START_SECONDS,
        load=LOAD,
        evaluate=EVALUATE_SECONDS,
        mean_length=MEAN_LENGTH,
    )
