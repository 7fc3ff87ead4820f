"""The validations of the runs as points of learning curves: error against steps, data and compute.

The error is 1 - accuracy on verl's validation problems, a small set with few samples each; the pass@k suite is measured
at the end of a run only. Step 0 is the base model and has no logarithm, so it is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.runs.selection import Run
from analysis.runs.spent import flops_at, samples_at

HELD_SHARE = 0.25  # of the checkpoints of a size, the last ones
FEWEST_STEPS = 7  # different ones before any is held out: five are left to fit


class Axis(StrEnum):
    """What the error is a function of."""

    compute = "training FLOPs, all phases, without evaluation"
    data = "training samples (responses)"
    steps = "training steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One validation of one run."""

    run_id: str
    series: str
    model: str
    size: int  # parameters without embedding and head
    seed: int
    step: int
    samples: float | None  # responses generated for training up to the step
    flops: float | None  # as `flops_at` has them
    error: float
    held_out: bool  # among the last quarter of the steps of its size and series: no fit sees it

    def x(self, axis: Axis) -> float | None:
        """Position on an axis; None: not measured."""
        if axis is Axis.steps:
            return float(self.step)
        return self.flops if axis is Axis.compute else self.samples


def checkpoints(runs: Sequence[Run], labels: Mapping[str, str]) -> list[Checkpoint]:
    """Every validation after step 0 of the runs; `labels` are their series by run id.

    Runs of one series and size are one curve: the last quarter of their steps is held out of every fit, if there are
    `FEWEST_STEPS` of them.
    """
    steps: dict[tuple[str, int], set[int]] = {}
    for run in runs:
        key = (labels[run.row.run_id], run.row.n_params_non_embedding)
        steps.setdefault(key, set()).update(step for step, _ in _validations(run))
    first_held = {key: _first_held(sorted(found)) for key, found in steps.items()}
    return [
        Checkpoint(
            run_id=run.row.run_id,
            series=labels[run.row.run_id],
            model=run.row.model,
            size=run.row.n_params_non_embedding,
            seed=run.row.seed,
            step=step,
            samples=samples_at(run.row, step),
            flops=flops_at(run.row, step),
            error=1 - accuracy,
            held_out=step >= first_held[labels[run.row.run_id], run.row.n_params_non_embedding],
        )
        for run in runs
        for step, accuracy in _validations(run)
    ]


def _validations(run: Run) -> list[tuple[int, float]]:
    return [(item.step, item.val_pass1) for item in run.row.curve if item.step > 0 and item.val_pass1 is not None]


def _first_held(steps: list[int]) -> float:
    if len(steps) < FEWEST_STEPS:
        return float("inf")
    return steps[len(steps) - max(1, round(HELD_SHARE * len(steps)))]
