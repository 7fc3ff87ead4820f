"""Supervised fine-tuning with verl's own trainer: the warm start of a model before RL."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from sweeper.host.errors import RunFailedError
from sweeper.host.machine import Device, free_port
from sweeper.host.process import run_child
from sweeper.spec.dotted import Value, render
from sweeper.spec.model import WarmStart
from sweeper.training import checkpoint
from sweeper.training.train import CPU_ENV


def sft_overrides(
    *,
    model: Path,
    data: Path,
    work: Path,
    settings: WarmStart,
    max_length: int,
    tokens_per_device: int,
    device: Device,
) -> tuple[str, ...]:
    """Overrides of `python -m verl.trainer.sft_trainer`.

    Args:
        model: The initial weights, a folder in Hugging Face's format.
        data: Parquet with a `messages` column (user, assistant).
        work: Folder of checkpoints and logs.
        settings: Steps, batch size, step size.
        max_length: Longest row in tokens.
        tokens_per_device: Budget of one micro-batch.
        device: `cpu` or `cuda`.
    """
    values: dict[str, Value] = {
        "data.train_files": str(data),
        "data.train_batch_size": settings.batch_size,
        "data.max_length": max_length,
        "data.max_token_len_per_gpu": tokens_per_device,
        "data.num_workers": 0,
        "data.custom_cls.path": "pkg://sweeper.training.sft_data",
        "data.custom_cls.name": "ConversationDataset",
        "model.path": str(model),
        "engine.strategy": "fsdp2",
        "optim.lr": settings.lr,
        "optim.lr_scheduler_type": "cosine",
        "optim.lr_warmup_steps_ratio": 0.05,
        "optim.min_lr_ratio": 0.05,
        "optim.weight_decay": 0.0,
        "engine.seed": settings.seed,
        "checkpoint.save_contents": ["hf_model"],
        "trainer.logger": ["file"],
        "trainer.total_training_steps": settings.steps,
        "trainer.total_epochs": 1_000_000,
        "trainer.save_freq": settings.steps,
        "trainer.test_freq": -1,
        "trainer.seed": settings.seed,
        "trainer.default_local_dir": str(work / "checkpoints"),
        "trainer.resume_mode": "disable",
        "hydra.run.dir": str(work / "hydra"),
    }
    if device is Device.cpu:
        values |= {
            "trainer.device": "cpu",
            "model.use_remove_padding": False,
            "model.enable_gradient_checkpointing": False,
            "++model.override_config.attn_implementation": "sdpa",
            "engine.use_torch_compile": False,
            "++engine.mixed_precision.param_dtype": "fp32",
        }
    return tuple(f"{key}={render(value)}" for key, value in values.items())


def run_sft(
    *,
    model: Path,
    data: Path,
    out: Path,
    work: Path,
    settings: WarmStart,
    max_length: int,
    tokens_per_device: int,
    device: Device,
    threads: int,
    processes: int = 1,
    log: Path | None = None,
    on_tick: Callable[[], None] | None = None,
) -> None:
    """Fine-tune `model` on `data`; `out` becomes a folder in Hugging Face's format.

    Args:
        model: As `sft_overrides` has it.
        data: As there.
        out: Folder to make, or to add to.
        work: As there.
        settings: As there.
        max_length: As there.
        tokens_per_device: As there.
        device: As there.
        threads: Of one process on CPU.
        processes: Training processes on this machine, one a GPU, over which the model is sharded.
        log: Gets the trainer's output; None: `work/log.txt`.
        on_tick: Called about twice a second meanwhile.

    Raises:
        RunFailedError: the trainer failed or left no weights.
    """
    work.mkdir(parents=True, exist_ok=True)
    overrides = sft_overrides(
        model=model,
        data=data,
        work=work,
        settings=settings,
        max_length=max_length,
        tokens_per_device=tokens_per_device,
        device=device,
    )
    omp = {"OMP_NUM_THREADS": str(threads)} if device is Device.cpu else {}
    launcher = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    # One process: rank 0 of a world of one, as the launcher would start it, but seconds sooner.
    alone = {
        "RANK": "0",
        "LOCAL_RANK": "0",
        "WORLD_SIZE": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }
    run_child(
        [sys.executable, "-m", *(launcher if processes > 1 else ()), "verl.trainer.sft_trainer", *overrides],
        log=work / "log.txt" if log is None else log,
        env=CPU_ENV
        | omp
        | (alone if processes == 1 else {})
        | {"VERL_FILE_LOGGER_PATH": str(work / "metrics.jsonl"), "TQDM_MININTERVAL": "10"},
        on_tick=on_tick,
    )
    weights = checkpoint.weights(checkpoint.at(work / "checkpoints", settings.steps))
    if not weights.is_dir():
        raise RunFailedError(f"supervised fine-tuning left no weights at {weights}")
    shutil.copytree(weights, out, dirs_exist_ok=True)
