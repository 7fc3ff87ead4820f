"""verl's checkpoints: the one file that knows how they lie on disk.

    <folder>/                                verl's `trainer.default_local_dir`
      latest_checkpointed_iteration.txt      step of the last whole checkpoint
      global_step_<N>/actor/huggingface/     weights of the policy after step N, in Hugging Face's format
      global_step_<N>/actor/merged/          ours: the same with low-rank adapters merged in (`sweeper.training.lora`)
      global_step_<N>/huggingface/           weights that the trainer of fine-tuning saves

verl 0.9.1: `trainer/ppo/v1/trainer_base.py` (`_save_checkpoint`) and `utils/checkpoint/`.
"""

from pathlib import Path

from sweeper.host.files import write_atomic

_STEP = "global_step_"


def trained_steps(folder: Path) -> int:
    """Training steps in the last complete checkpoint; 0 without one."""
    marker = _marker(folder)
    if not marker.exists():
        return 0
    # verl truncates the marker and then writes it, after the whole checkpoint: an empty one names the newest.
    text = marker.read_text().strip()
    return int(text) if text else max(_saved_steps(folder), default=0)


def rewind(folder: Path, logged: int) -> None:
    """Resume from a checkpoint no later than step `logged`, the last one whose metrics are on file.

    verl saves step N before it logs it: a kill between the two would lose that step's metrics for good.
    """
    steps = trained_steps(folder)
    if steps <= logged:
        if steps:
            write_atomic(_marker(folder), str(steps))  # killed while writing it, verl left it empty
        return
    # Older than the newest, hence complete.
    kept = [step for step in _saved_steps(folder) if step <= logged]
    if kept:
        write_atomic(_marker(folder), str(max(kept)))
    else:
        _marker(folder).unlink()


def at(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step is, or would be."""
    return folder / f"{_STEP}{step}"


def saved(folder: Path) -> list[Path]:
    """Every checkpoint there is, whole or not, by name."""
    return sorted(folder.glob(f"{_STEP}*"))


def policy(folder: Path, step: int) -> Path:
    """What verl saves of the policy after a step, beside what it saves of the critic and the data loader."""
    return at(folder, step) / "actor"


def weights(place: Path) -> Path:
    """The weights in Hugging Face's format.

    Args:
        place: A `policy`, or a checkpoint of fine-tuning.
    """
    return place / "huggingface"


def merged_weights(place: Path) -> Path:
    """Where the weights of a `policy` trained by low-rank adapters lie once these are merged in."""
    return place / "merged"


def _marker(folder: Path) -> Path:
    return folder / "latest_checkpointed_iteration.txt"


def _saved_steps(folder: Path) -> list[int]:
    return [int(path.name.removeprefix(_STEP)) for path in saved(folder)]
