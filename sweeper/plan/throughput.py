"""Wall seconds of a run by phase: a roofline by GPU type, corrected by runs that were measured.

Generation is bound by memory bandwidth (weights and KV cache are read once per token of the batch) or by arithmetic,
whatever takes longer; everything else by arithmetic at a stated share of peak. All sequences are taken at full
length, so an uncorrected figure is an upper bound in that respect. A `Calibration` is one factor, measured over
predicted seconds, of the same model if it was measured on that kind of device, else of the model nearest in size.
docs/planning.md gives every constant and its source.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from sweeper.host.amounts import number_of
from sweeper.host.errors import SweeperError
from sweeper.host.machine import Device, resolve_device
from sweeper.plan.gpu import GPUS
from sweeper.plan.memory import kv_bytes, memory_of
from sweeper.rows.flops import planned_flops
from sweeper.rows.row import ResultRow, Status
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId

TRAINING_SHARE = 0.4  # of peak FLOP/s in forward and backward passes over packed sequences, communication included
PREFILL_SHARE = 0.5  # of peak FLOP/s
BANDWIDTH_SHARE = 0.6  # of peak bandwidth while decoding
DECODE_SECONDS = 0.004  # a token of the batch costs at least this: kernel launches, scheduling, sampling
STEP_SECONDS = 20.0  # of a training step outside all phases: weights to the engine, rewards, offloading, logging
START_SECONDS = 240.0  # verl, Ray, the engine and its graphs
EVALUATE_SECONDS = 120.0  # the engine of the pass@k evaluation
NEWEST = 20  # measured runs of one model that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a device is taken to do."""

    flops: float  # FLOP/s, of forward and backward passes
    prefill: float  # FLOP/s
    bandwidth: float  # bytes/s
    decode: float  # seconds per token of the batch, at least
    step: float  # seconds of a training step outside all phases
    start: float  # seconds before the first step
    evaluate: float  # seconds before the evaluation's first sample


# Two cores and verl_cpu's engine, of the right order: figures of a CPU are shown only after a calibration.
CPU = Rates(flops=4e10, prefill=4e10, bandwidth=1e10, decode=0.002, step=3.0, start=30.0, evaluate=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What measured runs say about the roofline."""

    factor: float  # measured over predicted seconds
    basis: str
    error: float | None  # mean relative error of predicting each measured run from the others; None: nothing to compare


def kind_of(spec: RunSpec) -> str | None:
    """The kind of device a run computes on: `cpu` or a GPU type; None: a GPU of unknown type."""
    return "cpu" if resolve_device(spec.cluster.device) is Device.cpu else spec.cluster.gpu_type


def rates_of(kind: str | None) -> Rates | None:
    """The roofline of a kind of device."""
    if kind == "cpu":
        return CPU
    gpu = GPUS.get(kind or "")
    if gpu is None:
        return None
    return Rates(
        flops=gpu.flops * TRAINING_SHARE,
        prefill=gpu.flops * PREFILL_SHARE,
        bandwidth=gpu.bandwidth * BANDWIDTH_SHARE,
        decode=DECODE_SECONDS,
        step=STEP_SECONDS,
        start=START_SECONDS,
        evaluate=EVALUATE_SECONDS,
    )


def roofline(spec: RunSpec) -> dict[str, float] | None:
    """Seconds of every phase of a whole run; None for a device of unknown kind."""
    rates = rates_of(kind_of(spec))
    if rates is None:
        return None
    flops, resources, steps, evaluation = planned_flops(spec), spec.model.resources, spec.total_steps, spec.eval
    memory = memory_of(spec)
    engine = _Engine(spec, rates, memory.kv_tokens if memory else None)
    domains, validations = len(evaluation.domains), math.ceil(steps / evaluation.val_freq) + 1
    # Fine-tuning and the evaluation use the first node alone; recomputed is gradient checkpointing.
    one_node, everywhere = resources.gpus_per_node, resources.devices
    rollouts = engine.seconds(spec.training.train_batch_size, spec.algorithm.rollout_n, everywhere)
    validation = engine.seconds(evaluation.val_problems_per_domain * domains, evaluation.val_n, everywhere)
    measured = engine.seconds(evaluation.problems_per_domain * domains, evaluation.n_samples, one_node)
    passes = ("log_prob", "reference", "critic", "actor", "recomputed")
    return {
        "start": rates.start,
        "generation": steps * rollouts,
        "validation": validations * validation,
        **{name: (getattr(flops, name) or 0.0) / everywhere / rates.flops for name in passes},
        "fine_tuning": (flops.fine_tuning or 0.0) / one_node / rates.flops,
        "between": steps * rates.step,
        "evaluation": rates.evaluate + measured,
    }


class _Engine:
    """The rollout engines of a run: how long some sequences take them."""

    def __init__(self, spec: RunSpec, rates: Rates, kv_tokens: int | None) -> None:
        arch, resources, training = spec.model.architecture, spec.model.resources, spec.training
        self._rates, self._width, self._kv_tokens = rates, resources.tensor_parallel, kv_tokens
        self._at_once = resources.max_num_seqs  # sequences of one engine
        self._prompt, self._response = training.max_prompt_length, training.max_response_length
        self._weights = arch.n_params_non_embedding + arch.n_params_head  # all experts are read by a full batch
        self._passed = arch.n_params_active + arch.n_params_head
        self._kv = kv_bytes(arch, resources)
        self._attention = 4 * arch.head_dim * arch.num_heads * arch.num_layers  # FLOPs per token and token before it

    def seconds(self, prompts: int, n: int, devices: int) -> float:
        """Seconds to answer `prompts` prompts `n` times each, with the engines that fit on `devices`."""
        engines = max(1, devices // self._width)
        rates, mean_length = self._rates, self._prompt + self._response / 2
        share = prompts * n / engines  # sequences of one engine
        room = self._kv_tokens / mean_length if self._kv_tokens else math.inf
        together = max(1.0, min(share, self._at_once, room))
        read = 2 * self._weights / self._width + together * mean_length * self._kv
        computed = together * (2 * self._passed + self._attention * mean_length) / self._width
        token = rates.decode + max(read / rates.bandwidth, computed / rates.prefill)
        # A prompt is read once, however often it is answered.
        prefill = prompts / engines * 2 * self._passed * self._prompt / self._width / rates.prefill
        return max(1.0, share / together) * self._response * token + prefill


class Calibrator:
    """Factors of measured over predicted seconds, by kind of device and model."""

    def __init__(self, measured: Iterable[tuple[RunSpec, float]]) -> None:
        """Args: measured: Specs of completed runs with the seconds that training and evaluation took."""
        self._factors: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._sizes: dict[str, int] = {}
        for spec, seconds in measured:
            kind, predicted = kind_of(spec), roofline(spec)
            if kind is None or predicted is None:
                continue
            self._factors[kind][spec.model.name].append(seconds / sum(predicted.values()))
            self._sizes[spec.model.name] = spec.model.architecture.n_params
        self._known: dict[tuple[str, str], Calibration | None] = {}

    @classmethod
    def of(cls, rows: Sequence[ResultRow], results_dir: Path) -> "Calibrator":
        """From the completed rows of a results folder; a row whose spec cannot be read any more says nothing."""
        by_model: dict[str, list[tuple[str, RunId, float]]] = defaultdict(list)
        for row in rows:
            seconds = _seconds(row)
            if row.status is Status.completed and row.timing and seconds is not None:
                by_model[row.model].append((row.timing.ended_at, RunId(row.run_id), seconds))
        found = []
        for alike in by_model.values():
            for _, run_id, seconds in sorted(alike)[-NEWEST:]:
                with suppress(OSError, ValueError, SweeperError):
                    found.append((RunSpec.read(RunDir(results_dir=results_dir, run_id=run_id).spec_path), seconds))
        return cls(found)

    def of_run(self, spec: RunSpec) -> Calibration | None:
        """What corrects the roofline of a run; None: nothing was measured on its kind of device."""
        kind = kind_of(spec) or ""
        key = (kind, spec.model.name)
        if key not in self._known:
            self._known[key] = self._calibrate(kind, spec)
        return self._known[key]

    def _calibrate(self, kind: str, spec: RunSpec) -> Calibration | None:
        models = self._factors.get(kind, {})
        own = models.get(spec.model.name)
        if own:
            basis = f"{number_of(len(own), 'measured run')} of this model on {kind}"
            error = _left_out(dict(enumerate(own)), lambda others, _: median(others.values()))
            return Calibration(factor=median(own), basis=basis, error=error)
        if not models:
            return None
        factors = {self._sizes[name]: median(values) for name, values in models.items()}
        size = spec.model.architecture.n_params
        near = _nearest(factors, size)
        name = next(name for name in models if self._sizes[name] == near)
        error = _left_out(factors, lambda others, own: others[_nearest(others, own)])
        return Calibration(factor=factors[near], basis=f"measured runs of {name} on {kind}", error=error)


def _seconds(row: ResultRow) -> float | None:
    """What a run itself took: preparing a base model is shared by many, and an interrupted run's phases are parts."""
    timing = row.timing
    if timing is None or timing.attempts != 1 or timing.train_s is None or timing.evaluate_s is None:
        return None
    return timing.train_s + timing.evaluate_s


def _left_out(factors: Mapping[int, float], predict: Callable[[Mapping[int, float], int], float]) -> float | None:
    """Mean relative error of predicting each factor from the others."""
    if len(factors) < 2:
        return None
    errors = []
    for key, value in factors.items():
        others = {other: factor for other, factor in factors.items() if other != key}
        errors.append(abs(predict(others, key) / value - 1))
    return mean(errors)


def _nearest(factors: Mapping[int, float], size: int) -> int:
    """The measured size nearest to a size, as a ratio."""
    return min(factors, key=lambda other: abs(math.log(other / size)))
