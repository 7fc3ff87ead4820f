"""What one run is expected to take: FLOPs, tokens, wall time, GPU memory, disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sweeper.plan.gpu import GPUS
from sweeper.plan.memory import Memory, memory_of
from sweeper.plan.played import Played, PlayedRuns
from sweeper.plan.rates import SPREAD, kind_of, rates_of
from sweeper.plan.throughput import Calibration, Calibrator, roofline, saves, usual
from sweeper.rows.flops import planned_flops
from sweeper.rows.row import Flops, ResultRow
from sweeper.spec.digest import digest_of
from sweeper.spec.run import RunSpec
from sweeper.training import checkpoint

BYTES_A_TOKEN = 4  # of text in verl's dumps of validation answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Expectations of one run; `basis` says where the hours come from."""

    flops: Flops  # upper bound: every sequence at its maximum length
    samples: int  # responses generated for training
    tokens: int  # of whole sequences of training, at most; of an agent observations among them
    evaluation_tokens: int  # of one pass@k evaluation, at most
    evaluations: int  # of the trained model and its checkpoints
    devices: int
    on_gpus: bool
    seconds: Mapping[str, float] | None  # wall seconds by phase; None when nothing supports an estimate
    basis: str
    error: float | None  # mean relative error of the same estimate for measured runs; None: not known
    spread: tuple[float, float] | None  # multiples of `seconds` between which the run's own may lie; None: not known
    memory: Memory | None  # None: no GPU, or one of unknown type
    checkpoint_bytes: int  # on disk while the run lives, and after it
    written_bytes: int  # of all checkpoints, those that verl deletes again included
    log_bytes: int
    agent: Played | None  # the mean trajectory that the seconds rest on; None: no agent, or nothing is estimated

    @property
    def hours(self) -> float | None:
        """Wall time."""
        return None if self.seconds is None else sum(self.seconds.values()) / 3600

    @property
    def hours_range(self) -> tuple[float, float] | None:
        """Between which the wall time may lie."""
        return None if self.hours is None or self.spread is None else _times(self.hours, self.spread)

    @property
    def device_hours_range(self) -> tuple[float, float] | None:
        """Between which the GPU-hours may lie."""
        wall = self.hours_range
        return None if wall is None else _times(self.devices, wall)

    @property
    def device_hours(self) -> float | None:
        """GPU-hours (CPU-process hours on a machine without a GPU)."""
        return None if self.hours is None else self.hours * self.devices


class Pricer:
    """Prices runs; those that differ only in what costs nothing share one estimate."""

    def __init__(self, rows: Sequence[ResultRow], results_dir: Path) -> None:
        self._rows, self._results_dir = rows, results_dir
        self._known: dict[tuple[object, ...], Cost] = {}

    @cached_property
    def _calibrator(self) -> Calibrator:
        return Calibrator.of(self._rows, self._results_dir, self._acted)

    @cached_property
    def _acted(self) -> PlayedRuns:
        return PlayedRuns(self._rows)

    def cost(self, spec: RunSpec) -> Cost:
        """The cost of a run."""
        priced = (spec.model, spec.algorithm, spec.training, spec.eval, spec.cluster, spec.data_scale)
        agent = repr(spec.agent) if spec.agent.acts else None
        key = (*priced, spec.data.sft_share, agent, digest_of(spec.verl) if spec.verl else None)
        if key not in self._known:
            self._known[key] = self._cost(spec)
        return self._known[key]

    def _cost(self, spec: RunSpec) -> Cost:
        resources, training, evaluation = spec.model.resources, spec.training, spec.eval
        longest = spec.longest
        samples = spec.total_steps * training.train_batch_size * spec.algorithm.rollout_n
        measured = evaluation.problems_per_domain * len(evaluation.domains) * evaluation.n_samples
        kind, predicted = kind_of(spec), roofline(spec, acted=self._acted)
        calibration = self._calibrator.of_run(spec) if predicted else None
        seconds, basis = _hours(spec, predicted, calibration)
        rates = rates_of(kind)
        written = saves(spec, seconds)
        return Cost(
            flops=planned_flops(spec),
            samples=samples,
            tokens=samples * longest,
            evaluation_tokens=measured * longest,
            evaluations=1 + len(spec.evaluated_steps),
            devices=resources.devices,
            on_gpus=kind != "cpu",
            seconds=seconds,
            basis=basis,
            error=calibration.error if calibration else None,
            spread=_spread(calibration) if seconds else None,
            memory=memory_of(spec),
            checkpoint_bytes=min(checkpoint.KEPT, written) * sum(checkpoint.sizes(spec)) + checkpoint.bytes_kept(spec),
            written_bytes=written * sum(checkpoint.sizes(spec)),
            log_bytes=_logs(spec),
            agent=self._acted.expected(spec, rates.mean_length) if rates else None,
        )


def _hours(
    spec: RunSpec, predicted: dict[str, float] | None, calibration: Calibration | None
) -> tuple[dict[str, float] | None, str]:
    kind = kind_of(spec)
    if kind is None:
        return None, "set cluster.gpu_type for an estimate of time and memory"
    if predicted is None:
        return None, f"cluster.gpu_type={kind} is none of {', '.join(GPUS)}: neither time nor memory is estimated"
    if calibration is not None:
        return {phase: value * calibration.factor for phase, value in predicted.items()}, calibration.basis
    if kind == "cpu":
        return None, f"no measured run {'with an agent ' if spec.agent.acts else ''}on this kind of device yet"
    return usual(predicted), f"roofline of {kind} and published runs, nothing measured yet"


def _spread(calibration: Calibration | None) -> tuple[float, float] | None:
    """Where nothing was measured here, that of published runs; else what the measured ones' error says."""
    if calibration is None:
        return SPREAD
    return None if calibration.error is None else (1 / (1 + calibration.error), 1 + calibration.error)


def _times(value: float, pair: tuple[float, float]) -> tuple[float, float]:
    return value * pair[0], value * pair[1]


def _logs(spec: RunSpec) -> int:
    """Text: the log, metrics, validation answers, and counts of every problem. Measured on the tiny ladder."""
    evaluation, domains, evaluations = spec.eval, len(spec.eval.domains), 1 + len(spec.evaluated_steps)
    validations = spec.total_steps // evaluation.val_freq + 1
    answers = validations * evaluation.val_problems_per_domain * domains * evaluation.val_n
    text = answers * spec.longest * BYTES_A_TOKEN
    return text + 10_000 * spec.total_steps + 600 * evaluations * evaluation.problems_per_domain * domains + 250_000
