"""The training phase of a run: real verl in its own process, watched through its metrics file.

verl is itself a Hydra application, so it is started as `python -m verl.trainer.main_ppo`, never composed in here.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from sweeper.host.errors import StalledError
from sweeper.host.files import write_atomic
from sweeper.host.machine import Device, threads_for
from sweeper.host.process import PACKAGES, run_child
from sweeper.rows.curve import read_curve
from sweeper.rows.row import CurvePoint
from sweeper.runs.folder import Attempt, Heartbeat, RunDir
from sweeper.spec.run import RunSpec
from sweeper.training import ray_nodes, step_time
from sweeper.training.fork_server import fork_server
from sweeper.training.overrides import Files, logical_cpus, verl_overrides
from sweeper.training.ray_nodes import Node, Share

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
        RunFailedError: verl ended with an error, or stalled.
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
    save_freq = step_time.save_freq(spec, step_time.measured(run_dir, spec))
    if save_freq != spec.training.save_freq:
        print(
            f"a checkpoint every {save_freq} steps: cluster.max_loss_minutes={spec.cluster.max_loss_minutes}",
            flush=True,
        )
        spec = replace(spec, training=replace(spec.training, save_freq=save_freq))
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
                # Ray's workers look for modules first where verl was started: not among the user's own.
                cwd=None if Path.cwd() == PACKAGES else attempt.path,
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
    """Turns verl's growing metrics file into heartbeats, and ends what makes no progress."""

    def __init__(self, spec: RunSpec, attempt: Attempt, host: str, pid: int) -> None:
        self._spec, self._attempt, self._host, self._pid = spec, attempt, host, pid
        self._name, self._size = "", -1
        self._began = self._last = time.monotonic()
        self._seconds: list[float] = []  # of this attempt's steps
        self.startup_s: float | None = None  # from starting verl to the beginning of its first step

    def phase(self, name: str) -> None:
        """Publish that a phase has begun."""
        self._name, self._size = name, -1
        self._began = self._last = time.monotonic()
        self._beat(name, [])

    def tick(self) -> None:
        """Publish training progress if the metrics file has grown.

        Raises:
            StalledError: it has not for longer than `pace.patience`.
        """
        path = self._attempt.metrics
        if self._has_grown(path):
            self._beat("train", read_curve([path]) if self._size else [])
            return
        silent, patience = time.monotonic() - self._last, step_time.patience(self._spec, self._seconds)
        if patience is not None and silent > patience:
            usual = (
                f"its median step took {statistics.median(self._seconds):.3g} s" if self._seconds else "it made none"
            )
            raise StalledError(
                f"no training step finished in {silent:.0f} s; {usual} (cluster.stalled_after_minutes="
                f"{self._spec.cluster.stalled_after_minutes:g}, stalled_after_steps="
                f"{self._spec.cluster.stalled_after_steps:g})"
            )

    def listen(self) -> None:
        """Look after a phase without training steps, which prints its progress.

        Raises:
            StalledError: it has printed nothing for `cluster.stalled_after_minutes`.
        """
        silent, patience = time.monotonic() - self._last, step_time.patience(self._spec, ())
        if not self._has_grown(self._attempt.log) and patience is not None and silent > patience:
            raise StalledError(
                f"{self._name} printed nothing for {silent:.0f} s (cluster.stalled_after_minutes="
                f"{self._spec.cluster.stalled_after_minutes:g})"
            )

    def _has_grown(self, path: Path) -> bool:
        size = path.stat().st_size if path.exists() else 0
        if size == self._size:
            return False
        self._size, self._last = size, time.monotonic()
        return True

    def _beat(self, phase: str, curve: list[CurvePoint]) -> None:
        trained = [point for point in curve if point.reward is not None]
        if self.startup_s is None and trained and trained[0].seconds is not None:
            self.startup_s = time.monotonic() - self._began - sum(point.seconds or 0.0 for point in trained)
        measured = [point.val_pass1 for point in curve if point.val_pass1 is not None]
        seconds = self._seconds = [point.seconds for point in trained if point.seconds is not None]
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
