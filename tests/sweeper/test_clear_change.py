import pytest
from scipy.stats import norm

from sweeper.rows.clear_change import LEVEL, clear_changes
from sweeper.rows.passk import Count


def test_a_change_is_clear_at_the_level_of_all_problems_together() -> None:
    before = [Count(128, 40), Count(128, 64), Count(128, 64), Count(128, 0), Count(128, 128)]
    after = [Count(128, 80), Count(128, 60), Count(128, 20), Count(128, 0), Count(128, 128)]
    assert clear_changes(before, after) == [1, 0, -1, 0, 0]
    # 4 of 8 against 0 of 8 is clear alone, and not among five hundred problems.
    alone, many = [Count(8, 0)], [Count(8, 0)] * 499
    assert clear_changes(alone, [Count(8, 4)]) == [1]
    assert clear_changes(alone + many, [Count(8, 4), *many]) == [0] * 500


@pytest.mark.parametrize("c", range(64, 90))
def test_alone_it_is_the_z_test_of_two_proportions(c: int) -> None:
    shared = (64 + c) / 256
    z = (c - 64) / 128 / (shared * (1 - shared) / 64) ** 0.5
    assert clear_changes([Count(128, 64)], [Count(128, c)]) == [int(2 * norm.sf(abs(z)) <= LEVEL)]
