"""A real SLURM on this machine: four nodes, accounting, limits; arrays of at most 21 elements."""

import fcntl
import getpass
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.spec.run import RunSpec
from tests.slurm.lab import SMALL, Lab
from tests.sweeper.points import over, spec

HERE = Path(__file__).parent


def free_ports() -> int:
    """The first of 1,300 ports of a cluster of its own, below those given to clients: two clusters must not meet."""
    firsts = list(range(10_500, 31_500, 1_500))
    random.shuffle(firsts)
    return next(first for first in firsts if all(_is_free(first + daemon) for daemon in (0, 2, 9, 11)))  # as in `up`


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


@contextmanager
def _alone() -> Iterator[None]:
    """Nobody else installs SLURM or looks for ports as long as the block runs."""
    with Path(tempfile.gettempdir(), f"slurm-lab-{getpass.getuser()}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def cluster(**settings: str) -> Iterator[Lab]:
    """A SLURM of one's own, in use as long as the block runs; what is left in its queue is cancelled."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    before = {name: os.environ.get(name) for name in ("SLURM_CONF", "PATH")}
    os.environ["PATH"] = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    with _alone():
        subprocess.run([HERE / "install"], check=True)
        settings = {"SLURM_LAB_PORT": str(free_ports()), **settings}
        started = subprocess.run([HERE / "up", folder], capture_output=True, text=True, env=os.environ | settings)
    os.environ["SLURM_CONF"] = str(folder / "etc" / "slurm.conf")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield Lab(folder)
    finally:
        subprocess.run([HERE / "down", folder], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Started once."""
    with cluster() as found:
        yield found


@pytest.fixture(scope="module")
def machines() -> Iterator[Lab]:
    """Two nodes with addresses, host names and processes of their own."""
    if os.getuid() != 0:
        pytest.skip("needs root: makes network namespaces")
    with cluster(SLURM_LAB_NETNS="1", SLURM_LAB_NODES="2") as found:
        yield found


def standin(*overrides: str, step_seconds: float = 0.05, hours: float = 1.0) -> RunSpec:
    """A spec whose job does the stand-in's work."""
    usual = ("cluster=slurm", "cluster.device=cpu", *SMALL, "model=tiny-40k", "training.total_steps=3")
    one = spec(*over(usual, overrides))
    setup = (
        f"export PYTHONPATH={HERE / 'standin'}",
        f"export STANDIN_STEP_SECONDS={step_seconds}",
    )
    resources = replace(one.model.resources, hours=hours)
    return replace(one, cluster=replace(one.cluster, setup=setup), model=replace(one.model, resources=resources))


@pytest.fixture
def make(lab: Lab) -> Iterator[Callable[..., RunSpec]]:
    """Makes stand-ins' specs; the queue is empty before and after."""
    lab.empty()
    yield standin
    lab.empty()
