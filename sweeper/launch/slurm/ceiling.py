"""One ceiling of GPUs over all arrays of a results folder.

SLURM bounds the active elements of one array (`%N`) and not those of several. So the arrays lie in lanes: each lane has
its part of the ceiling, and its arrays run one after another (`--dependency=afterany`), each as wide as the lane. What
was submitted before keeps its part; what no longer fits beside it waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A lane of arrays in SLURM's queue, by the last of them."""

    job: int
    gpus: int  # that it may use
    rounds: float  # GPUs of all runs that have not ended, over `gpus`
    is_held: bool = False  # one of its arrays waits for a canary


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An array that is to be submitted."""

    gpus: int  # of one run
    runs: int
    is_awaited: bool = False  # a canary is in it: it must not wait for what waits for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an array goes."""

    at_once: int  # runs that may be active, at least 1
    lane: int  # GPUs of its lane
    after: tuple[Live | int, ...] = ()  # what must have ended: live lanes, and new arrays by their number


class _Lane:
    """A part of the ceiling, and the arrays that use it in turns."""

    def __init__(self, gpus: int, tails: tuple[Live | int, ...], load: float) -> None:
        self.gpus = gpus
        self.tails = tails  # what has to end before the next array begins
        self.load = load  # runs before the next array, for each that the lane holds at once
        self.is_held = any(isinstance(tail, Live) and tail.is_held for tail in tails)
        self.members: list[Wanted] = []

    def add(self, number: int, array: Wanted) -> None:
        self.members.append(array)
        self.tails = (number,)
        self.load += array.runs / (self.gpus // array.gpus)


def places(new: Sequence[Wanted], ceiling: int | None, live: Sequence[Live] = ()) -> list[Place]:
    """A place for each array, in its order; an array waits only for live lanes and for arrays before it.

    Args:
        new: To be submitted. Wide ones first use the ceiling best: what comes later fits into their lanes.
        ceiling: GPUs that may be in use, raised to what the largest run takes; None: no bound, nothing waits.
        live: The lanes in the queue.
    """
    if ceiling is None:
        return [Place(at_once=array.runs, lane=array.runs * array.gpus) for array in new]
    ceiling = max([ceiling, *(array.gpus for array in new)])
    lanes = [_Lane(lane.gpus, (lane,), lane.rounds) for lane in live]
    found: list[tuple[_Lane, tuple[Live | int, ...]]] = []
    for number, array in enumerate(new):
        lane = _lane_for(array, lanes, ceiling)
        found.append((lane, lane.tails))
        lane.add(number, array)
    _widen(lanes, ceiling)
    return [
        Place(at_once=min(array.runs, lane.gpus // array.gpus), lane=lane.gpus, after=after)
        for array, (lane, after) in zip(new, found, strict=True)
    ]


def _lane_for(array: Wanted, lanes: list[_Lane], ceiling: int) -> _Lane:
    usable = [lane for lane in lanes if not (array.is_awaited and lane.is_held)]
    free = ceiling - sum(lane.gpus for lane in usable)
    if free >= array.gpus:
        lanes.append(_Lane(array.gpus, (), 0.0))
        return lanes[-1]
    wide = [lane for lane in usable if lane.gpus >= array.gpus]
    if wide:
        return min(wide, key=lambda lane: lane.load)
    # No lane is wide enough: it takes the place of several.
    merged: list[_Lane] = []
    while free + sum(lane.gpus for lane in merged) < array.gpus:
        merged.append(usable.pop())
    tails = tuple(tail for lane in merged for tail in lane.tails)
    lanes[:] = [lane for lane in lanes if lane not in merged]
    # All that they have, though it may need less: they use it until it begins.
    gpus = max(array.gpus, sum(lane.gpus for lane in merged))
    lanes.append(_Lane(gpus, tails, max(lane.load for lane in merged)))
    return lanes[-1]


def _widen(lanes: Sequence[_Lane], ceiling: int) -> None:
    """Give what is left of the ceiling to the new lanes, the narrowest first, by one run at a time."""
    free = ceiling - sum(lane.gpus for lane in lanes)
    while True:
        growing = [
            (lane.gpus, number, step)
            for number, lane in enumerate(lanes)
            if lane.members
            and (step := max(array.gpus for array in lane.members)) <= free
            and any(array.runs * array.gpus > lane.gpus for array in lane.members)
        ]
        if not growing:
            return
        _, number, step = min(growing)
        lanes[number].gpus += step
        free -= step
