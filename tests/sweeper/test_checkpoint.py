from pathlib import Path

import pytest

import sweeper
from sweeper.training.checkpoint import rewind, trained_steps


def test_trained_steps_are_those_of_the_last_complete_checkpoint(tmp_path: Path) -> None:
    assert trained_steps(tmp_path) == 0
    (tmp_path / "global_step_4").mkdir(parents=True)
    assert trained_steps(tmp_path) == 0
    (tmp_path / "latest_checkpointed_iteration.txt").write_text("4")
    assert trained_steps(tmp_path) == 4


def test_a_marker_that_verl_was_killed_while_writing_names_the_newest_checkpoint(tmp_path: Path) -> None:
    for step in (9, 10):
        (tmp_path / f"global_step_{step}").mkdir(parents=True)
    marker = tmp_path / "latest_checkpointed_iteration.txt"
    marker.write_text("")
    assert trained_steps(tmp_path) == 10
    rewind(tmp_path, 10)
    assert marker.read_text() == "10"
    marker.write_text("")
    rewind(tmp_path, 9)
    assert trained_steps(tmp_path) == 9


@pytest.mark.parametrize(("logged", "resumes_from"), [(6, 6), (5, 4), (4, 4), (3, 0)])
def test_a_checkpoint_whose_step_was_never_logged_is_not_resumed_from(
    tmp_path: Path, logged: int, resumes_from: int
) -> None:
    for step in (4, 6):
        (tmp_path / f"global_step_{step}").mkdir(parents=True)
    (tmp_path / "latest_checkpointed_iteration.txt").write_text("6")
    rewind(tmp_path, logged)
    assert trained_steps(tmp_path) == resumes_from


def test_one_file_knows_how_verl_lays_out_its_checkpoints() -> None:
    root = Path(sweeper.__file__).parent
    names = ("global_step_", "latest_checkpointed_iteration", '"huggingface"')
    knowing = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if any(name in path.read_text() for name in names)
    }
    assert knowing == {"training/checkpoint.py"}
