"""The weights that a training ends with, and those of its steps, as an evaluation reads them."""

import sys
from pathlib import Path

from sweeper.host.errors import RunFailedError
from sweeper.host.process import run_child
from sweeper.training import checkpoint
from sweeper.training.context import JobContext


def final_weights(job: JobContext) -> Path:
    """Folder in Hugging Face's format with the weights after the last step, low-rank adapters merged in.

    Raises:
        RunFailedError: verl left none, or merging failed.
    """
    spec = job.spec
    actor = checkpoint.policy(job.run_dir.checkpoints, spec.total_steps)
    if not checkpoint.weights(actor).is_dir():
        raise RunFailedError(f"verl ended without an error but left no weights of step {spec.total_steps} in {actor}")
    return _usable(job, actor)


def weights_after(job: JobContext, step: int) -> Path | None:
    """As `final_weights`, after a step before the last; None: they are not there.

    Raises:
        RunFailedError: merging failed.
    """
    actor = checkpoint.policy(job.run_dir.checkpoints, step)
    return _usable(job, actor) if checkpoint.weights(actor).is_dir() else None


def _usable(job: JobContext, actor: Path) -> Path:
    if job.spec.algorithm.lora.rank == 0:
        return checkpoint.weights(actor)
    merged = checkpoint.merged_weights(actor)
    if not merged.is_dir():
        command = [sys.executable, "-m", "sweeper.training.lora", str(actor), str(merged)]
        run_child(command, log=job.attempt.log, env={})
    return merged
