import multiprocessing
from pathlib import Path

import pytest

from sweeper.evaluation.dealing import Deal


def deal(folder: Path, left: int, workers: int, total: int | None = None) -> Deal:
    places = tuple(range(left))
    return Deal.begin(
        folder / "counts.a.deal", settings="said", left=places, total=left if total is None else total, workers=workers
    )


def _take_all(path: Path, taken: "multiprocessing.SimpleQueue[tuple[int, ...]]") -> None:
    mine: list[int] = []
    while places := Deal.read(path).take(3):
        mine += places
    taken.put(tuple(mine))


def test_processes_that_take_at_once_get_every_problem_once(tmp_path: Path) -> None:
    dealt = deal(tmp_path, 1000, workers=4)
    context = multiprocessing.get_context("fork")
    taken = context.SimpleQueue()
    processes = [context.Process(target=_take_all, args=(dealt.path, taken)) for _ in range(4)]
    for process in processes:
        process.start()
    parts = [taken.get() for _ in processes]
    for process in processes:
        process.join()
    assert sorted(place for part in parts for place in part) == list(range(1000))


def test_the_last_problems_are_dealt_in_ever_smaller_lots_so_that_all_end_together(tmp_path: Path) -> None:
    dealt = deal(tmp_path, 16, workers=2)
    lots = []
    while lot := dealt.take(100):
        lots.append(len(lot))
    assert lots == [4, 3, 3, 2, 1, 1, 1, 1]


def test_one_process_alone_gets_as_many_as_it_has_room_for(tmp_path: Path) -> None:
    dealt = deal(tmp_path, 5, workers=1)
    assert [dealt.take(3), dealt.take(3), dealt.take(3)] == [(0, 1, 2), (3, 4), ()]


def test_what_an_earlier_start_measured_counts_as_measured(tmp_path: Path) -> None:
    dealt = deal(tmp_path, 3, workers=1, total=10)
    assert dealt.finish(2) == 9
    assert Deal.read(dealt.path).finish(1) == 10


def test_a_deal_that_is_gone_deals_nothing_more(tmp_path: Path) -> None:
    dealt = deal(tmp_path, 3, workers=1)
    dealt.path.unlink()
    assert dealt.take(1) == ()
    with pytest.raises(FileNotFoundError):
        Deal.read(dealt.path)
