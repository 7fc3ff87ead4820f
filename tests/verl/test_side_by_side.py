"""Two runs that are started on one machine at once have no socket, port, cache or temporary name in common."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir

import psutil
import pytest

from sweeper.host.environment import caches, for_job_here
from sweeper.host.process import PACKAGES
from sweeper.rows.curve import read_curve
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec
from tests.waiting import wait_until

pytestmark = [pytest.mark.verl, pytest.mark.nightly]

SMALL = (
    "model=tiny-40k",
    "model.warm_start.steps=0",
    "training.total_steps=200",  # stopped before
    "data_scale=n64",
    "data_scale.epochs=null",
    "eval.n_samples=2",
    "eval.ks=[1,2]",
    "eval.problems_per_domain=1",
    "eval.val_problems_per_domain=1",
)
TEMPORARY = (gettempdir(), "/tmp", "/var/tmp", "/dev/shm")
INSTALLED = (sys.prefix, str(PACKAGES))  # code, wherever it lies
OF_RUNS = ("RAY_TMPDIR", *caches(Path("/any")))  # what may not be the same in any two processes of different runs


def trains(results: Path, run: RunSpec) -> bool:
    found = RunDir(results_dir=results, run_id=run.run_id)
    curve = read_curve(attempt.metrics for attempt in found.attempts())
    return any(point.reward is not None for point in curve)


def tree(child: "subprocess.Popen[bytes]") -> Iterator[psutil.Process]:
    yield from (psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True))


def held(child: "subprocess.Popen[bytes]") -> dict[str, set[str]]:
    """By kind: what the processes of a run hold by name."""
    found: dict[str, set[str]] = {"sockets": set(), "ports": set(), "files": set(), "folders": set()}
    for process in tree(child):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
            for one in process.net_connections(kind="all"):
                if isinstance(one.laddr, str):
                    found["sockets"] |= {one.laddr} - {""}
                elif one.status == psutil.CONN_LISTEN:
                    found["ports"].add(str(one.laddr.port))
            maps = (item.path for item in process.memory_maps())
            names = {item.path for item in process.open_files()} | set(maps)
            found["files"] |= {name for name in names if name.startswith(TEMPORARY) and not name.startswith(INSTALLED)}
            variables = process.environ()
            found["folders"] |= {variables[name] for name in OF_RUNS if name in variables}
    return found


def test_two_runs_at_once_have_nothing_in_common(tmp_path: Path) -> None:
    runs = [spec(*SMALL, f"seed={seed}") for seed in range(2)]
    children = []
    for number, run in enumerate(runs):
        results = tmp_path / str(number)
        RunDir(results_dir=results, run_id=run.run_id).freeze(run)
        command = [sys.executable, "-m", "sweeper.job.run", str(results), run.run_id]
        children.append(subprocess.Popen(command, env=for_job_here(os.environ, ()), start_new_session=True))
    try:
        both = zip(range(2), runs, strict=True)
        assert all(wait_until(lambda n=n, run=run: trains(tmp_path / str(n), run), 400) for n, run in both)
        first, second = (held(child) for child in children)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=60)
    for kind in first:
        assert first[kind], f"none seen: {kind}"
        assert first[kind] & second[kind] == set(), kind
    assert len(first["folders"]) == len(OF_RUNS)
