"""Tier 2, then: memory and pace of a model of a real shape, beside the plan's and bare verl's."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sweeper.host.machine import threads_for
from sweeper.host.process import Children
from sweeper.oversight.proof.line import Bounds, Line, judged, near, told
from sweeper.oversight.proof.made_run import MadeRun, difference, metrics, series, typical
from sweeper.oversight.proof.trial import Tick, Trial
from sweeper.plan.gpu import GIB
from sweeper.plan.memory import memory_of
from sweeper.rows.curve import read_curve
from sweeper.training import overrides_file
from sweeper.training.train import TRAINER, training_env

NEAR = 0.2  # of a planned figure, that a measured one may be off
BARE = 0.85  # of bare verl's pace, at least
_PASSES = ("log_prob", "reference", "critic", "actor")  # planned phases in which the trainer computes
_OTHERS = ("reserve", "engine asleep")  # parts of them that its allocator knows nothing of


def shape_run(trial: Trial) -> MadeRun:
    """A model of Qwen2.5-0.5B's shape and vocabulary with random weights: memory and pace of a real one."""
    sizes = {
        "hidden_size": 64 if trial.is_small else 896,
        "intermediate_size": 256 if trial.is_small else 4864,
        "num_layers": 2 if trial.is_small else 24,
        "num_heads": 2 if trial.is_small else 14,
        "num_kv_heads": 1 if trial.is_small else 2,
        "vocab_size": 4096 if trial.is_small else 151936,
        "max_position_embeddings": 32768,
    }
    prompts, response = (8, 16) if trial.is_small else (64, 512)
    training = {
        "max_prompt_length": 64,
        "max_response_length": response,
        "train_batch_size": prompts,
        "ppo_mini_batch_size": prompts // 2,
        "total_steps": 4,
        "save_freq": 4,
        "lr_warmup_steps": 0,
    }
    evaluation = ("eval.n_samples=16", "eval.ks=[1,16]", "eval.problems_per_domain=2", "eval.val_problems_per_domain=2")
    resources = ("model.resources.gradient_checkpointing=true", "model.resources.gpu_memory_utilization=0.6")
    return MadeRun(
        trial,
        "shape",
        (
            *("model=tiny-430k", "model.name=shape", "model.warm_start.steps=0", "eval.val_freq=100"),
            *(f"model.architecture.{name}={value}" for name, value in sizes.items()),
            *(f"training.{name}={value}" for name, value in training.items()),
            *(*evaluation, *resources, *trial.settings),
        ),
    )


@dataclass(slots=True)
class _Peak:
    """The most memory in use while a run trains."""

    made: MadeRun
    bytes: float = 0.0
    samples: int = 0

    def look(self) -> None:
        """Look once."""
        if self.made.phase() == "train":
            self.bytes, self.samples = max(self.bytes, self.made.trial.memory_in_use()), self.samples + 1


def memory_and_pace(made: MadeRun, until: Tick) -> Iterator[Line]:
    """Train a model of a real shape, then the same by verl alone.

    Raises:
        RunFailedError: either command failed, or time was up.
    """
    peak = _Peak(made)
    made.start(until(peak.look))
    logged = made.logged()
    yield from _memory(made, peak)
    yield difference("a real shape", read_curve([made.run_dir.attempts()[-1].metrics]))
    for phase in ("gen", "old_log_prob", "update_actor", "update_weights", "save_checkpoint"):
        yield told(f"seconds of a step's {phase}", "s", max(series(logged, f"timing_s/{phase}"), default=None))
    timing = getattr(made.run_dir.row(), "timing", None)
    yield told("seconds from starting verl to its first step", "s", timing and timing.startup_s)
    yield told("seconds of the pass@k evaluation", "s", timing and timing.evaluate_s)
    ours = typical(series(logged, "perf/throughput"))
    bare = typical(series(_bare(made, until), "perf/throughput"))
    # Steps of a fraction of a second say nothing: whatever else the processor does decides which is faster.
    bounds = None if bare is None or made.trial.is_small else Bounds(least=BARE * bare)
    yield judged("tokens of a training step", "tokens/s", ours, bounds, beside=bare, whose="bare verl's")


def _memory(made: MadeRun, peak: _Peak) -> Iterator[Line]:
    known = memory_of(made.spec)
    note = "" if known else f"the planner does not know {made.trial.name}"
    passes = [item.parts for item in known.peaks if item.phase in _PASSES] if known else []
    planned = max((sum(size for name, size in parts.items() if name not in _OTHERS) for parts in passes), default=None)
    allocated = max(series(made.logged(), "actor/perf/max_memory_allocated_gb"), default=0.0) or None
    yield near(
        "peak of the trainer's allocations, all phases",
        "GiB",
        allocated,
        None if planned is None else planned / GIB,
        whose="the plan's",
        share=NEAR,
        note=note,
    )
    yield near(
        "peak in use while training, by everybody",
        "GiB",
        peak.bytes / GIB if peak.samples else None,
        known.worst.total / GIB if known else None,
        whose="the plan's",
        share=NEAR,
        note=note,
    )
    yield near(
        "tokens in the engine's KV cache",
        "tokens",
        made.kv_tokens(),
        known.kv_tokens if known else None,
        whose="the plan's",
        share=NEAR,
        note="" if known else "the engine of a processor has no such cache",
    )


def _bare(made: MadeRun, until: Tick) -> dict[int, dict[str, object]]:
    """What verl logs of the same overrides without our processes around it."""
    folder = made.trial.folder / "bare"
    folder.mkdir()
    moved = ("trainer.default_local_dir=", "trainer.validation_data_dir=", "hydra.run.dir=")
    overrides = [
        f"{item.partition('=')[0]}={folder / 'out'}" if item.startswith(moved) else item
        for item in overrides_file.read(made.run_dir.overrides_path)
        if "py_executable" not in item  # of workers forked from a process of ours
    ]
    threads = threads_for(made.spec.model.architecture.n_params)
    children = Children(device=made.trial.device, threads=threads, log=folder.with_suffix(".log"), on_tick=until(None))
    attempt = made.run_dir.attempts()[-1]
    with TemporaryDirectory(prefix="rl-", ignore_cleanup_errors=True) as scratch:
        env = training_env(made.run_dir, attempt, children, Path(scratch)) | made.trial.variables
        env |= {"VERL_FILE_LOGGER_PATH": str(folder / "metrics.jsonl")}
        file = folder / "verl_overrides.txt"
        overrides_file.write(file, overrides)
        children.run([sys.executable, "-m", *overrides_file.arguments(TRAINER, file)], env, cwd=folder)
    return metrics(folder / "metrics.jsonl")
