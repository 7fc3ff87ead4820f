import json
from pathlib import Path

from sweeper.rows.curve import read_curve
from sweeper.rows.trajectories import Trajectories
from sweeper.rows.trajectory_metrics import metrics as of_trajectories


def metrics(path: Path, *records: tuple[int, dict[str, float]], torn: str = "") -> Path:
    path.write_text("".join(json.dumps({"step": step, "data": data}) + "\n" for step, data in records) + torn)
    return path


def test_a_step_that_a_resumed_attempt_repeats_is_counted_once_from_the_later(tmp_path: Path) -> None:
    first = metrics(tmp_path / "1", *((step, {"critic/score/mean": 0.1}) for step in (1, 2, 3)))
    second = metrics(tmp_path / "2", *((step, {"critic/score/mean": 0.9}) for step in (3, 4)))
    curve = read_curve([first, second])
    assert [point.step for point in curve] == [1, 2, 3, 4]
    assert [point.reward for point in curve] == [0.1, 0.1, 0.9, 0.9]


def test_steps_of_an_abandoned_attempt_beyond_a_later_one_are_left_out(tmp_path: Path) -> None:
    def trained(reward: float, *steps: int) -> list[tuple[int, dict[str, float]]]:
        return [(step, {"critic/score/mean": reward}) for step in steps]

    validated = (3, {"val-core/math/acc/mean@1": 0.5})
    first = metrics(tmp_path / "1", *trained(0.1, 1, 2, 3, 4, 5, 6))
    second = metrics(tmp_path / "2", validated, *trained(0.2, 4))
    curve = read_curve([first, second])
    assert [(point.step, point.reward, point.val_pass1) for point in curve] == [
        (1, 0.1, None),
        (2, 0.1, None),
        (3, 0.1, 0.5),
        (4, 0.2, None),
    ]
    without_validation = metrics(tmp_path / "3", *trained(0.2, 4))
    assert [point.reward for point in read_curve([first, without_validation])] == [0.1, 0.1, 0.1, 0.2]
    only_validated = metrics(tmp_path / "4", validated)
    assert [point.step for point in read_curve([first, only_validated])] == [1, 2, 3]
    started_over = metrics(tmp_path / "5", (0, {"val-core/math/acc/mean@1": 0.5}))
    assert [point.step for point in read_curve([first, started_over])] == [0]
    died_at_once = metrics(tmp_path / "6", torn='{"st')
    assert len(read_curve([first, died_at_once])) == 6


def test_a_torn_last_line_is_ignored(tmp_path: Path) -> None:
    whole = json.dumps({"step": 3, "data": {"critic/score/mean": 0.3}})
    for length in range(len(whole)):
        path = metrics(tmp_path / "m", (1, {"critic/score/mean": 0.1}), torn=whole[:length])
        assert [point.step for point in read_curve([path])] == [1]


def test_an_attempt_that_never_trained_has_no_points(tmp_path: Path) -> None:
    assert read_curve([tmp_path / "absent"]) == []


def test_validation_before_training_is_a_point_without_a_reward(tmp_path: Path) -> None:
    path = metrics(tmp_path / "m", (0, {"val-core/math/acc/mean@1": 0.25, "val-core/logic/acc/mean@1": 0.75}))
    [point] = read_curve([path])
    assert point.reward is None
    assert point.val_pass1 == 0.5


def test_what_a_step_did_not_measure_is_none(tmp_path: Path) -> None:
    [point] = read_curve([metrics(tmp_path / "m", (1, {"critic/score/mean": 0.1}))])
    assert (point.val_pass1, point.entropy, point.kl, point.tokens, point.seconds) == (None,) * 5


def test_other_validation_figures_are_not_taken_for_accuracy(tmp_path: Path) -> None:
    data = {"val-core/math/reward/mean@1": 0.9, "val-core/math/acc/best@4/mean": 0.8, "val-aux/math/acc/mean@1": 0.7}
    [point] = read_curve([metrics(tmp_path / "m", (1, data))])
    assert point.val_pass1 is None


def test_the_kl_is_that_to_the_reference_and_not_to_the_rollout_policy(tmp_path: Path) -> None:
    loss, penalty = {"actor/kl_loss": 0.2}, {"actor/reward_kl_penalty": 0.3}
    rollout = {"actor/ppo_kl": 0.1}
    path = metrics(tmp_path / "m", (1, rollout | loss), (2, rollout | penalty), (3, rollout))
    assert [point.kl for point in read_curve([path])] == [0.2, 0.3, None]


def test_a_step_of_an_agent_says_what_its_trajectories_did(tmp_path: Path) -> None:
    acted = Trajectories(
        n=4,
        turns=9,
        calls=5,
        errors=1,
        refused=0,
        used_a_tool=3,
        generated_tokens=80,
        observed_tokens=30,
        prefilled_again_tokens=55,
        tool_cpu_s=0.25,
        ended={"answered": 3, "turn_limit": 1},
    )
    trained = {"critic/score/mean": 0.1}
    path = metrics(tmp_path / "m", (1, trained | of_trajectories(acted)), (2, trained))
    assert [point.trajectories for point in read_curve([path])] == [acted, None]
