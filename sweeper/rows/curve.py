"""The training curve of a run, from what verl logs."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sweeper.host.json_lines import json_lines
from sweeper.rows import late_verdicts
from sweeper.rows.curve_point import CurvePoint
from sweeper.rows.groups import Discarded, Groups
from sweeper.rows.trajectory_metrics import from_metrics

TRAINED = "critic/score/mean"  # logged by every training step, and by no validation
KL = ("actor/kl_loss", "actor/reward_kl_penalty")  # to the reference model, as a loss or as a penalty in the reward

PROBS_DIFF = "training/rollout_probs_diff_mean"  # verl logs it with rollout.calculate_log_probs, its default
FIELDS = {  # of a point that are one number as logged: verl's name
    "reward": TRAINED,
    "response_length": "response_length/mean",
    "entropy": "actor/entropy",
    "seconds": "perf/time_per_step",
    "truncated": "response_length/clip_ratio",
    "clip_share": "actor/pg_clipfrac",
    "grad_norm": "actor/grad_norm",
    "probs_diff": PROBS_DIFF,
}
_TOKENS = "perf/total_num_tokens"
_COUNTED = ("agent/", "verdict/", "groups/", "discarded/")


def read_curve(paths: Iterable[Path]) -> list[CurvePoint]:
    """The training curve from the metrics files of all attempts, oldest first, as `read_steps` has them."""
    return [curve_point(step, data) for step, data in read_steps(paths).items()]


def read_steps(paths: Iterable[Path]) -> dict[int, dict[str, Any]]:
    """Everything that verl logged, by step in order and verl's names, from the files of all attempts, oldest first.

    What an attempt trained beyond the checkpoint that a later one resumed from led nowhere: those steps are the later
    attempt's alone, and absent where it has not reached them.
    """
    return joined(_records(path) for path in paths)


def joined(attempts: Iterable[Sequence[tuple[int, Mapping[str, Any]]]]) -> dict[int, dict[str, Any]]:
    """Steps in order from the (step, metrics) of all attempts of one run, oldest first, as `read_steps` has them."""
    steps: dict[int, dict[str, Any]] = {}
    for records in attempts:
        if records:
            # A resumed attempt first validates the checkpoint, under its step, or trains the step after it.
            first, data = records[0]
            last_kept = first - 1 if TRAINED in data else first
            steps = {step: kept for step, kept in steps.items() if step <= last_kept}
        for step, data in records:
            steps.setdefault(step, {}).update(data)
    return dict(sorted(steps.items()))


def _records(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """(step, metrics) in the order logged."""
    if not path.exists():
        return []
    return [(int(record["step"]), record["data"]) for _, record in json_lines(path, skip_damaged=True)]


def curve_point(step: int, data: Mapping[str, Any]) -> CurvePoint:
    """A step of a curve from what verl logs, by verl's names."""
    accuracies = [float(value) for key, value in data.items() if is_accuracy(key) and value is not None]
    tokens = _number(data, _TOKENS)
    # Not actor/ppo_kl: that is the change since the rollout, 0 where a batch is one update. Without a KL term there is
    # no reference model, and its KL is not measured.
    kl = next((value for key in KL if (value := _number(data, key)) is not None), None)
    return CurvePoint(
        step=step,
        **{field: _number(data, key) for field, key in FIELDS.items()},
        val_pass1=statistics.fmean(accuracies) if accuracies else None,
        kl=kl,
        tokens=None if tokens is None else int(tokens),
        trajectories=from_metrics(data),
        verdicts=late_verdicts.from_metrics(data),
        groups=Groups.from_metrics(data),
        discarded=Discarded.from_metrics(data),
    )


def is_accuracy(name: str) -> bool:
    """Whether a metric is the accuracy on validation problems of one source, 0 to 1."""
    return name.startswith("val-core/") and "/acc/mean@" in name


def is_read(name: str) -> bool:
    """Whether a point has a place for a metric of verl's."""
    return name in (*FIELDS.values(), *KL, _TOKENS) or is_accuracy(name) or name.startswith(_COUNTED)


def _number(data: Mapping[str, Any], key: str) -> float | None:
    value = data.get(key)
    return None if value is None or math.isnan(value) else float(value)
