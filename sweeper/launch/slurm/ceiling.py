"""One ceiling, of GPUs and of runs, over all arrays of a results folder.

SLURM bounds the active elements of one array (`%N`) and not those of several. So the arrays lie in lanes: each lane has
its part of the ceiling, and its arrays run one after another (`--dependency=afterany`), each as wide as the lane. What
was submitted before keeps its part; what no longer fits beside it waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from sweeper.spec.run import RunSpec


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What may be in use at once; inf: no bound."""

    gpus: float = inf  # raised to what the largest run takes
    runs: float = inf  # at least 1

    @classmethod
    def of(cls, specs: Sequence[RunSpec]) -> "Ceiling":
        """The lowest ceiling of some runs: those that are tried again may come of several launches."""
        clusters = [spec.cluster for spec in specs]
        return cls(
            min((cluster.max_gpus or inf for cluster in clusters), default=inf),
            min((cluster.max_parallel or inf for cluster in clusters), default=inf),
        )

    def __bool__(self) -> bool:
        return min(self.gpus, self.runs) < inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A lane of arrays in SLURM's queue, by the last of them."""

    job: int
    gpus: int  # that it may use
    rounds: float  # GPUs of all runs that have not ended, over `gpus`
    runs: float = inf  # that it may have active
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
    lane_runs: int | None = None  # runs that its lane may have active; None: as many as the GPUs hold
    after: tuple[Live | int, ...] = ()  # what must have ended: live lanes, and new arrays by their number

    @property
    def width(self) -> dict[str, int | None]:
        """All but what it waits for, as its array's file has it."""
        return {"at_once": self.at_once, "lane": self.lane, "lane_runs": self.lane_runs}


class _Lane:
    """A part of the ceiling, and the arrays that use it in turns."""

    def __init__(self, gpus: int, runs: float, tails: tuple[Live | int, ...], load: float) -> None:
        self.gpus = gpus
        self.runs = runs
        self.tails = tails  # what has to end before the next array begins
        self.load = load  # runs before the next array, for each that the lane holds at once
        self.is_held = any(isinstance(tail, Live) and tail.is_held for tail in tails)
        self.members: list[Wanted] = []

    def width(self, array: Wanted) -> int:
        """Runs of an array that may be active."""
        return int(min(array.runs, self.gpus // array.gpus, self.runs))

    def add(self, number: int, array: Wanted) -> None:
        self.members.append(array)
        self.tails = (number,)
        self.load += array.runs / (self.gpus // array.gpus)


def places(new: Sequence[Wanted], ceiling: Ceiling, live: Sequence[Live] = ()) -> list[Place]:
    """A place for each array, in its order; an array waits only for live lanes and for arrays before it.

    Args:
        new: To be submitted. Wide ones first use the ceiling best: what comes later fits into their lanes.
        ceiling: What may be in use; without bounds, nothing waits.
        live: The lanes in the queue.
    """
    if not ceiling:
        return [Place(at_once=array.runs, lane=array.runs * array.gpus) for array in new]
    ceiling = Ceiling(max([ceiling.gpus, *(array.gpus for array in new)]), ceiling.runs)
    # Without a bound on runs no lane has one.
    lanes = [_Lane(lane.gpus, lane.runs if ceiling.runs < inf else inf, (lane,), lane.rounds) for lane in live]
    found: list[tuple[_Lane, tuple[Live | int, ...]]] = []
    for number, array in enumerate(new):
        lane = _lane_for(array, lanes, ceiling)
        found.append((lane, lane.tails))
        lane.add(number, array)
    _widen(lanes, ceiling)
    return [
        Place(
            at_once=lane.width(array),
            lane=lane.gpus,
            lane_runs=None if lane.runs == inf else int(lane.runs),
            after=after,
        )
        for array, (lane, after) in zip(new, found, strict=True)
    ]


def _free(lanes: Sequence[_Lane], ceiling: Ceiling) -> tuple[float, float]:
    """GPUs and runs that no lane has."""
    runs = inf if ceiling.runs == inf else ceiling.runs - sum(lane.runs for lane in lanes)
    return ceiling.gpus - sum(lane.gpus for lane in lanes), runs


def _lane_for(array: Wanted, lanes: list[_Lane], ceiling: Ceiling) -> _Lane:
    usable = [lane for lane in lanes if not (array.is_awaited and lane.is_held)]
    gpus, runs = _free(usable, ceiling)
    if gpus >= array.gpus and runs >= 1:
        lanes.append(_Lane(array.gpus, 1 if ceiling.runs < inf else inf, (), 0.0))
        return lanes[-1]
    wide = [lane for lane in usable if lane.gpus >= array.gpus]
    if wide:
        return min(wide, key=lambda lane: lane.load)
    # No lane is wide enough: it takes the place of several.
    merged = [usable.pop()]
    while gpus + sum(lane.gpus for lane in merged) < array.gpus:
        merged.append(usable.pop())
    tails = tuple(tail for lane in merged for tail in lane.tails)
    lanes[:] = [lane for lane in lanes if lane not in merged]
    # All that they have, though it may need less: they use it until it begins.
    whole = max(array.gpus, sum(lane.gpus for lane in merged))
    lanes.append(_Lane(whole, sum(lane.runs for lane in merged), tails, max(lane.load for lane in merged)))
    return lanes[-1]


def _widen(lanes: Sequence[_Lane], ceiling: Ceiling) -> None:
    """Give what is left of the ceiling to the new lanes, the narrowest first, by one run at a time."""
    while growing := [
        (lane.gpus, number, more)
        for number, lane in enumerate(lanes)
        if lane.members and any(more := _growth(lane, *_free(lanes, ceiling)))
    ]:
        _, number, (gpus, runs) = min(growing)
        lanes[number].gpus += gpus
        lanes[number].runs += runs


def _growth(lane: _Lane, gpus: float, runs: float) -> tuple[int, int]:
    """GPUs and runs that one more run of a lane takes of those free; zeros: it has no use for them, or they are few."""
    if runs >= 1 and any(array.runs > lane.runs < lane.gpus // array.gpus for array in lane.members):
        return 0, 1
    step = max(array.gpus for array in lane.members)
    if step <= gpus and any(min(array.runs, lane.runs + runs) * array.gpus > lane.gpus for array in lane.members):
        return step, 0
    return 0, 0
