"""Arrays under one ceiling of GPUs and runs, held against a SLURM that knows only throttles and dependencies."""

import random
from collections.abc import Sequence
from math import inf

import pytest

from sweeper.launch.slurm.ceiling import Ceiling, Live, Place, Wanted, places


def most_in_use(
    new: Sequence[Wanted], found: Sequence[Place], live: Sequence[tuple[Live, int]], seed: int
) -> tuple[int, int]:
    """GPUs and runs in use at the worst moment, when every run that may start does, and runs end in any order.

    Args:
        new: Arrays.
        found: Their places.
        live: Arrays of before with the GPUs of one of their runs.
        seed: Of the order in which runs end.
    """
    left = [*(round(array.rounds * array.gpus / gpus) for array, gpus in live), *(array.runs for array in new)]
    gpus = [*(gpus for _, gpus in live), *(array.gpus for array in new)]
    width = [*(int(min(array.gpus // one, array.runs)) for array, one in live), *(place.at_once for place in found)]
    lives = [lane for lane, _ in live]
    after = [[] for _ in live] + [
        [item + len(live) if isinstance(item, int) else lives.index(item) for item in place.after] for place in found
    ]
    active = [0] * len(left)
    most, most_runs, rng = 0, 0, random.Random(seed)
    while any(left) or any(active):
        for number in range(len(left)):
            if all(left[item] == active[item] == 0 for item in after[number]):
                start = min(left[number], width[number] - active[number])
                left[number] -= start
                active[number] += start
        most = max(most, sum(n * one for n, one in zip(active, gpus, strict=True)))
        most_runs = max(most_runs, sum(active))
        running = [number for number, n in enumerate(active) if n]
        assert running, "nothing can start any more"
        active[rng.choice(running)] -= 1
    return most, most_runs


@pytest.mark.parametrize("seed", range(200))
def test_no_order_of_ends_brings_more_gpus_or_runs_into_use_than_the_ceiling(seed: int) -> None:
    rng = random.Random(seed)
    most_runs = rng.choice((inf, 1, 3, 12))
    sizes = (1, 2, 4, 8, 16, 3)
    new = [Wanted(gpus=rng.choice(sizes), runs=rng.randint(1, 30)) for _ in range(rng.randint(1, 6))]
    new.sort(key=lambda array: -array.gpus)
    ceiling = max(rng.choice((1, 4, 7, 16, 40)), *(array.gpus for array in new))
    live, free, slots = [], ceiling, most_runs
    while rng.random() < 0.6 and free and slots >= 1:
        one = rng.choice([size for size in sizes if size <= free])
        at_once = rng.randint(1, int(min(free // one, slots)))
        free, slots = free - one * at_once, slots - at_once
        runs = at_once + rng.randint(0, 9)
        live.append((Live(job=len(live), gpus=one * at_once, runs=at_once, rounds=runs / at_once), one))
    found = places(new, Ceiling(ceiling, most_runs), [array for array, _ in live])
    gpus, runs = most_in_use(new, found, live, seed)
    assert gpus <= ceiling
    assert runs <= most_runs
    # What is free is given away: no array is narrower than it could be.
    if len(new) == 1 and not live:
        assert found[0].at_once == min(new[0].runs, ceiling // new[0].gpus, most_runs)


def test_arrays_that_fit_side_by_side_share_the_ceiling_and_wait_for_nothing() -> None:
    found = places([Wanted(gpus=8, runs=9), Wanted(gpus=1, runs=100), Wanted(gpus=1, runs=3)], Ceiling(32))
    assert [place.after for place in found] == [(), (), ()]
    assert [place.at_once for place in found] == [2, 13, 3]


def test_an_array_that_does_not_fit_beside_the_others_runs_after_one_of_them() -> None:
    found = places([Wanted(gpus=16, runs=2), Wanted(gpus=8, runs=4), Wanted(gpus=2, runs=9)], Ceiling(16))
    assert [(place.at_once, place.after) for place in found] == [(1, ()), (2, (0,)), (8, (1,))]


def test_a_second_submission_takes_what_the_first_left_of_the_ceiling() -> None:
    first = Live(job=7, gpus=6, rounds=3.0)
    assert places([Wanted(gpus=2, runs=9)], Ceiling(8), [first]) == [Place(at_once=1, lane=2)]
    assert places([Wanted(gpus=4, runs=9)], Ceiling(8), [first]) == [Place(at_once=1, lane=6, after=(first,))]
    assert places([Wanted(gpus=2, runs=9)], Ceiling(6), [first]) == [Place(at_once=3, lane=6, after=(first,))]


def test_a_wide_array_waits_for_as_many_narrow_ones_as_it_needs() -> None:
    live = [Live(job=job, gpus=2, rounds=1.0) for job in (1, 2, 3)]
    (place,) = places([Wanted(gpus=4, runs=1)], Ceiling(6), live)
    assert place.at_once == 1
    assert len(place.after) == 2


def test_a_canary_never_waits_for_the_runs_that_it_holds() -> None:
    held = Live(job=7, gpus=4, rounds=3.0, is_held=True)
    assert places([Wanted(gpus=4, runs=1, is_awaited=True)], Ceiling(4), [held]) == [Place(at_once=1, lane=4)]
    assert places([Wanted(gpus=4, runs=1)], Ceiling(4), [held]) == [Place(at_once=1, lane=4, after=(held,))]


def test_runs_at_once_are_held_whatever_gpus_there_are() -> None:
    found = places([Wanted(gpus=8, runs=9), Wanted(gpus=1, runs=100)], Ceiling(runs=4))
    assert [(place.at_once, place.after) for place in found] == [(1, ()), (3, ())]
    (alone,) = places([Wanted(gpus=1, runs=3)], Ceiling(runs=1))
    assert alone == Place(at_once=1, lane=1, lane_runs=1)
    assert places([Wanted(gpus=1, runs=3)], Ceiling(runs=1), [Live(job=7, gpus=1, runs=1, rounds=2.0)])[0].after


def test_without_a_ceiling_all_runs_may_be_active() -> None:
    live = [Live(job=7, gpus=6, rounds=3.0)]
    assert places([Wanted(gpus=8, runs=100)], Ceiling(), live) == [Place(at_once=100, lane=800)]
