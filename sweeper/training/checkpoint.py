"""verl's checkpoints: the one file that knows how they lie on disk.

    <folder>/                                verl's `trainer.default_local_dir`
      latest_checkpointed_iteration.txt      step of the last whole checkpoint
      global_step_<N>/actor/huggingface/     weights of the policy after step N, in Hugging Face's format
      global_step_<N>/actor/merged/          ours: the same with low-rank adapters merged in (`sweeper.training.lora`)
      global_step_<N>/huggingface/           weights that the trainer of fine-tuning saves
      weights_of_step_<N>/actor/             ours: what an evaluation reads of a checkpoint that nobody resumes from

verl 0.9.1: `trainer/ppo/v1/trainer_base.py` (`_save_checkpoint`) and `utils/checkpoint/`. What is saved is one setting
of the whole run (`checkpoint.save_contents`), so the plain weights, which only an evaluation reads, are written each
time. verl deletes the oldest checkpoint before it writes one. Where earlier ones are evaluated, too, it deletes none,
and `thin` leaves their plain weights.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

from rewards.bounded_file import read_text
from sweeper.host.files import undamaged, write_atomic
from sweeper.spec.run import RunSpec

KEPT = 2  # trainer.max_actor_ckpt_to_keep
# Bytes/s, of one node's processes together and of the one that writes the plain weights: between what two users of
# PyTorch measured for models of 8B on a node (pytorch/torchtitan issue 1301: 96 GB in 6 minutes; pytorch/pytorch issue
# 104081: in more than 4). File systems differ tenfold; a run's own saves are measured.
BANDWIDTH = 0.35e9
_STEP = "global_step_"
_THIN = "weights_of_step_"
_READ = ("huggingface", "merged", "lora_train_meta.json")  # of a policy, by an evaluation
_POLICY = "actor"
_MARKER_BYTES = 64


def sizes(spec: RunSpec) -> tuple[int, int]:
    """Bytes of one checkpoint: what all processes write, and what one of them writes.

    All write float32 weights and Adam's moments of what is trained, of policy and critic; one writes the policy's plain
    weights, in float32 as well: verl gives `save_pretrained` the state as it is trained.
    """
    n = spec.model.architecture.n_params
    policy = 4 * n + (0 if spec.algorithm.lora.rank else 8 * n)
    return policy + (12 * n if spec.algorithm.has_critic else 0), 4 * n


def bytes_kept(spec: RunSpec) -> int:
    """Bytes of the plain weights that `thin` leaves, of all steps; with low-rank adapters merged and unmerged ones."""
    return len(spec.evaluated_steps) * sizes(spec)[1] * (2 if spec.algorithm.lora.rank else 1)


def assumed_seconds(spec: RunSpec) -> float:
    """Seconds that a save takes at `BANDWIDTH`, for as long as none was measured."""
    shards, plain = sizes(spec)
    return (shards / spec.model.resources.nodes + plain) / BANDWIDTH


def count(steps: int, every: int) -> int:
    """Checkpoints that a run writes: at every multiple, and at the end."""
    return max(1, -(-steps // every))


def trained_steps(folder: Path) -> int:
    """Training steps in the last complete checkpoint; 0 without one.

    Raises:
        DamagedError: verl's marker of it is no number.
    """
    marker = _marker(folder)
    if not marker.exists():
        return 0
    # verl truncates the marker and then writes it, after the whole checkpoint: an empty one names the newest.
    with undamaged(marker, cure="write the step of the last whole checkpoint into it"):
        text = read_text(marker, _MARKER_BYTES).strip()
        return int(text) if text else max(_saved_steps(folder), default=0)


def rewind(folder: Path, logged: int) -> None:
    """Resume from a checkpoint no later than step `logged`, the last one whose metrics are on file.

    verl saves step N before it logs it: a kill between the two would lose that step's metrics for good. Older
    checkpoints but one go: verl counts those to keep in memory, so that it would never delete an earlier process's.
    """
    steps = trained_steps(folder)
    if steps > logged:
        # Older than the newest, hence complete.
        steps = max((step for step in _saved_steps(folder) if step <= logged), default=0)
    if steps:
        mark(folder, steps)  # killed while writing it, verl left it empty
    else:
        _marker(folder).unlink(missing_ok=True)
    for place in all_thinned(folder):
        if int(place.name.removeprefix(_THIN)) > steps:  # of what leads nowhere now
            shutil.rmtree(place)
    older = sorted(step for step in _saved_steps(folder) if step < steps)
    for step in older[: 1 - KEPT]:
        shutil.rmtree(at(folder, step))


def thin(folder: Path, *, logged: int, keep: Collection[int]) -> None:
    """Leave plain weights of the checkpoints that nobody resumes from, without optimiser state, critic or shards.

    Killed at any moment, it is finished by the next call: a checkpoint first loses its name, by which verl and `rewind`
    know it.

    Args:
        folder: Of the checkpoints.
        logged: The last step whose metrics are on file. What is resumed from is the last whole checkpoint up to it.
        keep: Steps whose weights stay; of older checkpoints of other steps nothing does.
    """
    last = min(logged, trained_steps(folder))
    newest = max((step for step in _saved_steps(folder) if step <= last), default=0)
    for step in _saved_steps(folder):
        if step < newest and step in keep:
            at(folder, step).rename(thinned(folder, step))
        elif step < newest:
            shutil.rmtree(at(folder, step))
    for place in all_thinned(folder):
        for path in (*place.iterdir(), *(place / _POLICY).iterdir()):
            if path.name not in (_POLICY, *_READ):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def thinned(folder: Path, step: int) -> Path:
    """Where `thin` leaves the plain weights of a step."""
    return folder / f"{_THIN}{step}"


def all_thinned(folder: Path) -> list[Path]:
    """Every step's plain weights that `thin` left, by name."""
    return sorted(folder.glob(f"{_THIN}*"))


def mark(folder: Path, step: int) -> None:
    """Name the last whole checkpoint as verl does."""
    write_atomic(_marker(folder), str(step))


def step_of(place: Path) -> int:
    """The step of a checkpoint's folder."""
    return int(place.name.removeprefix(_STEP))


def at(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step is, or would be."""
    return folder / f"{_STEP}{step}"


def saved(folder: Path) -> list[Path]:
    """Every checkpoint there is, whole or not, by name."""
    return sorted(folder.glob(f"{_STEP}*"))


def policy(folder: Path, step: int) -> Path:
    """What verl saves of the policy after a step, beside what it saves of the critic and the data loader.

    As verl left it, else as `thin` did.
    """
    thin_place = thinned(folder, step)
    return (thin_place if thin_place.is_dir() else at(folder, step)) / _POLICY


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
    return list(map(step_of, saved(folder)))
