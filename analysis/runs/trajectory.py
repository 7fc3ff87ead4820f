"""Validation curves of runs as rows of a law: error against steps, samples or FLOPs, one run a curve.

Step 0 is the base model; no law in log x can hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analysis.laws.sample import Sample
from analysis.runs.selection import Run
from analysis.runs.spent import flops_at, samples_at

Floats = NDArray[np.float64]


class Progress(StrEnum):
    """What a curve is a function of."""

    steps = "training steps"
    samples = "training samples (responses)"
    flops = "training FLOPs, all phases, without evaluation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Validation of one run after step 0; x ascending and positive, error = 1 - pass@1."""

    run: Run
    x: Floats
    error: Floats
    at_start: float | None  # pass@1 at step 0


def curve_of(run: Run, progress: Progress) -> Curve | str:
    """The curve of a run, or why it has none."""
    row = run.row
    points = sorted(row.curve, key=lambda point: point.step)
    measured = [point for point in points if point.val_pass1 is not None and point.step > 0]
    if not measured:
        return f"{row.run_id} has no validation after step 0"
    if progress is Progress.steps:
        x: list[float | None] = [float(point.step) for point in measured]
    else:
        at = samples_at if progress is Progress.samples else flops_at
        x = [at(row, point.step) for point in measured]
    known = [value for value in x if value is not None]
    if len(known) < len(x):
        return f"{row.run_id} does not say its {progress}"
    start = next((point.val_pass1 for point in points if point.step == 0 and point.val_pass1 is not None), None)
    error = np.array([1 - (point.val_pass1 or 0.0) for point in measured])
    return Curve(run=run, x=np.array(known), error=error, at_start=start)


def curves_of(runs: Sequence[Run], progress: Progress, notes: list[str]) -> list[Curve]:
    """The curves there are; why others are not is added to the notes."""
    found = []
    for run in runs:
        curve = curve_of(run, progress)
        if isinstance(curve, str):
            notes.append(curve)
        else:
            found.append(curve)
    return found


def rows_of(curves: Sequence[Curve], groups: Sequence[str], sizes: Sequence[float]) -> Sample:
    """Curves as rows of a law, each in its group (an arm, a size) with its model size."""
    lengths = [len(curve.x) for curve in curves]
    return Sample(
        columns={
            "x": np.concatenate([curve.x for curve in curves]),
            "n": np.repeat(np.asarray(sizes, dtype=np.float64), lengths),
        },
        y=np.concatenate([curve.error for curve in curves]),
        group=tuple(label for label, n in zip(groups, lengths, strict=True) for _ in range(n)),
        run=tuple(curve.run.row.run_id for curve in curves for _ in range(len(curve.x))),
    )
