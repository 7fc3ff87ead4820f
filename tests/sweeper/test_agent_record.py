"""Records of trajectories and what they add up to."""

import pytest

from sweeper.agent.record import Record, trajectories
from sweeper.rows.trajectories import Ended, Trajectories
from sweeper.rows.trajectory_metrics import from_metrics, metrics


def record(turns: int, calls: int, ended: Ended = Ended.answered) -> Record:
    return Record(
        answer="7" if ended is Ended.answered else "",
        ended=ended,
        turns=turns,
        calls=calls,
        errors=calls // 2,
        refused=0,
        generated=10 * turns,
        observed=3 * calls,
        prefilled_again=20 * (turns - 1),
        tool_cpu_s=0.5 * calls,
    )


def summed() -> Trajectories:
    records = [record(1, 0), record(2, 1), record(3, 2, Ended.turn_limit), record(2, 1)]
    found = trajectories(records, [True, True, False, False], max_turns=4)
    assert found is not None
    return found


def test_records_add_up_and_an_answer_counts_from_its_turn_on() -> None:
    found = summed()
    assert (found.n, found.turns, found.calls, found.used_a_tool) == (4, 8, 4, 3)
    assert found.correct_at_turns == (1, 2, 2, 2)
    assert found.ended == {"answered": 3, "turn_limit": 1}


def test_no_records_add_up_to_nothing() -> None:
    assert trajectories([]) is None


def test_verdicts_that_are_not_one_per_record_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        trajectories([record(1, 0), record(1, 0)], [True])


def test_a_record_comes_back_from_its_plain_values() -> None:
    assert Record.of(record(2, 1).plain()) == record(2, 1)
    assert type(record(2, 1).plain()["ended"]) is str


def test_trajectories_come_back_from_the_metrics_of_a_step_and_a_step_without_an_agent_has_none() -> None:
    found = summed()
    logged = metrics(found)
    assert from_metrics(logged) == Trajectories.total(
        [
            Trajectories(
                **{name: getattr(found, name) for name in found.__dataclass_fields__ if name != "correct_at_turns"}
            )
        ]
    )
    assert logged["agent/turns_mean"] == 2.0
    assert logged["agent/sum/ended/call_limit"] == 0.0
    assert from_metrics({"critic/score/mean": 0.5}) is None
