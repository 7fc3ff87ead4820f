"""One run, from its frozen spec to its row: `python -m sweeper.job.run RESULTS_DIR RUN_ID`.

The only code that runs on a compute node. It may be killed at any moment: finished phases leave files that are not
made twice, verl resumes from its last checkpoint, and the row appears whole or not at all.
"""

import os
import signal
import sys
import time
from pathlib import Path

from data_prep.files.lock import LockedError, locked
from sweeper.host import environment, limits, secret, temporary
from sweeper.host.errors import SweeperError
from sweeper.host.files import appended, open_results
from sweeper.host.machine import git_state, hostname, resolve_device, threads_for, versions
from sweeper.host.process import Children, adopt_orphans, kill_descendants
from sweeper.job.answering import Answering
from sweeper.job.exit import EXIT_LOCKED, EXIT_TERMINATED, Expired, Terminated, finish, raising, without_a_record
from sweeper.job.phases import Measured, phases
from sweeper.job.sign_of_life import signs_of_life
from sweeper.rows.row import has_result
from sweeper.runs import adjustment
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from sweeper.training import ray_nodes
from sweeper.training.context import JobContext, now
from sweeper.training.ray_nodes import Node, share_of_node
from sweeper.training.watch import Watch


def run(results_dir: Path, run_id: RunId) -> int:
    """Execute a run under its lock; returns the process's exit code."""
    environment.settle(os.environ)
    limits.raise_all()
    open_results(results_dir)
    run_dir = RunDir(results_dir=results_dir, run_id=run_id)
    secret.take(run_dir.spec().cluster.secrets_file)
    node = Node.here()
    if node.rank > 0:
        return _help(run_dir, node)
    try:
        with locked(run_dir.lock, wait=False):
            if has_result(results_dir, run_id):
                return 0  # queued twice, or requeued after its end
            return _attempt(run_dir)
    except LockedError as error:
        print(error, file=sys.stderr)
        return EXIT_LOCKED
    except OSError as error:
        return without_a_record(error)
    finally:
        if node.count > 1:
            node.end(run_dir.path).touch()


def _help(run_dir: RunDir, node: Node) -> int:
    """Be a node beside the one that runs the phases."""
    spec = run_dir.spec()
    adopt_orphans()
    signal.signal(signal.SIGTERM, raising(Terminated))
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # the first node decides
    log = run_dir.path / "nodes" / f"{node.job}-{node.rank}.txt"
    log.parent.mkdir(exist_ok=True)
    try:
        share = share_of_node(spec.model.resources, resolve_device(spec.cluster.device))
        with temporary.with_room():
            answering = Answering(node.call(run_dir.path), node.rank, log)
            return ray_nodes.serve(node, run_dir.path, share, between=answering.once, log=log)
    except (Terminated, KeyboardInterrupt):
        kill_descendants()
        return EXIT_TERMINATED


def _attempt(run_dir: RunDir) -> int:
    attempt = run_dir.new_attempt()
    _redirect(attempt.log)
    if short := secret.unhidden():
        print(f"NOTE: too short or too common to be hidden in what is written: {', '.join(short)}", flush=True)
    adopt_orphans()
    signal.signal(signal.SIGTERM, raising(Terminated))
    signal.signal(signal.SIGUSR2, raising(Expired))
    job, measured = begin(run_dir, run_dir.spec(), attempt), Measured()
    error: BaseException | None = None
    with signs_of_life(attempt):
        try:
            with temporary.with_room():
                for so_far in phases(job):
                    measured = so_far
        except (Terminated, Expired, KeyboardInterrupt, SweeperError, OSError, ValueError) as caught:
            error = caught
        return finish(job, measured, error)


def begin(run_dir: RunDir, spec: RunSpec, attempt: Attempt) -> JobContext:
    """The context of an attempt that begins now; `env.json` gets where and with what it runs."""
    started_at, node, device = now(), Node.here(), resolve_device(spec.cluster.device)
    threads = threads_for(spec.model.architecture.n_params)
    attempt.write(
        "env",
        {
            "time": time.time(),
            "host": hostname(),
            "node": os.environ.get("SLURMD_NODENAME") if node.count == 1 else None,
            "job": os.environ.get("SLURM_JOB_ID"),  # of an array's element, too: the same if it is queued again
            "adjustment": dict(adjustment.read(run_dir.path)),
            "device": device,
            "versions": versions(),
            "git": git_state(),
        },
    )
    watch = Watch(spec, attempt, hostname(), os.getpid())
    return JobContext(
        spec=spec,
        run_dir=run_dir,
        attempt=attempt,
        watch=watch,
        children=Children(
            device=device,
            threads=threads,
            log=attempt.log,
            on_tick=watch.listen,
            call=node.call(run_dir.path) if node.count > 1 else None,
        ),
        node=node,
        started_at=started_at,
        began=time.monotonic() - sum(earlier.seconds() for earlier in run_dir.attempts()[:-1]),
    )


def _redirect(log: Path) -> None:
    with appended(log) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]).resolve(), RunId(sys.argv[2])))
