"""No program passes without computing the answer, whatever it does to the interpreter that it runs in."""

import time

import pytest

from rewards import Outcome, compute_score
from tests.rewards.code_cases import Case
from tests.rewards.code_cheats import CHEATS

# Of a hang: limits are CPU seconds, which take longer on a busy machine.
_LONGEST_S = 90.0


@pytest.mark.parametrize("case", CHEATS, ids=lambda case: str(case.name))
def test_a_cheat_does_not_pass(case: Case) -> None:
    start = time.monotonic()
    scored = compute_score(case.source, case.response, case.gold, {"prefix": case.prefix})
    assert scored["outcome"] in (Outcome.WRONG, Outcome.TIMEOUT, Outcome.NO_ANSWER)
    assert time.monotonic() - start < _LONGEST_S


def test_the_table_of_cheats_is_not_thinned_out() -> None:
    assert len(CHEATS) > 320


def test_no_cheat_stands_twice() -> None:
    assert len({case.name for case in CHEATS}) == len(CHEATS)
    assert len({(" ".join(case.response.split()), case.gold, case.prefix) for case in CHEATS}) == len(CHEATS)
