"""A real SLURM on this machine: four nodes, accounting, limits; arrays of at most 21 elements."""

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.spec import RunSpec
from tests.slurm.lab import Lab
from tests.sweeper.points import spec

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Started once; what is left in its queue is cancelled, and it is gone afterwards."""
    subprocess.run([HERE / "install"], check=True)
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    before = {name: os.environ.get(name) for name in ("SLURM_CONF", "PATH")}
    os.environ["PATH"] = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    # Two clusters on one machine must not meet; 1,300 ports from the first are used, below those given to clients.
    ports = {"SLURM_LAB_PORT": str(random.randrange(10_000, 31_000, 1_500))}
    started = subprocess.run([HERE / "up", folder], capture_output=True, text=True, env=os.environ | ports)
    assert started.returncode == 0, started.stdout + started.stderr
    os.environ["SLURM_CONF"] = str(folder / "etc" / "slurm.conf")
    try:
        yield Lab(folder)
    finally:
        subprocess.run([HERE / "down", folder], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture
def make(lab: Lab) -> Iterator[Callable[..., RunSpec]]:
    """Specs whose jobs do the stand-in's work; the queue is empty before and after."""
    lab.empty()

    def make(*overrides: str, step_seconds: float = 0.05, hours: float = 1.0) -> RunSpec:
        one = spec("cluster=slurm", "cluster.device=cpu", "model=tiny-40k", "training.total_steps=3", *overrides)
        setup = (
            f"export PYTHONPATH={HERE / 'standin'}",
            f"export STANDIN_STEP_SECONDS={step_seconds}",
        )
        resources = replace(one.model.resources, hours=hours)
        return replace(one, cluster=replace(one.cluster, setup=setup), model=replace(one.model, resources=resources))

    yield make
    lab.empty()
