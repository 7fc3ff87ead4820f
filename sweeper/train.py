"""The training phase of a run: real verl in its own process, watched through its metrics file.

verl is itself a Hydra application, so it is started as `python -m verl.trainer.main_ppo`, never composed in here.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sweeper import ray_nodes
from sweeper.fork_server import fork_server
from sweeper.machine import threads_for
from sweeper.overrides import Files, logical_cpus, verl_overrides
from sweeper.process import run_child
from sweeper.ray_nodes import Node, Share
from sweeper.results import CurvePoint, write_atomic
from sweeper.runs import Attempt, Heartbeat, RunDir
from sweeper.spec import Device, RunSpec

TRAINED = "critic/score/mean"  # logged by every training step, and by no validation
CPU_ENV = {
    "TQ_NUM_THREADS": "1",  # with more, TransferQueue warns at every call
    "HF_HUB_OFFLINE": "1",
    "RAY_DEDUP_LOGS": "0",
    # Workers that Ray starts before it knows the job's environment would not be forks, and are never used.
    "RAY_prestart_worker_first_driver": "0",
}


def train(
    spec: RunSpec,
    run_dir: RunDir,
    attempt: Attempt,
    *,
    model: Path,
    train_file: Path,
    val_file: Path,
    device: Device,
    node: Node,
    watch: "Watch",
) -> float:
    """Train until `spec.total_steps`, resuming from verl's last checkpoint.

    Returns:
        Wall seconds of this attempt's training.

    Raises:
        RunFailedError: verl ended with an error.
    """
    # Ray's socket paths must stay under 107 characters, so its folder cannot lie in the run's.
    scratch = Path(tempfile.mkdtemp(prefix="rl-ray-"))
    several = spec.model.resources.nodes > 1
    # The server that workers are forked from is one machine's.
    forks = scratch / "fork" if device is Device.cpu and not several else None
    files = Files(
        model=model,
        train=train_file,
        val=val_file,
        checkpoints=run_dir.checkpoints,
        validations=run_dir.path / "val",
        hydra=attempt.path / "hydra",
        fork_socket=forks,
    )
    overrides = verl_overrides(spec, files, device)
    write_atomic(run_dir.overrides_path, "\n".join(overrides) + "\n")
    env = training_env(spec, attempt, device) | {"RAY_TMPDIR": str(scratch)}
    try:
        with ExitStack() as around:
            if forks:
                around.enter_context(fork_server(forks, log=attempt.log, env=env))
            if several:
                share = share_of_node(spec, device)
                env |= around.enter_context(
                    ray_nodes.cluster(node, run_dir.path, share, variables=env, scratch=scratch, log=attempt.log)
                )
            return run_child(
                [sys.executable, "-m", "verl.trainer.main_ppo", *overrides],
                log=attempt.log,
                env=env,
                on_tick=watch.tick,
            )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def share_of_node(spec: RunSpec, device: Device) -> Share:
    """What each node of a run gives to Ray."""
    gpus = spec.model.resources.gpus_per_node
    if device is Device.cpu:
        return Share(cpus=logical_cpus(spec), gpus=gpus)
    return Share(cpus=len(os.sched_getaffinity(0)), gpus=gpus)


def training_env(spec: RunSpec, attempt: Attempt, device: Device) -> dict[str, str]:
    """Environment of the verl process, on top of the inherited one."""
    env = {
        # One file an attempt: verl opens it anew and would truncate an earlier attempt's metrics.
        "VERL_FILE_LOGGER_PATH": str(attempt.metrics),
        "RAY_USAGE_STATS_ENABLED": "0",
        "TOKENIZERS_PARALLELISM": "false",
        "HYDRA_FULL_ERROR": "1",
        "WANDB_RUN_ID": spec.run_id,
        "WANDB_RESUME": "allow",
        "WANDB_DIR": str(attempt.path),
    }
    if device is Device.cpu:
        env |= CPU_ENV | {"OMP_NUM_THREADS": str(threads_for(spec.model.architecture.n_params))}
    return env


class Watch:
    """Turns verl's growing metrics file into heartbeats."""

    def __init__(self, spec: RunSpec, attempt: Attempt, host: str, pid: int) -> None:
        self._spec, self._attempt, self._host, self._pid = spec, attempt, host, pid
        self._size = -1
        self._began = time.monotonic()
        self.startup_s: float | None = None  # from starting verl to the beginning of its first step

    def phase(self, name: str) -> None:
        """Publish that a phase has begun."""
        self._began = time.monotonic()
        self._beat(name, [])

    def tick(self) -> None:
        """Publish training progress if the metrics file has grown."""
        path = self._attempt.metrics
        size = path.stat().st_size if path.exists() else 0
        if size != self._size:
            self._size = size
            self._beat("train", read_curve([path]) if size else [])

    def _beat(self, phase: str, curve: list[CurvePoint]) -> None:
        trained = [point for point in curve if point.reward is not None]
        if self.startup_s is None and trained and trained[0].seconds is not None:
            self.startup_s = time.monotonic() - self._began - sum(point.seconds or 0.0 for point in trained)
        measured = [point.val_pass1 for point in curve if point.val_pass1 is not None]
        seconds = [point.seconds for point in trained if point.seconds is not None]
        left = None
        if trained and seconds:
            left = statistics.median(seconds) * (self._spec.total_steps - trained[-1].step)
        self._attempt.beat(
            Heartbeat(
                phase=phase,
                step=trained[-1].step if trained else None,
                total_steps=self._spec.total_steps,
                reward=trained[-1].reward if trained else None,
                val_pass1=measured[-1] if measured else None,
                seconds_left=left,
                time=time.time(),
                pid=self._pid,
                host=self._host,
            )
        )


def read_curve(paths: Iterable[Path]) -> list[CurvePoint]:
    """The training curve from the metrics files of all attempts, oldest first.

    What an attempt trained beyond the checkpoint that a later one resumed from led nowhere: those steps are the later
    attempt's alone, and absent where it has not reached them.
    """
    steps: dict[int, dict[str, Any]] = {}
    for path in paths:
        records = _records(path)
        if records:
            # A resumed attempt first validates the checkpoint, under its step, or trains the step after it.
            first, data = records[0]
            last_kept = first - 1 if TRAINED in data else first
            steps = {step: kept for step, kept in steps.items() if step <= last_kept}
        for step, data in records:
            steps.setdefault(step, {}).update(data)
    return [_point(step, data) for step, data in sorted(steps.items())]


def _records(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """(step, metrics) in the order logged."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:  # the last line of a killed attempt
            continue
        found.append((int(record["step"]), record["data"]))
    return found


def _point(step: int, data: dict[str, Any]) -> CurvePoint:
    accuracies = [
        float(value)
        for key, value in data.items()
        if key.startswith("val-core/") and "/acc/mean@" in key and value is not None
    ]
    tokens = _number(data, "perf/total_num_tokens")
    kl = _number(data, "actor/kl_loss")
    return CurvePoint(
        step=step,
        reward=_number(data, TRAINED),
        val_pass1=statistics.fmean(accuracies) if accuracies else None,
        response_length=_number(data, "response_length/mean"),
        entropy=_number(data, "actor/entropy"),
        kl=kl if kl is not None else _number(data, "actor/ppo_kl"),
        tokens=None if tokens is None else int(tokens),
        seconds=_number(data, "perf/time_per_step"),
    )


def _number(data: dict[str, Any], key: str) -> float | None:
    value = data.get(key)
    return None if value is None else float(value)
