"""Wall seconds of a run by phase: a roofline by GPU type, corrected by runs that were measured.

Generation is bound by memory bandwidth (weights and KV cache are read once per token of the batch) or by arithmetic,
whatever takes longer, and lasts as long as its longest answer; everything else by arithmetic at a stated share of peak.
An agent's generation has turns (`sweeper.plan.played`): waits between them, and tokens that are read or encoded again.
A `Calibration` is one factor, measured over predicted seconds, of the same model if it was measured on that kind of
device, else of the model nearest in size. docs/planning.md says how far from published runs all this is.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median

from sweeper.host.amounts import number_of
from sweeper.host.errors import SweeperError
from sweeper.plan.memory import kv_bytes, memory_of
from sweeper.plan.played import NOTHING_MEASURED, Played, PlayedRuns
from sweeper.plan.rates import PUBLISHED, Rates, kind_of, rates_of
from sweeper.rows.device_time import own_seconds
from sweeper.rows.flops import DRAWN, encoded_again, planned_flops
from sweeper.rows.row import ResultRow, Status
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from sweeper.training import checkpoint
from sweeper.training.step_time import Measured, pace

PASSES = ("log_prob", "reference", "critic", "actor", "recomputed")
STEP = ("generation", *PASSES, "between")  # phases that every training step has
_Kind = tuple[str, bool, bool]  # of device; whether a run has an agent, whose trajectories were measured
NEWEST = 20  # measured runs of one model that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What measured runs say about the roofline."""

    factor: float  # measured over predicted seconds
    basis: str
    error: float | None  # mean relative error of predicting each measured run from the others; None: nothing to compare


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Mean tokens of a run's prompts and responses."""

    prompt: float
    response: float

    @classmethod
    def expected(cls, spec: RunSpec, share: float) -> "Lengths":
        """A share of the longest that the run allows."""
        training = spec.training
        return cls(prompt=share * training.max_prompt_length, response=share * training.max_response_length)


def roofline(
    spec: RunSpec, lengths: Lengths | None = None, acted: PlayedRuns = NOTHING_MEASURED
) -> dict[str, float] | None:
    """Seconds of every phase of a whole run; None for a device of unknown kind.

    Args:
        spec: The run.
        lengths: Of its sequences; None: what is expected before anything is measured.
        acted: What measured runs of agents did.
    """
    rates = rates_of(kind_of(spec))
    if rates is None:
        return None
    played = acted.expected(spec, rates.mean_length)
    expected = lengths or Lengths.expected(spec, rates.mean_length)
    if played is not None:
        expected = Lengths(prompt=played.prompt, response=played.generated + played.observed)
    resources, steps, evaluation, arch = spec.model.resources, spec.total_steps, spec.eval, spec.model.architecture
    flops, memory = planned_flops(_of_lengths(spec, expected)), memory_of(spec)
    engine = _Engine(spec, rates, memory.kv_tokens if memory else None, expected, played)
    domains, validations = len(evaluation.domains), math.ceil(steps / evaluation.val_freq) + 1
    # Fine-tuning uses the first node alone; recomputed is gradient checkpointing.
    one_node, everywhere = resources.gpus_per_node, resources.devices
    rollouts = engine.seconds(spec.training.train_batch_size, spec.algorithm.rollout_n, everywhere)
    validation = engine.seconds(evaluation.val_problems_per_domain * domains, evaluation.val_n, everywhere)
    measured = engine.seconds(evaluation.problems_per_domain * domains, evaluation.n_samples, everywhere)
    training = rates.flops * everywhere * (rates.across if resources.nodes > 1 else 1.0)
    read = 2 * arch.n_params / rates.load  # bfloat16 files
    seconds = {
        "start": rates.start + _models(spec) * read,
        "generation": steps * rollouts * (DRAWN if spec.algorithm.filter_groups else 1.0),
        "validation": validations * validation,
        **{name: (getattr(flops, name) or 0.0) / training for name in PASSES},
        "fine_tuning": (flops.fine_tuning or 0.0) / one_node / rates.flops,
        "between": steps * (rates.step + _moved(spec, rates)),
        "evaluation": rates.evaluate + read + measured,
    }
    if spec.evaluated_steps:
        seconds["checkpoints"] = len(spec.evaluated_steps) * seconds["evaluation"]
    return seconds | {"saving": saves(spec, usual(seconds)) * checkpoint.assumed_seconds(spec)}


def usual(seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds of every phase of a roofline for GPUs, as published runs took them: for as long as none is measured.

    Of those only training steps are known: what a start and a save take stays.
    """
    return {phase: value * (1.0 if phase in ("start", "saving") else PUBLISHED) for phase, value in seconds.items()}


def saves(spec: RunSpec, seconds: Mapping[str, float] | None) -> int:
    """Checkpoints that a run of so many seconds by phase writes; None: it is not known, and none is measured."""
    step = sum(seconds[phase] for phase in STEP) / spec.total_steps if seconds else None
    measured = Measured(steps=(step,)) if step else Measured()
    return checkpoint.count(spec.total_steps, pace(spec, measured).every)


def _of_lengths(spec: RunSpec, mean: Lengths) -> RunSpec:
    """The run as if every sequence had the mean length."""
    prompt, response = (max(1, round(tokens)) for tokens in (mean.prompt, mean.response))
    training = replace(spec.training, max_prompt_length=prompt, max_response_length=response)
    return replace(spec, training=training)


def _models(spec: RunSpec) -> int:
    """Models whose files a job reads before its first step: the policy, its reference, PPO's critic."""
    reference = (spec.algorithm.kl.in_loss or spec.algorithm.kl.in_reward) and not spec.algorithm.lora.rank
    return 1 + reference + spec.algorithm.has_critic


def _moved(spec: RunSpec, rates: Rates) -> float:
    """Seconds a step in which weights go to the engines and, with `offload`, states to host memory and back.

    Offloaded are 4 bytes a parameter for the log-prob and for the engines' copy, 12 with the moments for the update,
    each way but the copy's.
    """
    resources, size = spec.model.resources, spec.model.architecture.n_params
    shard = size / resources.devices * (1 + spec.algorithm.has_critic)
    return 4 * size / rates.hand_over + (36 * shard / rates.offload if resources.offload else 0.0)


class _Engine:
    """The rollout engines of a run: how long some sequences take them."""

    def __init__(
        self, spec: RunSpec, rates: Rates, kv_tokens: int | None, mean: Lengths, played: Played | None
    ) -> None:
        arch, resources = spec.model.architecture, spec.model.resources
        self._arch, self._played = arch, played
        self._rates, self._width, self._kv_tokens = rates, resources.tensor_parallel, kv_tokens
        self._at_once = resources.max_num_seqs  # sequences of one engine
        self._mean = mean
        self._drawn = played.generated if played else mean.response  # tokens of a sequence that are decoded
        self._longest = played.longest if played else spec.training.max_response_length
        self._held = mean.prompt + mean.response / 2  # tokens of a sequence in the KV cache, while it is decoded
        self._weights = arch.n_params_non_embedding + arch.n_params_head  # all experts are read by a full batch
        self._passed = arch.n_params_active + arch.n_params_head
        self._kv = kv_bytes(arch, resources)
        self._attention = 4 * arch.head_dim * arch.num_heads * arch.num_layers  # FLOPs per token and token before it

    def seconds(self, prompts: int, n: int, devices: int) -> float:
        """Seconds to answer `prompts` prompts `n` times each, with the engines that fit on `devices`.

        Places that fall free are taken while answers wait. The last ones to start end one by one, and the engine with
        them when the longest answer does.
        """
        engines = max(1, devices // self._width)
        share = prompts * n / engines  # sequences of one engine
        room = self._kv_tokens / self._held if self._kv_tokens else math.inf
        together = max(1.0, min(share, self._at_once, room))
        filled = max(0.0, share / together - 1) * self._drawn * self._token(together)
        emptied = self._longest * self._token(max(1.0, together * self._drawn / self._longest))
        # A prompt is read once, however often it is answered.
        prefill = prompts / engines * 2 * self._passed * self._mean.prompt / self._width / self._rates.prefill
        alone = filled + emptied + prefill
        return alone if self._played is None else self._with_turns(alone, share, self._played)

    def _with_turns(self, alone: float, share: float, played: Played) -> float:
        """Seconds of so many trajectories of one engine that takes `alone` to generate them.

        Waits are those of the trajectory that ends last: the places of others are taken meanwhile. With a prefix cache
        the engine reads observations alone, else all before a turn. Loops and tools compute beside it, or on its core.
        """
        flops = 2 * self._passed * played.observed
        if not played.prefix_cache:
            flops = encoded_again(self._arch, turns=max(0.0, played.turns - 1), tokens=played.prefilled_again)
        waits = (played.most_turns - 1) * played.wait_s
        engine, tools = alone + waits + share * flops / self._width / self._rates.prefill, share * played.busy_s
        return max(engine, tools) if played.beside else engine + tools

    def _token(self, together: float) -> float:
        """Seconds that one more token of each of so many sequences takes."""
        rates = self._rates
        read = 2 * self._weights / self._width + together * self._held * self._kv
        computed = together * (2 * self._passed + self._attention * self._held) / self._width
        return rates.decode + max(read / rates.bandwidth, computed / rates.prefill)


class Calibrator:
    """Factors of measured over predicted seconds, by kind of device and model; of runs with an agent apart."""

    def __init__(self, measured: Iterable[tuple[RunSpec, float]], acted: PlayedRuns = NOTHING_MEASURED) -> None:
        """Make factors.

        Args:
            measured: Specs of completed runs with the seconds that training and evaluation took.
            acted: What measured runs of agents did.
        """
        self._factors: dict[_Kind, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._sizes: dict[str, int] = {}
        self._acted = acted
        for spec, seconds in measured:
            kind = kind_of(spec)
            # What was assumed of an agent is corrected by runs of which the same is assumed.
            for of_agent in (acted, NOTHING_MEASURED) if acted.knows(spec) else (NOTHING_MEASURED,):
                predicted = roofline(spec, acted=of_agent)
                if kind is not None and predicted is not None:
                    models = self._factors[kind, spec.agent.acts, of_agent.knows(spec)]
                    models[spec.model.name].append(seconds / sum(predicted.values()))
                    self._sizes[spec.model.name] = spec.model.architecture.n_params
        self._known: dict[tuple[_Kind, str], Calibration | None] = {}

    @classmethod
    def of(cls, rows: Sequence[ResultRow], results_dir: Path, acted: PlayedRuns = NOTHING_MEASURED) -> "Calibrator":
        """From the completed rows of a results folder; a row whose spec cannot be read any more says nothing."""
        by_model: dict[str, list[tuple[str, RunId, float]]] = defaultdict(list)
        for row in rows:
            seconds = own_seconds(row)
            if row.status is Status.completed and row.timing and seconds is not None:
                by_model[row.model].append((row.timing.ended_at, RunId(row.run_id), seconds))
        found = []
        for alike in by_model.values():
            for _, run_id, seconds in sorted(alike)[-NEWEST:]:
                with suppress(OSError, ValueError, SweeperError):
                    found.append((RunSpec.read(RunDir(results_dir=results_dir, run_id=run_id).spec_path), seconds))
        return cls(found, acted)

    def of_run(self, spec: RunSpec) -> Calibration | None:
        """What corrects the roofline of a run; None: nothing was measured on its kind of device."""
        kind = (kind_of(spec) or "", spec.agent.acts, self._acted.knows(spec))
        key = (kind, spec.model.name)
        if key not in self._known:
            self._known[key] = self._calibrate(kind, spec)
        return self._known[key]

    def _calibrate(self, kind: _Kind, spec: RunSpec) -> Calibration | None:
        models = self._factors.get(kind, {})
        on = f"{'with an agent ' if spec.agent.acts else ''}on {kind[0]}"
        own = models.get(spec.model.name)
        if own:
            basis = f"{number_of(len(own), 'measured run')} of this model {on}"
            error = _left_out(dict(enumerate(own)), lambda others, _: median(others.values()))
            return Calibration(factor=median(own), basis=basis, error=error)
        if not models:
            return None
        factors = {self._sizes[name]: median(values) for name, values in models.items()}
        size = spec.model.architecture.n_params
        near = _nearest(factors, size)
        name = next(name for name in models if self._sizes[name] == near)
        error = _left_out(factors, lambda others, own: others[_nearest(others, own)])
        return Calibration(factor=factors[near], basis=f"measured runs of {name} {on}", error=error)


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
