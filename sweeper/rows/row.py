"""Result rows: one JSON file per run, atomic, never half-written, never lost.

`rows/<run_id>.json` is the summary row, `rows/<run_id>.problems.jsonl` the per-problem counts it was computed from.
The row files are the truth; every table is a view of them. A failed run has a row too, so that absence means
"never ran".
"""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rewards.bounded_file import parsed, read_text, shallow
from sweeper.host.errors import DamagedError, ResultsError
from sweeper.host.files import undamaged, write_atomic
from sweeper.host.secret import hidden_in
from sweeper.rows.curve_point import CurvePoint
from sweeper.rows.earlier_row import completed
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.late_verdicts import NOT_COUNTED, LateVerdicts
from sweeper.rows.score import Score, ScoresAfter
from sweeper.spec.bounds import adapter

SCHEMA_VERSION = 1
ROW_CURE = "remove it to measure this run again; its checkpoints stay"
MOST_NAMES = 2000  # of each: settings are compared pairwise, and a k is a column
# What a row is found, read and compared by. A point with a secret in a name is refused before it can have a row.
NAMES = (
    *("run_id", "group_id", "status", "phase", "failure_class", "log", "accounting", "kind", "domain", "device"),
    *("model", "family", "algorithm", "domain_mix", "data_scale", "curriculum"),
)
# Of a part of a row: left out where there is nothing to say, as in rows of before they were kept.
_ABSENT: tuple[str, ...] = ("probs_diff", "trajectories", "verdicts", "groups", "discarded", "pass_at_turns")
_ABSENT += ("truncated", "clip_share", "grad_norm", "generated_tokens", "observed_tokens", "prefill_repeated")


class Status(StrEnum):
    """How a run ended."""

    completed = "completed"
    failed = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flops:
    """Model FLOPs by phase (multiply and add count as two), see `sweeper.rows.flops`; None: not measured.

    The fields with a default came with the second accounting; rows of the first do not have them.
    """

    accounting: str
    generation: float | None
    log_prob: float | None
    reference: float | None
    actor: float | None
    critic: float | None
    evaluation: float | None
    total: float | None  # training phases: all but evaluation, validation and what is recomputed
    validation: float | None = None  # generation of verl's validations during training
    fine_tuning: float | None = None  # supervised, before RL
    recomputed: float | None = None  # by the hardware: forward passes that gradient checkpointing repeats
    published_6nt: float | None = None  # 6 x nominal size x tokens of the rollouts, as arXiv:2509.25300 counts
    prompt_tokens: int | None = None  # of the rollouts, once per response
    response_tokens: int | None = None
    discarded: float | None = None  # of `generation`, what dynamic sampling threw away; absent from rows without it
    # Of an agent's rollouts alone, absent from rows without one: of response_tokens what it drew and what it observed.
    generated_tokens: int | None = None
    observed_tokens: int | None = None
    prefill_repeated: float | None = None  # more than `generation` that an engine without a prefix cache computes


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a run has no result."""

    phase: str  # data | model | train | evaluate
    reason: str  # the last telling line, no secrets
    log: str  # path of the log, relative to the results folder
    failure_class: FailureClass | None = None  # None: in rows of earlier versions
    evidence: str | None = None  # the line that shows the class


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Wall seconds: `total_s` of all attempts, the phases of the last one; None where it did not run the phase."""

    queued_at: str  # ISO 8601, UTC
    started_at: str
    ended_at: str
    startup_s: float | None  # from starting verl to the beginning of its first training step, validation included
    train_s: float | None
    evaluate_s: float | None
    total_s: float | None
    attempts: int
    # Of steps that earlier attempts made and the last did not repeat; None: none, or not timed, or on other devices.
    earlier_steps_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What produced the row."""

    git_commit: str | None
    git_dirty: bool | None
    host: str
    device: str
    device_name: str
    n_devices: int
    versions: dict[str, str]
    data_digest: str | None
    model_digest: str | None
    code_digest: str | None = None  # of the frozen copy that ran; None: not frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Where a row comes from that no run here made (`python -m analysis import`)."""

    kind: str  # wandb | verl metrics | verl console | table
    path: str
    sha256: str  # of the source
    name: str  # of the run, in the source
    missing: dict[str, str]  # field of the row -> why it is null


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One run's summary."""

    schema_version: int
    run_id: str
    group_id: str
    status: Status
    failure: Failure | None
    model: str
    family: str
    n_params: int
    n_params_non_embedding: int
    n_params_head: int | None = None  # weights of the output matrix
    n_params_active: int | None = None  # non-embedding parameters that a token passes: fewer with experts
    algorithm: str
    domain_mix: str
    data_scale: str
    n_unique: int | None  # different problems in the set that RL draws from
    problems_seen: int | None = None  # of them: no more than the steps drew; None: not known how many they drew
    n_sft: int | None = None  # different problems of supervised fine-tuning before it; 0: there was none
    reuse: float | None = None  # how often RL saw each problem that it saw, 1 or more: tau of arXiv:2509.25300
    agent: str | None = None  # name of what acted over several turns (`sweeper.spec.agent`); None: one turn
    curriculum: str | None = None  # these three: None in rows of earlier versions
    rollout_n: int | None = None  # responses per prompt; this and the next three: None in rows of earlier versions
    lora_rank: int | None = None  # 0: every parameter is trained
    kl_loss_coef: float | None = None  # of the KL term in the loss; 0: there was none
    kl_reward_coef: float | None = None  # of the KL penalty in the reward; 0: there was none
    seed: int
    steps: int | None  # training steps completed
    train_samples: int | None  # responses that were trained on
    lost_samples: int | None = None  # more that were asked for and could not be generated or scored; None: not counted
    verdicts: LateVerdicts | None = None  # of all training steps: how many hang on a limit of time
    verdicts_missing: str | None = NOT_COUNTED  # why there are no `verdicts`
    train_tokens: int | None  # prompt + response tokens of all training batches
    flops: Flops | None
    gpu_seconds: float | None  # of training: each step's wall seconds x the GPUs that it had; None on CPU
    base: tuple[Score, ...]  # the base model on the same suite; empty if not measured
    trained: tuple[Score, ...]
    along: tuple[ScoresAfter, ...] = ()  # training, by step, one for each that `eval.checkpoints` asked for
    curve: tuple[CurvePoint, ...]
    timing: Timing | None
    provenance: Provenance | None
    imported: Imported | None = None
    settings: dict[str, Any] | None = None  # `RunSpec.settings`; None: not known

    def score(self, domain: str = "all", *, base: bool = False, step: int | None = None) -> Score | None:
        """The score of a domain, of the trained model, of the base model, or after a step of `along`."""
        found = self.base if base else self.trained
        if step is not None:
            found = next((one.scores for one in self.along if one.step == step), ())
        return next((score for score in found if score.domain == domain), None)

    def to_json(self) -> str:
        """Indented JSON with sorted keys, without secrets."""
        values = hidden_in(asdict(self), but=NAMES)
        if values["agent"] is None:
            del values["agent"]
        if values["verdicts_missing"] == NOT_COUNTED:
            del values["verdicts"], values["verdicts_missing"]
        if not values["along"]:
            del values["along"]
        after = [score for one in values.get("along", ()) for score in one["scores"]]
        for part in (*values["curve"], *values["base"], *values["trained"], *after, values["flops"] or {}):
            for name in _ABSENT:
                if part.get(name, name) in (None, []):
                    del part[name]
        if values["timing"] and values["timing"]["earlier_steps_s"] is None:
            del values["timing"]["earlier_steps_s"]
        return json.dumps(values, sort_keys=True, indent=1) + "\n"


def write_row(results_dir: Path, row: ResultRow) -> Path:
    """Write a row atomically: temporary file, fsync, rename.

    A completed row is never replaced by a failed one, nor by other content.

    Raises:
        ResultsError: a completed row with the same id is there already.
    """
    path = row_path(results_dir, row.run_id)
    if has_result(results_dir, row.run_id):
        raise ResultsError(f"{path} holds a completed row and is never overwritten; remove it by hand to measure again")
    write_atomic(path, row.to_json())
    return path


def has_result(results_dir: Path, run_id: str) -> bool:
    """Whether a run has a row, and that of a completed run: nothing ever replaces it.

    Raises:
        ResultsError: there is a row that cannot be read.
    """
    path = row_path(results_dir, run_id)
    return path.exists() and read_row(path).status is Status.completed


def row_path(results_dir: Path, run_id: str) -> Path:
    """Where a run's row lies."""
    return Path(results_dir, "rows", f"{run_id}.json")  # one step: plans and `status` ask for thousands


def problems_path(results_dir: Path, run_id: str) -> Path:
    """Where a run's per-problem counts lie: one JSON object a line with problem_id, domain, n, c, outcomes."""
    return results_dir / "rows" / f"{run_id}.problems.jsonl"


def base_problems_path(results_dir: Path, run_id: str) -> Path:
    """Where the base model's per-problem counts on the run's problems lie, in the same format."""
    return results_dir / "rows" / f"{run_id}.base_problems.jsonl"


def problems_after_path(results_dir: Path, run_id: str, step: int) -> Path:
    """Where a run's per-problem counts after a step before the last one lie, in the same format."""
    return results_dir / "rows" / f"{run_id}.step_{step}.problems.jsonl"


def counts_paths(results_dir: Path, run_id: str) -> list[Path]:
    """Files of per-problem counts: the run's and its base model's, there or not, and those of steps that are there."""
    own = problems_path(results_dir, run_id), base_problems_path(results_dir, run_id)
    return [*own, *sorted((results_dir / "rows").glob(f"{run_id}.step_*.problems.jsonl"))]


def read_row(path: Path, text: str | None = None) -> ResultRow:
    """Read one row with full validation; `text` is the row where the file holds more than that.

    Raises:
        DamagedError: the file is not a row of this schema version.
    """
    with undamaged(path, cure=ROW_CURE):
        values = parsed(read_text(path) if text is None else text)
        if values["schema_version"] != SCHEMA_VERSION:
            raise DamagedError(
                f"{path} has schema_version {values['schema_version']}, this code reads {SCHEMA_VERSION}; {ROW_CURE}"
            )
        row: ResultRow = adapter(ResultRow).validate_python(completed(values, path))
        whole = [getattr(row, name) for name in ResultRow.__dataclass_fields__]
        if wide := [value for value in (*whole, *(shallow(row.settings) or {}).values()) if _is_wide(value)]:
            raise ValueError(f"{wide[0]} is too large a number")
        scores = (*row.base, *row.trained, *(score for one in row.along for score in one.scores))
        numbers = [*(asdict(row.timing).values() if row.timing else ()), row.gpu_seconds, row.reuse]
        if any(isinstance(value, float) and not math.isfinite(value) for value in numbers):
            raise ValueError("a time is no finite number")
        if max([len(row.settings or ()), len(scores), *(len(one.pass_at_k) for one in scores)]) > MOST_NAMES:
            raise ValueError(f"it has more than {MOST_NAMES:,} settings, domains or values of k")
    return row


def _is_wide(value: Any) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**63  # of a column of a table


def read_rows(results_dir: Path, damaged: list[DamagedError] | None = None) -> Iterator[ResultRow]:
    """All rows, in the order of their ids; `damaged` gets an error for each file that is no row, which is left out.

    Raises:
        DamagedError: without `damaged`, a file is no row.
    """
    for path in sorted((results_dir / "rows").glob("*.json")):
        try:
            row = read_row(path)
            if row.run_id != path.stem:  # a copy would count a run twice
                raise DamagedError(f"{path} is damaged: it holds the row of {row.run_id}; remove it, or name it so")
        except DamagedError as error:
            if damaged is None:
                raise
            damaged.append(error)
        else:
            yield row
