"""Supervised fine-tuning with verl's own trainer: the warm start of a model before RL.

It runs on one node's GPUs. Nothing else is on them meanwhile, so verl's offloading between batches
(`engine.param_offload`, `engine.optimizer_offload`) would lower no peak and is left off.
"""

import math
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rewards.bounded_file import lines
from sweeper.host.errors import RunFailedError
from sweeper.host.json_lines import MOST_BYTES, json_lines
from sweeper.host.machine import Device, free_ports
from sweeper.host.process import Children
from sweeper.rows.flops import Tokens
from sweeper.spec.dotted import Value, render
from sweeper.spec.model import Resources, WarmStart
from sweeper.training import checkpoint, overrides_file, rendezvous
from sweeper.training.train import CPU_ENV

_TELL_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuning:
    """What is fine-tuned, and how.

    Attributes:
        model: The initial weights, a folder in Hugging Face's format.
        data: Parquet with a `messages` column (user, assistant).
        settings: Steps, batch size, step size.
        max_length: Longest row in tokens.
        share: What each of this machine's GPUs gets.
    """

    model: Path
    data: Path
    settings: WarmStart
    max_length: int
    share: "SftShare"


@dataclass(frozen=True, slots=True, kw_only=True)
class SftShare:
    """How fine-tuning is spread over the GPUs of one node.

    Attributes:
        processes: One per GPU; the model is sharded over all.
        sequence_parallel: GPUs that one row is split among, a divisor of `processes`.
        tokens: Budget of a micro-batch on one GPU; verl takes that times `sequence_parallel`, and a row must fit.
    """

    processes: int
    sequence_parallel: int
    tokens: int

    @classmethod
    def of(cls, resources: Resources, max_length: int) -> "SftShare":
        """The share for rows of at most `max_length` tokens."""
        width = math.gcd(resources.sequence_parallel, resources.gpus_per_node)
        tokens = max(resources.actor_tokens_per_gpu, math.ceil(max_length / width))
        return cls(processes=resources.gpus_per_node, sequence_parallel=width, tokens=tokens)

    @property
    def workers(self) -> int:
        """Groups of GPUs that each train on rows of their own; every one gets as many of a batch."""
        return self.processes // self.sequence_parallel

    def batch(self, wanted: int, n_rows: int) -> int:
        """Rows per step: what is wanted, or all there are, down to a multiple of the workers.

        Raises:
            RunFailedError: there are fewer rows than workers.
        """
        most = min(wanted, n_rows)
        if most < self.workers:
            raise RunFailedError(
                f"fine-tuning has {most} rows a step for {self.workers} workers (model.resources.gpus_per_node="
                f"{self.processes} / sequence_parallel={self.sequence_parallel}): give it more problems, or fewer GPUs"
            )
        return most - most % self.workers


def sft_overrides(wanted: FineTuning, work: Path, device: Device) -> tuple[str, ...]:
    """Overrides of `python -m verl.trainer.sft_trainer`.

    Args:
        wanted: What to do.
        work: Folder of checkpoints and logs.
        device: `cpu` or `cuda`.
    """
    settings = wanted.settings
    values: dict[str, Value] = {
        "data.train_files": str(wanted.data),
        "data.train_batch_size": settings.batch_size,
        "data.max_length": wanted.max_length,
        "data.max_token_len_per_gpu": wanted.share.tokens,
        "data.num_workers": 0,
        "data.custom_cls.path": "pkg://sweeper.training.sft_data",
        "data.custom_cls.name": "ConversationDataset",
        "model.path": str(wanted.model),
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
        "trainer.default_local_dir": str(work / "checkpoints"),
        "trainer.resume_mode": "disable",
        "hydra.run.dir": str(work / "hydra"),
    }
    if device is Device.cpu:
        values |= {
            "trainer.device": "cpu",
            "model.use_remove_padding": True,
            "model.enable_gradient_checkpointing": False,
            "++model.override_config.attn_implementation": "sdpa",
            "engine.use_torch_compile": False,
            # One call for all weights: one a weight costs a tiny model more than its update.
            "++optim.override_optimizer_config.fused": True,
            "++engine.mixed_precision.param_dtype": "fp32",
        }
    else:
        values["engine.ulysses_sequence_parallel_size"] = wanted.share.sequence_parallel
    return tuple(f"{key}={render(value)}" for key, value in values.items())


def run_sft(wanted: FineTuning, children: Children, *, out: Path, work: Path) -> Tokens:
    """Fine-tune a model; `out` becomes a folder in Hugging Face's format.

    Args:
        wanted: What to do.
        children: Who does it.
        out: Folder to make, or to add to.
        work: Folder of checkpoints and logs.

    Returns:
        What it was trained on.

    Raises:
        RunFailedError: the trainer failed or left no weights, or there are fewer rows than GPUs to train on them.
    """
    asked = wanted.settings.batch_size
    batch = wanted.share.batch(asked, asked)
    if batch != asked:
        print(f"fine-tuning on {batch} rows a step instead of {asked}: as many for each of the GPUs", flush=True)
        wanted = replace(wanted, settings=replace(wanted.settings, batch_size=batch))
    metrics = work / "metrics.jsonl"
    told = work / "verl_overrides.txt"
    overrides_file.write(told, sft_overrides(wanted, work, children.device))
    command, env = _trainer(wanted.share.processes, told)
    children = replace(children, on_tick=_telling(metrics, wanted.settings.steps, children.on_tick))
    children.run(
        [sys.executable, "-m", *command],
        CPU_ENV | rendezvous.ON_ONE_NODE | env | {"VERL_FILE_LOGGER_PATH": str(metrics), "TQDM_MININTERVAL": "10"},
    )
    weights = checkpoint.weights(checkpoint.at(work / "checkpoints", wanted.settings.steps))
    if not weights.is_dir():
        raise RunFailedError(f"supervised fine-tuning left no weights at {weights}")
    shutil.copytree(weights, out, dirs_exist_ok=True)
    steps = [step["data"] for _, step in json_lines(metrics)]
    tokens = [data["train/global_tokens"] for data in steps if "train/global_tokens" in data]
    return Tokens(sequences=wanted.settings.batch_size * len(tokens), total=sum(tokens))


def _telling(metrics: Path, steps: int, more: Callable[[], None] | None) -> Callable[[], None]:
    """Print how many steps are made, for who reads the log (`runs.progress`); `more` is called as before."""
    printed, last = 0, 0.0

    def tick() -> None:
        nonlocal printed, last
        if more is not None:
            more()
        if time.monotonic() - last < _TELL_SECONDS:
            return
        last = time.monotonic()
        made = sum(1 for _ in lines(metrics, at_most=MOST_BYTES)) if metrics.exists() else 0
        if made > printed:
            printed = made
            print(f"fine-tuning {made}/{steps} steps", flush=True)

    return tick


def _trainer(processes: int, told: Path) -> tuple[list[str], dict[str, str]]:
    """How verl's trainer is started in so many processes: the module with its arguments, and variables."""
    trainer = overrides_file.arguments("verl.trainer.sft_trainer", told)
    if processes > 1:
        return ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m", *trainer], {}
    # Rank 0 of a world of one, as the launcher would start it, but seconds sooner.
    return trainer, {
        "RANK": "0",
        "LOCAL_RANK": "0",
        "WORLD_SIZE": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_ports(1)[0]),
    }
