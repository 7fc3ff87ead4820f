"""The training phase of a run: real verl in its own process, watched through its metrics file.

verl is itself a Hydra application, so its `main_ppo` is started as one, never composed in here; what it is told stands
in a file (`sweeper.training.overrides_file`).
"""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rewards.sandbox import cores
from sweeper.agent import files as agent_files
from sweeper.host.environment import caches
from sweeper.host.errors import RunFailedError
from sweeper.host.machine import Device
from sweeper.host.process import PACKAGES, Children
from sweeper.rows.curve import read_curve
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import RunDir
from sweeper.spec.agent import FOLDER as AGENTS
from sweeper.spec.reward import FOLDER
from sweeper.spec.run import RunSpec
from sweeper.training import (
    checkpoint,
    overrides_file,
    queue_sockets,
    ray_nodes,
    ray_token,
    rendezvous,
    step_time,
    tracking,
)
from sweeper.training.context import JobContext
from sweeper.training.fork_server import fork_server
from sweeper.training.overrides import Files, verl_overrides
from sweeper.training.ray_nodes import share_of_node

TRAINER = "verl.trainer.main_ppo"
RAY_STARTS = 3  # that a node may need
RAY_IS_LATE = "The current node timed out during startup"  # ray/_private/node.py, 2.60; no variable sets its 30 s
CPU_ENV = {
    "TQ_NUM_THREADS": "1",  # with more, TransferQueue warns at every call
    "HF_HUB_OFFLINE": "1",
    "RAY_DEDUP_LOGS": "0",
    # Workers that Ray starts before it knows the job's environment would not be forks, and are never used.
    "RAY_prestart_worker_first_driver": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The training of one attempt; None where an earlier one had made all steps.

    Attributes:
        seconds: Wall time of verl.
        startup_s: Of it, before the first step began; None: no step was made.
    """

    seconds: float | None = None
    startup_s: float | None = None


def train(job: JobContext, *, model: Path, train_file: Path, val_file: Path) -> Trained:
    """Train until all steps are made, resuming from verl's last checkpoint.

    Args:
        job: The attempt.
        model: What to start from, a folder in Hugging Face's format.
        train_file: Parquet file in verl's columns.
        val_file: As `train_file`, for validations.

    Raises:
        RunFailedError: verl ended with an error, or stalled.
    """
    earlier = read_curve(item.metrics for item in job.run_dir.attempts())
    logged = max((point.step for point in earlier if point.reward is not None), default=0)
    _thin(job, logged)
    checkpoint.rewind(job.run_dir.checkpoints, logged)
    if checkpoint.trained_steps(job.run_dir.checkpoints) >= job.spec.total_steps:
        return Trained()
    spec = _saving_in_time(job)
    seconds = started(lambda: _verl(job, spec, model=model, train_file=train_file, val_file=val_file))
    _thin(job, job.spec.total_steps)
    return Trained(seconds=seconds, startup_s=job.watch.startup_s)


def _thin(job: JobContext, logged: int) -> None:
    """Of a run whose checkpoints are evaluated; of others verl deletes what is too much."""
    if job.spec.evaluated_steps:
        checkpoint.thin(job.run_dir.checkpoints, logged=logged, keep=job.spec.evaluated_steps)


def started(verl: Callable[[], float]) -> float:
    """Call `verl`, again where Ray says that its node was late: it waits 30 s, too few where others have the cores.

    Raises:
        RunFailedError: verl ended with another error, or the node was late `RAY_STARTS` times.
    """
    for _ in range(RAY_STARTS - 1):
        try:
            return verl()
        except RunFailedError as error:
            if RAY_IS_LATE not in str(error):
                raise
            print("Ray's node did not come up within the 30 s that Ray gives it: verl is started again", flush=True)
    return verl()


def _verl(job: JobContext, spec: RunSpec, *, model: Path, train_file: Path, val_file: Path) -> float:
    """Run verl to its end, with what it needs around it; returns its wall seconds."""
    children = replace(job.children, on_tick=partial(_tick, job))
    with ExitStack() as around:
        # Where its sockets' paths are short enough (`host.temporary`), so not in the run's folder.
        scratch = Path(around.enter_context(TemporaryDirectory(prefix="rl-", ignore_cleanup_errors=True)))
        # The server that workers are forked from is one machine's.
        forks = scratch / "fork" if children.device is Device.cpu and job.node.count == 1 else None
        files = Files(
            model=model,
            train=train_file,
            val=val_file,
            checkpoints=job.run_dir.checkpoints,
            validations=job.run_dir.path / "val",
            rewards=job.results / FOLDER,
            hydra=job.attempt.path / "hydra",
            fork_socket=forks,
            settings=tracking.write_settings(spec, job.results, job.attempt),
            title=tracking.title(spec, job.results),
            agent=job.attempt.path / "agent",
        )
        if spec.agent.acts:
            agent_files.write(spec.agent, files.agent, job.results / AGENTS)
        overrides_file.write(job.run_dir.overrides_path, verl_overrides(spec, files, children.device))
        env = training_env(job.run_dir, job.attempt, children, scratch) | caches(scratch)
        env |= rendezvous.ON_ONE_NODE if job.node.count == 1 else {}
        share = share_of_node(spec.model.resources, children.device)
        env |= cores.share(scratch / "cores", share.programs)
        if forks:
            around.enter_context(fork_server(forks, log=children.log, env=env))
        if job.node.count > 1:
            cluster = ray_nodes.cluster(
                job.node, job.run_dir.path, share, variables=env, scratch=scratch, log=children.log
            )
            env |= around.enter_context(cluster)
        return children.run(
            [sys.executable, "-m", *overrides_file.arguments(TRAINER, job.run_dir.overrides_path)],
            env,
            # Ray's workers look for modules first where verl was started: not among the user's own.
            cwd=None if Path.cwd() == PACKAGES else job.attempt.path,
        )


def _tick(job: JobContext) -> None:
    """Look after verl, and after what it leaves."""
    job.watch.tick()
    if len(checkpoint.saved(job.run_dir.checkpoints)) > 1:
        _thin(job, job.watch.step)


def _saving_in_time(job: JobContext) -> RunSpec:
    """The run with as many steps between checkpoints as `step_time.pace` says."""
    spec = job.spec
    pace = step_time.pace(spec, step_time.measured(job.run_dir, spec))
    if pace.why is None:
        return spec
    print(f"a checkpoint every {pace.every} steps: {pace.why}", flush=True)
    return replace(spec, training=replace(spec.training, save_freq=pace.every))


def training_env(run_dir: RunDir, attempt: Attempt, children: Children, scratch: Path) -> dict[str, str]:
    """Environment of the verl process, on top of the inherited one; `scratch` is for sockets, its owner's alone.

    Raises:
        RunFailedError: Ray or TransferQueue are of versions that cannot be closed to strangers.
    """
    queue_sockets.refuse_unknown()
    env = {
        # One file per attempt: verl opens it anew and would truncate an earlier attempt's metrics.
        "VERL_FILE_LOGGER_PATH": str(attempt.metrics),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": str(scratch),
        queue_sockets.FOLDER: str(scratch),
        **ray_token.new(),
        "TOKENIZERS_PARALLELISM": "false",
        "HYDRA_FULL_ERROR": "1",
        **tracking.variables(run_dir, attempt, os.environ),
    }
    return env | children.env | (CPU_ENV if children.device is Device.cpu else {})
