"""Run planned points here, each in its own process, a bounded number at once.

Interrupting or killing this process stops its jobs; the same command continues where they stopped.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from data_prep.files.lock import holder, holds
from sweeper.host import environment
from sweeper.host.files import appended
from sweeper.host.machine import Device, resolve_device
from sweeper.host.process import die_with_parent
from sweeper.job.exit import EXIT_TERMINATED
from sweeper.launch.progress import reporter
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec

GRACE_SECONDS = 15.0


def run_local(specs: Sequence[RunSpec], results_dir: Path, *, on_end: Callable[[RunDir], None] | None = None) -> None:
    """Freeze every spec, then run all of them, under the lowest `cluster.max_parallel`; a failed run stops no other.

    `on_end` is called with each run that has ended.
    """
    if not specs:
        return
    clusters = {spec.cluster for spec in specs}
    at_once = min(one.local_processes(on_gpus=resolve_device(one.device) is Device.cuda) for one in clusters)
    waiting = []
    for spec in _one_of_each_model_first(specs):
        waiting.append(RunDir(results_dir=results_dir, run_id=spec.run_id))
        waiting[-1].freeze(spec)
        waiting[-1].cancelled.unlink(missing_ok=True)
    told = reporter(waiting, results_dir)
    variables = environment.for_job_here(os.environ, {name for spec in specs for name in spec.cluster.environment})
    active: dict[RunDir, subprocess.Popen[bytes]] = {}
    try:
        while waiting or active:
            while waiting and len(active) < at_once:
                run_dir = waiting.pop(0)
                told.started(run_dir)
                if run_dir.cancelled.exists():
                    told.ended(run_dir, EXIT_TERMINATED)
                else:
                    active[run_dir] = start_job(run_dir, variables)
            time.sleep(0.25)
            for run_dir, process in list(active.items()):
                if process.poll() is None:
                    told.beat(run_dir)
                else:
                    del active[run_dir]
                    told.ended(run_dir, process.returncode)
                    if on_end is not None:
                        on_end(run_dir)
    except BaseException:
        _stop(list(active.values()))
        raise


def _one_of_each_model_first(specs: Sequence[RunSpec]) -> list[RunSpec]:
    """Reorder so that neighbours differ in their base model: jobs of the same one would wait for it to be prepared."""
    seen: Counter[str] = Counter()
    ranked = []
    for spec in specs:
        ranked.append((seen[spec.model.name], spec))
        seen[spec.model.name] += 1
    return [spec for _, spec in sorted(ranked, key=lambda pair: pair[0])]


def start_job(run_dir: RunDir, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the job of a frozen run; what it prints before it opens its own log goes to `launch.log`."""
    with appended(run_dir.path / "launch.log") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "sweeper.job.run", str(run_dir.results_dir), run_dir.run_id],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
            start_new_session=True,  # a terminal's Ctrl-C reaches the launcher alone, which then stops its jobs
        )


def cancel(run_dirs: Sequence[RunDir]) -> tuple[list[RunDir], list[RunDir]]:
    """Stop the runs that are alive on this machine, and let no launcher start those that wait in its line.

    Returns:
        Those that were alive and are not any more; those that still are: on another machine, or another user's.
    """
    for run_dir in run_dirs:
        if run_dir.path.is_dir():
            run_dir.cancelled.touch()
    alive = [run_dir for run_dir in run_dirs if run_dir.is_locked()]
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 5.0)):
        mine = [run_dir for run_dir in alive if _signal(run_dir, number)]
        deadline = time.monotonic() + seconds
        while any(run_dir.is_locked() for run_dir in mine) and time.monotonic() < deadline:
            time.sleep(0.1)
    left = [run_dir for run_dir in alive if run_dir.is_locked()]
    return [run_dir for run_dir in alive if run_dir not in left], left


def _signal(run_dir: RunDir, number: signal.Signals) -> bool:
    """Send a signal to the job of a run; False: it has none on this machine that this user may stop."""
    found = holder(run_dir.lock)
    if found is None or found.host != socket.gethostname() or not holds(found.pid, run_dir.lock):
        return False  # whoever may write the lock may have named any process
    with suppress(ProcessLookupError, PermissionError):
        os.kill(found.pid, number)
        return True
    return False


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
