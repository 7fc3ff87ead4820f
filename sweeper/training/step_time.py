"""How long a training step takes, and what follows: how often to save, and when a run counts as stalled."""

import json
import statistics
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sweeper.rows.curve import read_curve
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId

_STEPS = 3  # fewer measured ones do not count: the first compiles and warms up
_OTHERS = 8  # runs alike that are looked at


def save_freq(spec: RunSpec, seconds: Sequence[float]) -> int:
    """Steps between checkpoints: `training.save_freq`, or fewer, so that no more than `max_loss_minutes` can be lost.

    verl 0.9.1's trainer saves when a step's number is a multiple of this and at no other time: it cannot be asked to
    save before a job's time limit. So the loss is bounded beforehand.

    Args:
        spec: The run.
        seconds: Of measured steps; none: nothing is known yet.
    """
    wanted, minutes = spec.training.save_freq, spec.cluster.max_loss_minutes
    if minutes is None or not seconds or wanted < 1:
        return wanted
    return max(1, min(wanted, int(minutes * 60 // statistics.median(seconds))))


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


def measured(run_dir: RunDir, spec: RunSpec) -> list[float]:
    """Seconds of steps that were measured: of the run's earlier attempts, else of runs alike; empty: none yet."""
    own = _seconds(run_dir)
    if len(own) >= _STEPS:
        return own
    alike: list[float] = []
    prefix = f"{spec.model.name}_{spec.algorithm.name}_"
    mine = _sizes(json.loads(spec.to_json()))
    folders = (path for path in run_dir.path.parent.glob(f"{prefix}*") if path != run_dir.path)
    for path in islice((path for path in folders if _alike(path, mine)), _OTHERS):
        found = _seconds(RunDir(results_dir=run_dir.results_dir, run_id=RunId(path.name)))
        alike += found if len(found) >= _STEPS else []
    return alike


def _seconds(run_dir: RunDir) -> list[float]:
    curve = read_curve(item.metrics for item in run_dir.attempts())
    return [point.seconds for point in curve if point.seconds is not None and point.reward is not None]


def _alike(folder: Path, sizes: tuple[Any, ...]) -> bool:
    """Whether a run's steps take as long as those of a run of these sizes."""
    path = folder / "spec.json"
    return path.exists() and _sizes(json.loads(path.read_text())) == sizes


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
