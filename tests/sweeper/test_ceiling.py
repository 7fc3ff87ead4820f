"""Arrays under one ceiling of GPUs, held against a SLURM that knows only throttles and dependencies."""

import random
from collections.abc import Sequence

import pytest

from sweeper.launch.slurm.ceiling import Live, Place, Wanted, places


def most_in_use(new: Sequence[Wanted], found: Sequence[Place], live: Sequence[tuple[Live, int]], seed: int) -> int:
    """GPUs in use at the worst moment, when every run that may start does, and runs end in any order.

    Args:
        new: Arrays.
        found: Their places.
        live: Arrays of before with the GPUs of one of their runs.
        seed: Of the order in which runs end.
    """
    left = [*(round(array.rounds * array.gpus / gpus) for array, gpus in live), *(array.runs for array in new)]
    gpus = [*(gpus for _, gpus in live), *(array.gpus for array in new)]
    width = [*(array.gpus // one for array, one in live), *(place.at_once for place in found)]
    lives = [lane for lane, _ in live]
    after = [[] for _ in live] + [
        [item + len(live) if isinstance(item, int) else lives.index(item) for item in place.after] for place in found
    ]
    active = [0] * len(left)
    most, rng = 0, random.Random(seed)
    while any(left) or any(active):
        for number in range(len(left)):
            if all(left[item] == active[item] == 0 for item in after[number]):
                start = min(left[number], width[number] - active[number])
                left[number] -= start
                active[number] += start
        most = max(most, sum(n * one for n, one in zip(active, gpus, strict=True)))
        running = [number for number, n in enumerate(active) if n]
        assert running, "nothing can start any more"
        active[rng.choice(running)] -= 1
    return most


@pytest.mark.parametrize("seed", range(200))
def test_no_order_of_ends_brings_more_gpus_into_use_than_the_ceiling(seed: int) -> None:
    rng = random.Random(seed)
    sizes = (1, 2, 4, 8, 16, 3)
    new = [Wanted(gpus=rng.choice(sizes), runs=rng.randint(1, 30)) for _ in range(rng.randint(1, 6))]
    new.sort(key=lambda array: -array.gpus)
    ceiling = max(rng.choice((1, 4, 7, 16, 40)), *(array.gpus for array in new))
    live, free = [], ceiling
    while rng.random() < 0.6 and free:
        one = rng.choice([size for size in sizes if size <= free])
        at_once = rng.randint(1, free // one)
        free -= one * at_once
        runs = at_once + rng.randint(0, 9)
        live.append((Live(job=len(live), gpus=one * at_once, rounds=runs / at_once), one))
    found = places(new, ceiling, [array for array, _ in live])
    assert most_in_use(new, found, live, seed) <= ceiling


def test_arrays_that_fit_side_by_side_share_the_ceiling_and_wait_for_nothing() -> None:
    found = places([Wanted(gpus=8, runs=9), Wanted(gpus=1, runs=100), Wanted(gpus=1, runs=3)], 32)
    assert [place.after for place in found] == [(), (), ()]
    assert [place.at_once for place in found] == [2, 13, 3]


def test_an_array_that_does_not_fit_beside_the_others_runs_after_one_of_them() -> None:
    found = places([Wanted(gpus=16, runs=2), Wanted(gpus=8, runs=4), Wanted(gpus=2, runs=9)], 16)
    assert [(place.at_once, place.after) for place in found] == [(1, ()), (2, (0,)), (8, (1,))]


def test_a_second_submission_takes_what_the_first_left_of_the_ceiling() -> None:
    first = Live(job=7, gpus=6, rounds=3.0)
    assert places([Wanted(gpus=2, runs=9)], 8, [first]) == [Place(at_once=1, lane=2)]
    assert places([Wanted(gpus=4, runs=9)], 8, [first]) == [Place(at_once=1, lane=6, after=(first,))]
    assert places([Wanted(gpus=2, runs=9)], 6, [first]) == [Place(at_once=3, lane=6, after=(first,))]


def test_a_wide_array_waits_for_as_many_narrow_ones_as_it_needs() -> None:
    live = [Live(job=job, gpus=2, rounds=1.0) for job in (1, 2, 3)]
    (place,) = places([Wanted(gpus=4, runs=1)], 6, live)
    assert place.at_once == 1
    assert len(place.after) == 2


def test_a_canary_never_waits_for_the_runs_that_it_holds() -> None:
    held = Live(job=7, gpus=4, rounds=3.0, is_held=True)
    assert places([Wanted(gpus=4, runs=1, is_awaited=True)], 4, [held]) == [Place(at_once=1, lane=4)]
    assert places([Wanted(gpus=4, runs=1)], 4, [held]) == [Place(at_once=1, lane=4, after=(held,))]


def test_without_a_ceiling_all_runs_may_be_active() -> None:
    live = [Live(job=7, gpus=6, rounds=3.0)]
    assert places([Wanted(gpus=8, runs=100)], None, live) == [Place(at_once=100, lane=800)]
