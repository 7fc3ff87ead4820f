"""How long a training step takes, and what follows: how often to save, and when a run counts as stalled."""

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_json
from sweeper.host.json_lines import json_lines
from sweeper.rows.curve import read_curve
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from sweeper.training import checkpoint

SAVING_SHARE = 0.05  # of the time of training, that saving may take for the sake of `max_loss_minutes`
_STEPS = 3  # fewer measured ones do not count: the first compiles and warms up
_OTHERS = 8  # runs alike that are looked at
_SAVED = "timing_s/save_checkpoint"  # seconds, by verl, of a step that saved


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds that were measured.

    Attributes:
        steps: Of training steps, without their saves.
        saves: Of checkpoints.
    """

    steps: tuple[float, ...] = ()
    saves: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Steps between checkpoints, and why as many: a sentence, or None where `training.save_freq` is often enough."""

    every: int
    why: str | None = None


def pace(spec: RunSpec, measured: Measured) -> Pace:
    """How often to save: `training.save_freq`, or more often, so that less than `max_loss_minutes` can be lost.

    But not so often that saving takes more than `SAVING_SHARE` of the time: where both cannot be had, more is lost, up
    to what `training.save_freq` allows. verl 0.9.1's trainer saves when a step's number is a multiple of this and at no
    other time: it cannot be asked to save before a job's time limit, so both are bounded beforehand. Checkpoints to be
    evaluated are all saved: the number divides the steps between them (`eval.checkpoints`).
    """
    found, gap = _pace(spec, measured), spec.eval.gap(spec.training.save_freq)
    if gap is None or gap % found.every == 0:
        return found
    every = max(n for n in range(1, found.every + 1) if gap % n == 0)
    why = f"eval.checkpoints={spec.eval.checkpoints} is a multiple of it"
    return Pace(every=every, why=f"{found.why}; {why}" if found.why else why)


def _pace(spec: RunSpec, measured: Measured) -> Pace:
    wanted, minutes = spec.training.save_freq, spec.cluster.max_loss_minutes
    if minutes is None or not measured.steps:
        return Pace(every=wanted)
    step = statistics.median(measured.steps)
    saving = statistics.median(measured.saves) if measured.saves else checkpoint.assumed_seconds(spec)
    safe, cheap = int(minutes * 60 // step), math.ceil(saving / (SAVING_SHARE * step))
    every = max(1, min(wanted, max(safe, cheap)))
    if wanted <= safe:
        return Pace(every=wanted)
    why = f"cluster.max_loss_minutes={minutes:g}"
    if every > max(1, safe):
        known = "takes" if measured.saves else "is assumed to take"
        why = (
            f"{why} would need one every {max(1, safe)}, but one {known} {saving:.0f} s and a step {step:.0f} s, and "
            f"saving is to take at most {SAVING_SHARE:.0%} of the time; {every * step / 60:.0f} minutes can be lost"
        )
    return Pace(every=every, why=why)


def patience(spec: RunSpec, seconds: Sequence[float]) -> float | None:
    """Seconds without a finished step after which a run is stalled; None: it never is.

    Args:
        spec: The run.
        seconds: Of this attempt's finished steps. Before the first, and while a validation runs, the floor holds.
    """
    minutes = spec.cluster.stalled_after_minutes
    if minutes is None:
        return None
    usual = statistics.median(seconds) if seconds else 0.0
    return max(minutes * 60, spec.cluster.stalled_after_steps * usual)


def measured(run_dir: RunDir, spec: RunSpec) -> Measured:
    """What was measured of the run's earlier attempts, else of runs alike; empty: nothing yet."""
    own = _measured(run_dir)
    if len(own.steps) >= _STEPS:
        return own
    prefix = f"{spec.model.name}_{spec.algorithm.name}_"
    mine = _sizes(json.loads(spec.to_json()))
    folders = (path for path in run_dir.path.parent.glob(f"{prefix}*") if path != run_dir.path)
    alike = [
        _measured(RunDir(results_dir=run_dir.results_dir, run_id=RunId(path.name)))
        for path in islice((path for path in folders if _alike(path, mine)), _OTHERS)
    ]
    known = [found for found in alike if len(found.steps) >= _STEPS]
    return Measured(
        steps=tuple(seconds for found in known for seconds in found.steps),
        saves=tuple(seconds for found in known for seconds in found.saves),
    )


def _measured(run_dir: RunDir) -> Measured:
    paths = [item.metrics for item in run_dir.attempts() if item.metrics.exists()]
    records = [record for path in paths for _, record in json_lines(path, skip_damaged=True)]
    saves = {int(record["step"]): float(record["data"][_SAVED]) for record in records if _SAVED in record["data"]}
    # verl's time of a step holds that of its save.
    steps = (
        point.seconds - saves.get(point.step, 0.0)
        for point in read_curve(paths)
        if point.seconds is not None and point.reward is not None
    )
    return Measured(steps=tuple(steps), saves=tuple(saves.values()))


def _alike(folder: Path, sizes: tuple[Any, ...]) -> bool:
    """Whether a run's steps take as long as those of a run of these sizes."""
    path = folder / "spec.json"
    try:
        return _sizes(read_json(path)) == sizes
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
    ):  # another run's, and damaged
        return False


def _sizes(spec: dict[str, Any]) -> tuple[Any, ...]:
    """What decides how long a step takes: lengths, batches and resources."""
    training, resources = spec["training"], spec["model"]["resources"]
    return (
        training["train_batch_size"],
        training["max_prompt_length"],
        training["max_response_length"],
        spec["algorithm"]["rollout_n"],
        resources["nodes"],
        resources["gpus_per_node"],
        spec["cluster"]["gpu_type"],
    )
