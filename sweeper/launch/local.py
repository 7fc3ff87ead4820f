"""Run planned points here, each in its own process, a bounded number at once.

Interrupting or killing this process stops its jobs; the same command continues where they stopped.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from sweeper.host import environment
from sweeper.host.machine import Device, resolve_device
from sweeper.host.process import die_with_parent
from sweeper.launch.progress import Reporter
from sweeper.runs.folder import RunDir
from sweeper.spec.cluster import Cluster
from sweeper.spec.run import RunSpec

GRACE_SECONDS = 15.0


def run_local(specs: Sequence[RunSpec], results_dir: Path, *, max_parallel: int, reporter: Reporter) -> None:
    """Freeze every spec, then run all of them; a failed run does not stop the others.

    Args:
        specs: What to run.
        results_dir: Root of runs and rows.
        max_parallel: Jobs alive at once, at least 1.
        reporter: Told of every change.
    """
    waiting = []
    for spec in _one_of_each_model_first(specs):
        waiting.append(RunDir(results_dir=results_dir, run_id=spec.run_id))
        waiting[-1].freeze(spec)
    variables = environment.for_job_here(os.environ, {name for spec in specs for name in spec.cluster.environment})
    active: dict[RunDir, subprocess.Popen[bytes]] = {}
    try:
        while waiting or active:
            while waiting and len(active) < max_parallel:
                run_dir = waiting.pop(0)
                active[run_dir] = start_job(run_dir, variables)
                reporter.started(run_dir)
            time.sleep(0.25)
            for run_dir, process in list(active.items()):
                if process.poll() is None:
                    reporter.beat(run_dir)
                else:
                    del active[run_dir]
                    reporter.ended(run_dir, process.returncode)
    except BaseException:
        _stop(list(active.values()))
        raise


def at_once(cluster: Cluster) -> int:
    """Runs alive at the same time on this machine: its GPUs are used in turns, since runs would take each other's."""
    return 1 if resolve_device(cluster.device) is Device.cuda else cluster.max_parallel


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
    with (run_dir.path / "launch.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "sweeper.job.run", str(run_dir.results_dir), run_dir.run_id],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
            start_new_session=True,  # a terminal's Ctrl-C reaches the launcher alone, which then stops its jobs
        )


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
