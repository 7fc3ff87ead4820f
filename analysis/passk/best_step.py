"""The best checkpoint of a run: chosen on one half of the problems, reported on the other.

The largest of several noisy numbers is too large on the problems that it was chosen by. On the other half nothing was
chosen, so that pass@1 there is unbiased for the step that was.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.laws.student import LEVEL, Interval
from analysis.passk.interval import of_difference, over_problems

Floats = NDArray[np.float64]
HOW = "chosen by pass@1 on one half of the problems (by a hash of their ids), reported on the other half"


@dataclass(frozen=True, slots=True, kw_only=True)
class BestStep:
    """The step with the largest pass@1 on the choosing half, the earliest of equal ones.

    Attributes:
        step: The step.
        of: Steps that it was chosen from; the base model is none of them.
        chosen_on: Problems by which it was chosen.
        reported_on: The others.
        value: Its pass@1 on the others, mean over runs.
        interval: Of it, over problems and runs.
        last: pass@1 of the last step on the others.
        gain: Its pass@1 minus that of the last step, on the others; 0 where it is the last.
        gain_interval: Of it, paired over problems; None: it is the last step.
    """

    step: int
    of: int
    chosen_on: int
    reported_on: int
    value: float
    interval: Interval
    last: float
    gain: float
    gain_interval: Interval | None


def chooses(problem_id: str) -> bool:
    """Whether a problem is in the half by which a step is chosen: the same for every run that has it."""
    return hashlib.sha256(problem_id.encode()).digest()[0] % 2 == 0


def best_step(problem_ids: Sequence[str], steps: Mapping[int, Floats], *, level: float = LEVEL) -> BestStep | str:
    """The best step, or why none can be told.

    Args:
        problem_ids: Of the columns.
        steps: pass@1 after each step, runs x problems, in [0, 1]; the largest step is the last.
        level: Coverage of the intervals.
    """
    choosing = np.array([chooses(name) for name in problem_ids], dtype=np.bool_)
    if len(steps) < 2:
        return "pass@1 was measured after one step alone"
    if not choosing.any() or choosing.all():
        return f"{len(problem_ids)} problems do not fall into two halves"
    best = max(sorted(steps), key=lambda step: float(steps[step][:, choosing].mean()))
    last = max(steps)
    here, there = steps[best][:, ~choosing], steps[last][:, ~choosing]
    return BestStep(
        step=best,
        of=len(steps),
        chosen_on=int(choosing.sum()),
        reported_on=int((~choosing).sum()),
        value=float(here.mean()),
        interval=over_problems(here, level=level),
        last=float(there.mean()),
        gain=float((here - there).mean()),
        gain_interval=None if best == last else of_difference(here - there, level=level),
    )
