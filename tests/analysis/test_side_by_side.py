"""Independent work on several cores."""

import os
import re
from functools import partial

import pytest

from analysis.report.side_by_side import Failed, side_by_side


def _own_process(number: int) -> tuple[int, int]:
    return number, os.getpid()


def test_results_come_in_the_order_of_the_work_and_from_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    found = side_by_side([partial(_own_process, number) for number in range(20)])
    pairs = [pair for pair in found if not isinstance(pair, Failed)]
    assert [number for number, _ in pairs] == list(range(20))
    assert os.getpid() not in {process for _, process in pairs}


@pytest.mark.parametrize("cores", [{0}, {0, 1}])
def test_a_piece_that_fails_says_why_and_where_and_leaves_the_others_alone(
    cores: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: cores)
    found = side_by_side([partial(divmod, 1, 1), partial(divmod, 1, 0)])
    assert found[0] == (1, 0)
    assert isinstance(found[1], Failed)
    assert re.fullmatch(r"ZeroDivisionError: .* by zero \(side_by_side\.py:\d+\)", found[1].why)
