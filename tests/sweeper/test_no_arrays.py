"""A site without job arrays (`cluster.arrays=false`): each run is a job of its own; SLURM's programs are scripts."""

import os
import re
from pathlib import Path

import pytest

from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.array import chunks
from sweeper.launch.slurm.export import export
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.scheduler import NoArraysError
from sweeper.launch.slurm.submit import submit
from sweeper.oversight import checkup
from sweeper.oversight.check import Verdict
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec

POINTS = ("cluster=slurm_cpu", "model=tiny-40k")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SLURM's programs: sbatch counts from 1, scancel notes what it is asked for, the others print their file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("squeue", "sacct"):
        (folder / name).write_text(f"#!/bin/sh\ncat {folder}/{name}.out 2>/dev/null\nexit 0\n")
    (folder / "scontrol").write_text("#!/bin/sh\necho MaxArraySize = 0\necho ClusterName = lab\n")
    (folder / "scancel").write_text('#!/bin/sh\necho "$@" >>"$0.calls"\n')
    (folder / "sbatch").write_text(
        f'#!/bin/sh\necho x >>"$0.calls"; [ ! -e {folder}/says ] || {{ cat {folder}/says >&2; exit 1; }}\n'
        'wc -l <"$0.calls"\n'
    )
    for program in ("squeue", "sacct", "scontrol", "scancel", "sbatch"):
        (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def runs(n: int, *overrides: str) -> list[RunSpec]:
    return [spec(*POINTS, "cluster.arrays=false", *overrides, f"seed={seed}") for seed in range(n)]


def test_each_run_is_a_job_and_they_keep_the_ceiling_by_waiting_for_each_other(programs: Path, tmp_path: Path) -> None:
    del programs
    results = tmp_path / "r"
    specs = runs(5, "cluster.max_parallel=2")
    done = submit(specs, results)
    assert sorted(done.submitted.values()) == ["1", "2", "3", "4", "5"]
    after = {chunk.job(results): chunk.after for chunk in chunks(results)}
    starts = [job for job, earlier in after.items() if not earlier]
    assert len(starts) == 2  # two lanes of jobs, each after the one before it
    assert sorted(sum(after.values(), ())) == sorted(set(sum(after.values(), ())))
    for path in (results / "slurm").glob("*.sh"):
        text = path.read_text()
        assert "--array" not in text
        assert "SLURM_ARRAY" not in text
        assert 'scontrol requeue "$SLURM_JOB_ID"' in text
        assert re.search(r"--output=\S+/logs/%j_0_0_log.out", text)  # where `why` looks


def test_jobs_without_arrays_are_found_told_and_cancelled_by_their_numbers(programs: Path, tmp_path: Path) -> None:
    results = tmp_path / "r"
    specs = runs(3)
    submit(specs, results)
    names = {chunk.job(results): chunk.name for chunk in chunks(results)}
    of = {chunk.job(results): chunk.run_ids[0] for chunk in chunks(results)}
    lines = [f"{job}|N/A|PENDING|Priority|{names[job]}|comment={names[job]} /r" for job in (1, 2)]
    (programs / "squeue.out").write_text("\n".join([*lines, "9|N/A|RUNNING|None|mine|comment="]) + "\n")
    (programs / "sacct.out").write_text(f"3|FAILED|1:0|{names[3]}\n")
    queue = Queue.ask(results)
    states = {job: queue.state(RunDir(results_dir=results, run_id=run_id)) for job, run_id in of.items()}
    assert states == {1: State.queued, 2: State.queued, 3: State.interrupted}
    assert queue.reason(of[1]) == "1 PENDING (Priority)"
    assert queue.endings == {of[3]: "FAILED, exit 1:0"}
    assert Queue.recent(results).elements == Queue.recent(results).elements == queue.elements
    scheduler.cancel(queue.elements.values())
    assert sorted((programs / "scancel.calls").read_text().split()) == ["1", "2"]
    assert sorted(submit(specs, results).queued) == sorted([of[1], of[2]])


@pytest.mark.parametrize(
    ("said", "field"),
    [("sbatch: error: QOSMaxSubmitJobPerUserLimit", "left"), ("sbatch: error: Memory specification", "refused")],
)
def test_what_sbatch_says_of_one_job_is_not_asked_of_a_thousand(
    programs: Path, tmp_path: Path, said: str, field: str
) -> None:
    (programs / "says").write_text(said)
    kinds = {"left": runs(4), "refused": [*runs(4), *runs(1, "model.resources.hours=3")]}
    try:
        assert len(submit(kinds[field], tmp_path / "r").left) == 4
    except scheduler.RefusedError:
        assert field == "refused"
    asked = len((programs / "sbatch.calls").read_text().splitlines())
    assert asked == (1 if field == "left" else 2)  # once a shape
    assert chunks(tmp_path / "r") == []


def test_a_site_without_arrays_is_told_with_the_setting_by_doctor_launch_and_export(
    programs: Path, tmp_path: Path
) -> None:
    del programs
    with_arrays = spec(*POINTS)
    with pytest.raises(NoArraysError, match=r"set cluster.arrays=false"):
        submit([with_arrays], tmp_path / "r")
    with pytest.raises(NoArraysError):
        export([with_arrays], tmp_path / "e", None)
    found = checkup._arrays(with_arrays.cluster, 3)
    assert (found.verdict, found.cure) == (Verdict.wrong, "set cluster.arrays=false")
    (alone,) = runs(1)
    assert checkup._arrays(alone.cluster, 3).verdict is Verdict.ok
    (script,) = export([alone], tmp_path / "e", None)
    assert "--array" not in script.path.read_text()
