"""A node of Ray's that is late on a busy machine is started again, and nothing else is."""

import pytest

from sweeper.host.errors import RunFailedError
from sweeper.training.train import RAY_IS_LATE, RAY_STARTS, started

LATE = f"exit code 1: Exception: {RAY_IS_LATE}. This could happen because some of the raylet failed to startup"


def verl(*failures: str) -> float:
    """What verl does, with one failure less at each start."""
    left = list(failures)

    def once() -> float:
        if left:
            raise RunFailedError(left.pop(0))
        return 7.0

    return started(once)


def test_verl_is_started_again_where_rays_node_was_late_and_the_log_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert verl(LATE, LATE) == 7.0
    assert capsys.readouterr().out.count("verl is started again") == 2


def test_a_node_that_stays_late_ends_the_run() -> None:
    with pytest.raises(RunFailedError, match=RAY_IS_LATE):
        verl(*[LATE] * RAY_STARTS)


def test_another_failure_ends_the_run_at_once() -> None:
    with pytest.raises(RunFailedError, match="out of memory"):
        verl("CUDA out of memory", LATE)
