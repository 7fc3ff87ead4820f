"""Submission and status of large sweeps on a real SLURM, beside Hydra's own launcher on the same one."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sweeper.launch.slurm import accounting, scheduler
from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.submit import submit
from sweeper.rows.grid_file import Member, Membership
from sweeper.rows.row import Provenance, row_path
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId
from tests.slurm.conftest import cluster
from tests.slurm.lab import SMALL
from tests.sweeper.points import spec
from tests.sweeper.rows import row

N_SUBMITTED = 1_000
N_STATUS = 10_000
# The same points for both: nothing differs but the seed.
POINTS = ("model=tiny-40k", "training.total_steps=3", f"seed=range(0,{N_SUBMITTED})", "-m")
OURS = ("cluster=slurm", "cluster.device=cpu", "cluster.max_nodes=4", *SMALL)
THEIRS = ("hydra/launcher=submitit_slurm", "hydra/sweeper=basic", "hydra.launcher.partition=gpu")


def main() -> None:
    """Both on one cluster whose partition is down, so that no job begins and the machine is the launchers' alone."""
    if os.getuid() != 0 and shutil.which("slurmctld") is None:
        print("submission to SLURM: not measured, its programs are not installed", flush=True)
        return
    with cluster(SLURM_LAB_ARRAY="1001") as lab, tempfile.TemporaryDirectory() as folder:
        lab.ask("scontrol", "update", "PartitionName=gpu", "State=DOWN")
        root = Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")  # where verl was never asked
        ours = _until_queued([*OURS, f"results_dir={root / 'ours'}"])
        again = _seconds([*OURS, f"results_dir={root / 'ours'}"])
        lab.empty()
        mine = _bytes(root / "ours")
        more = _until_queued([*OURS, "training.actor_lr=0.002", f"results_dir={root / 'ours'}"])
        lab.empty()
        elsewhere = _until_queued([*OURS, f"results_dir={root / 'elsewhere'}"])
        lab.empty()
        theirs = _until_queued([*THEIRS, f"results_dir={root / 'theirs'}"])
        lab.empty()
        print(
            f"{N_SUBMITTED} points from the command to the last one queued: {elsewhere:.1f} s into a new results "
            f"folder; {ours:.1f} s when verl has never been asked about such runs; as many others in the same folder: "
            f"{more:.1f} s; the first ones again, all of them queued: {again:.1f} s; hydra-submitit-launcher, which "
            f"asks nobody: {theirs:.1f} s; {theirs / elsewhere:.0f}, {theirs / ours:.0f} and {theirs / more:.0f} times "
            "as long",
            flush=True,
        )
        its = _bytes(root / "theirs")
        print(
            f"bytes written per point: {mine / N_SUBMITTED:.0f}; hydra-submitit-launcher: {its / N_SUBMITTED:.0f}; "
            f"{its / mine:.0f} times as many",
            flush=True,
        )
        status(root / "status")


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "sweeper", *POINTS, *arguments]


def _seconds(arguments: Sequence[str]) -> float:
    start = time.monotonic()
    subprocess.run(_command(arguments), check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def _until_queued(arguments: Sequence[str]) -> float:
    """Seconds until squeue shows every point; a launcher that waits for its jobs is ended then."""
    start = time.monotonic()
    with subprocess.Popen(_command(arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as launcher:
        queued = ["squeue", "-h", "-r", "-o", "%i"]
        while len(subprocess.run(queued, check=True, capture_output=True).stdout.split()) < N_SUBMITTED:
            if launcher.poll() not in (None, 0):
                raise SystemExit(f"the launcher ended with code {launcher.returncode}")
            time.sleep(0.1)
        took = time.monotonic() - start
        if "hydra/sweeper=basic" in arguments:
            launcher.terminate()
    return took


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def status(results: Path) -> None:
    """A sweep of which 62% are done, 1% cancelled and the rest in SLURM's queue, 2% with a heartbeat."""
    one = spec(*OURS, "model=tiny-40k", "training.total_steps=200")
    provenance = Provenance(
        git_commit=None, git_dirty=None, host="n1", device="cuda", device_name="H100", n_devices=8, versions={},
        data_digest=None, model_digest=None,
    )  # fmt: skip
    whole = replace(row(one), provenance=provenance)
    curve = tuple(replace(whole.curve[0], step=step) for step in range(200))
    text = replace(whole, curve=curve).to_json()
    run_ids, queued = [], []
    (results / "rows").mkdir(parents=True)
    for seed in range(N_STATUS):
        run = replace(one, seed=seed)
        run_ids.append(run.run_id)
        RunDir(results_dir=results, run_id=run.run_id).path.mkdir(parents=True)
        if seed < N_STATUS * 0.62:
            row_path(results, run.run_id).write_text(text.replace(one.run_id, run.run_id))
        else:
            queued.append(run)
    submit(queued, results)
    elements = live(results)
    gone = [elements[run.run_id] for run in queued[-N_STATUS // 100 :]]
    scheduler.cancel(gone)
    while len(accounting.endings({element.job: element.name for element in gone})) < len(gone):
        time.sleep(0.5)
    for run in queued[: N_STATUS // 50]:
        attempt = RunDir(results_dir=results, run_id=run.run_id).new_attempt()
        attempt.write("env", {"time": time.time()})
        beat = {"phase": "train", "step": 3, "total_steps": 200, "reward": 0.2, "val_pass1": None, "seconds_left": 9.0}
        attempt.write("heartbeat", {**beat, "time": time.time(), "pid": 1, "host": "n1"})
    members = tuple(
        Member(run_id=RunId(run_id), choice=(str(seed),), devices=8, device_hours=1.0)
        for seed, run_id in enumerate(run_ids)
    )
    Membership(name="large", grid="large", axes={"seed": tuple(map(str, range(N_STATUS)))}, members=members).write(
        results
    )
    command = [sys.executable, "-m", "sweeper", "status", "--results", str(results)]
    calls = _count_calls(results)
    taken = []
    asked: list[str] = []
    for _ in range(2):
        (results / "calls").unlink(missing_ok=True)
        (results / "slurm" / "queue.json").unlink(missing_ok=True)
        start = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PATH": calls})
        taken.append(time.monotonic() - start)
        asked = (results / "calls").read_text().split()  # of one refresh
        assert sorted(asked) == ["sacct", "squeue"]
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PATH": calls})
    kept = time.monotonic() - start
    assert (results / "calls").read_text().split() == asked
    print(
        f"status of {N_STATUS} runs, {len(gone)} of them ended without a row: {taken[1]:.2f} s ({_squeue():.2f} s of "
        f"it squeue's own), SLURM asked by {' and '.join(asked)}; the first time {taken[0]:.2f} s; again within 15 s "
        f"{kept:.2f} s, SLURM not asked",
        flush=True,
    )


def _squeue() -> float:
    start = time.monotonic()
    subprocess.run(["squeue", "-h", "-r"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def _count_calls(results: Path) -> str:
    """A PATH on which every call of SLURM's is noted down and then made."""
    folder = results / "bin"
    folder.mkdir()
    for name in ("squeue", "sacct", "scontrol", "sbatch", "sinfo"):
        program = folder / name
        program.write_text(f'#!/bin/sh\necho {name} >>{results / "calls"}\nexec {shutil.which(name)} "$@"\n')
        program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


if __name__ == "__main__":
    main()
