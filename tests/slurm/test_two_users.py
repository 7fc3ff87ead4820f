"""Two users' sweeps on one node of one cluster: neither sees, takes or ends anything of the other's."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.submit import submit
from sweeper.rows.row import read_rows
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.lab import SUBMIT, Lab, all_are, states
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.nightly,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root: runs as a second user"),
]
OTHER = "nobody"


@contextmanager
def seen_by_others(source: Path, target: Path) -> Iterator[Path]:
    """A folder at a second place, because the first may lie below one that only its owner may enter."""
    target.mkdir()
    subprocess.run(["mount", "--bind", source, target], check=True)
    try:
        yield target
    finally:
        subprocess.run(["umount", "-l", target], check=True)


def test_two_users_share_a_node_and_nothing_else(make: Callable[..., RunSpec], lab: Lab, tmp_path: Path) -> None:
    lab.ask("sacctmgr", "-i", "add", "user", OTHER, "Account=lab", "Cluster=lab")
    lab.ask("scontrol", "update", "NodeName=n[2-4]", "State=DRAIN", "Reason=test")
    results = lab.folder / "others"  # below a folder that all may enter
    with ExitStack() as around:
        python = around.enter_context(seen_by_others(Path(sys.base_prefix), lab.folder / "python"))
        checkout = around.enter_context(seen_by_others(Path.cwd(), lab.folder / "checkout"))
        packages = Path(pytest.__file__).parents[1]
        site = around.enter_context(seen_by_others(packages, lab.folder / "site"))
        interpreter = python / "bin" / f"python3.{sys.version_info.minor}"
        one = make("seed=1", step_seconds=3)
        path = f"export PYTHONPATH={checkout / 'tests' / 'slurm' / 'standin'}:{site}"
        # An interpreter with a shared library of its own looks for it at the first place.
        library = str(python / "lib")
        setup = (path, f"export PYTHONDONTWRITEBYTECODE=1 LD_LIBRARY_PATH={library}", *one.cluster.setup[1:])
        cluster = replace(one.cluster, setup=setup, python=str(interpreter))
        theirs = [replace(one, seed=seed, cluster=cluster) for seed in range(3)]
        for spec in theirs:
            RunDir(results_dir=results, run_id=spec.run_id).freeze(spec)
        subprocess.run(["chown", "-R", OTHER, results], check=True)
        variables = {"PYTHONPATH": f"{checkout}:{site}", "SLURM_CONF": os.environ["SLURM_CONF"], "HOME": str(results)}
        variables["LD_LIBRARY_PATH"] = library
        other = ["setpriv", f"--reuid={OTHER}", "--regid=nogroup", "--clear-groups", "env", "-C", str(results)]
        other += [f"{key}={value}" for key, value in variables.items()]
        subprocess.run([*other, str(interpreter), "-c", SUBMIT, str(results)], check=True)
        mine = [make(f"seed={seed}", step_seconds=3) for seed in range(3)]  # the same runs, in a folder of one's own
        submit(mine, tmp_path)

        def on_one_node() -> bool:
            running = lab.ask("squeue", "-h", "-t", "R", "-o", "%u %N").split("\n")
            return {"root n1", f"{OTHER} n1"} <= set(running)

        assert wait_until(on_one_node, 60), lab.ask("squeue")
        assert set(live(tmp_path)) == {spec.run_id for spec in mine}
        assert all_are(tmp_path, State.done, 120)
        assert wait_until(lambda: len(list(read_rows(results))) == 3, 120), list((results / "slurm").rglob("*"))
        assert {path.owner() for path in (results / "rows").iterdir()} == {OTHER}
        assert {path.owner() for path in (tmp_path / "rows").iterdir()} == {"root"}
        for folder, specs in ((results, theirs), (tmp_path, mine)):
            assert set(states(folder).values()) == {State.done}
            assert all(len(RunDir(results_dir=folder, run_id=spec.run_id).attempts()) == 1 for spec in specs)
