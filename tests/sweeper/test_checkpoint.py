from pathlib import Path

import pytest

import sweeper
from sweeper.training.checkpoint import rewind, saved, trained_steps


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


def test_what_an_earlier_process_of_verl_left_is_gone_after_a_requeue(tmp_path: Path) -> None:
    for step in (5, 10):
        (tmp_path / f"global_step_{step}" / "actor").mkdir(parents=True)
    (tmp_path / "latest_checkpointed_iteration.txt").write_text("10")
    rewind(tmp_path, 12)
    assert [path.name for path in saved(tmp_path)] == ["global_step_10", "global_step_5"]
    # The next process writes two and is killed in the third: verl has counted its own alone.
    for step in (15, 20, 25):
        (tmp_path / f"global_step_{step}").mkdir()
    (tmp_path / "latest_checkpointed_iteration.txt").write_text("20")
    rewind(tmp_path, 24)
    assert [path.name for path in saved(tmp_path)] == ["global_step_15", "global_step_20", "global_step_25"]


def test_checkpoints_stay_where_nothing_that_was_logged_can_be_resumed_from(tmp_path: Path) -> None:
    (tmp_path / "global_step_5").mkdir()
    (tmp_path / "latest_checkpointed_iteration.txt").write_text("5")
    rewind(tmp_path, 0)
    assert trained_steps(tmp_path) == 0
    assert len(saved(tmp_path)) == 1


def test_verl_writes_plain_weights_in_the_type_they_are_trained_in(tmp_path: Path) -> None:
    """`FSDPCheckpointManager` makes an empty model in bfloat16 and saves the float32 state with it."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, Qwen2Config

    shape = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Qwen2Config(vocab_size=16, num_key_value_heads=1, tie_word_embeddings=False, **shape)
    trained = AutoModelForCausalLM.from_config(config, dtype=torch.float32).state_dict()
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(tmp_path, state_dict=trained)
    assert {value.dtype for value in load_file(tmp_path / "model.safetensors").values()} == {torch.float32}


def test_one_file_knows_how_verl_lays_out_its_checkpoints() -> None:
    root = Path(sweeper.__file__).parent
    names = ("global_step_", "latest_checkpointed_iteration", '"huggingface"')
    knowing = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if any(name in path.read_text() for name in names)
    }
    assert knowing == {"training/checkpoint.py"}
