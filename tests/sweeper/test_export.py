"""Batch scripts exported on a machine without SLURM."""

import errno
import json
import shutil
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.launch.slurm import export, scheduler
from sweeper.launch.slurm.array import Chunk, chunks
from sweeper.launch.slurm.queue import Queue
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId

POINTS = ("model=tiny-40k", "data_scale=n64", "training.total_steps=3", "seed=0,1")
ON_SLURM = ("cluster=slurm", "cluster.device=cpu")


@pytest.fixture(autouse=True)
def no_slurm(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has git, and none of SLURM's commands."""
    programs = tmp_path_factory.mktemp("bin")
    (programs / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(programs))


def exported(results: Path, *more: str) -> int:
    return main(["export-sbatch", f"results_dir={results}", *POINTS, *ON_SLURM, *more])


def states(results: Path, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    capsys.readouterr()
    assert main(["plan", f"results_dir={results}", *POINTS, *more, "--json"]) == 0
    return [run["state"] for run in json.loads(capsys.readouterr().out)["data"]["runs"]]


def test_an_export_blocks_no_later_launch_and_no_other_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(tmp_path) == 0
    assert "2 runs in 1 array\n" in capsys.readouterr().out
    assert states(tmp_path, capsys) == states(tmp_path, capsys, *ON_SLURM) == ["new", "new"]
    assert Queue.ask(tmp_path).error is None
    for verb in (["status"], ["retry", "--dry-run"], ["cancel", "by_seed"], ["gc"]):
        assert main([*verb, "--results", str(tmp_path)]) == 0
        out, err = capsys.readouterr()
        assert "squeue" not in out + err


def test_an_export_with_other_settings_replaces_the_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, out = tmp_path / "results", tmp_path / "out"
    assert exported(results) == 0
    (first,) = (results / "slurm").glob("*.sh")
    assert exported(results, "cluster.account=right", "model.resources.hours=7", "--out", str(out)) == 0
    (second,) = (results / "slurm").glob("*.sh")
    assert first == second
    assert "--account=right" in second.read_text()
    assert (out / second.name).read_text() == second.read_text()
    assert not {path for path in (results, *results.rglob("*")) if path.stat().st_mode & 0o077}  # its user's alone
    (chunk,) = chunks(results)
    for run_id in chunk.run_ids:  # the jobs will do what the script asks for
        assert RunDir(results_dir=results, run_id=run_id).spec().model.resources.hours == 7
    capsys.readouterr()
    # Of fewer runs: the script of both is gone, its list stays for jobs that were submitted unseen.
    assert main(["export-sbatch", f"results_dir={results}", *POINTS[:3], *ON_SLURM, "seed=0"]) == 0
    assert [path.stem for path in (results / "slurm").glob("*.sh")] != [second.stem]
    assert len(list((results / "slurm").glob("*.sh"))) == 1
    assert len(chunks(results)) == 2


def test_a_script_that_was_submitted_is_not_replaced(tmp_path: Path) -> None:
    assert exported(tmp_path) == 0
    (chunk,) = chunks(tmp_path)
    chunk.remember(tmp_path, 7)  # as its job does when it starts
    assert set(Queue.ask(tmp_path).endings) == set(chunk.run_ids)
    Chunk.exported(tmp_path, chunk.run_ids, code="code").write(tmp_path, "#!/bin/sh\n")
    assert len(chunks(tmp_path)) == 2


def test_an_export_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(target: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    results, file = tmp_path / "results", tmp_path / "file"
    file.write_text("")
    for out in (file, file / "below"):
        assert exported(results, "--out", str(out)) == 2
        assert f"--out {out}: {file} is a file; name a folder" in capsys.readouterr().err
    assert not results.exists()
    monkeypatch.setattr(export, "write_atomic", full)
    assert exported(results, "--out", str(tmp_path / "out")) == 2
    assert "No space left on device; make room there" in capsys.readouterr().err
    assert [path for path in results.glob("*/*") if path.parent.name in ("runs", "grids")] == []
    assert sorted(path.name for path in (results / "slurm").iterdir()) == ["lock", "logs"]
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("said", "key"),
    [
        (
            "sbatch: error: Batch job submission failed: Invalid account or account/partition combination",
            "cluster.account",
        ),
        ("sbatch: error: invalid partition specified: gpu", "cluster.partition"),
        ("sbatch: error: Batch job submission failed: Invalid qos specification", "cluster.qos"),
        ("sbatch: error: Requested time limit is invalid (missing or exceeds some limit)", "model.resources.hours"),
        ("sbatch: error: Memory specification can not be satisfied", "cluster.memory_gb_per_gpu"),
    ],
)
def test_what_sbatch_refuses_is_said_once_with_the_key_to_change(
    said: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sbatch").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(scheduler.SchedulerError) as refusal:
        scheduler.ask(["sbatch", "x.sh"])
    assert str(refusal.value).startswith(said.replace("error: ", ""))
    assert key in str(refusal.value)


def test_an_export_says_once_why_points_cannot_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(tmp_path, "algorithm.rollout_n=1") == 2
    first, *reasons = capsys.readouterr().err.splitlines()
    assert first == "error: 2 of 2 points cannot run; nothing was written:"
    assert reasons == ["algorithm.rollout_n=1: GRPO compares responses of a group; use 2 or more"]
    assert not (tmp_path / "slurm").exists()


def test_an_export_of_nothing_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sweeper.rows.row import write_row
    from tests.sweeper.points import plan
    from tests.sweeper.rows import row

    for run in plan(tmp_path, *POINTS).runs:
        assert run.spec is not None
        write_row(tmp_path, row(run.spec))
    assert exported(tmp_path) == 0
    assert capsys.readouterr().out == "0 runs in 0 arrays; nothing is to run: 2 done\n"


def test_in_json_an_export_has_all_that_its_text_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = ("model.source=hub", "model.path=acme/none", "model.warm_start.steps=0", "cluster.sbatch={mem-per-gpu: 90G}")
    assert exported(tmp_path, *hub, "--json") == 0
    out, err = capsys.readouterr()
    assert err.startswith(
        f"acme/none: not in {tmp_path} yet, and jobs fetch nothing; first run: python -m sweeper prep"
    )
    data = json.loads(out)["data"]
    (script,) = data["scripts"]
    assert (Path(script["script"]).suffix, script["after"]) == (".sh", [])
    assert data["commands"][-1] == f"sbatch {script['script']}"
    assert data["absent_weights"] == ["acme/none"]
    assert data["replacements"] == ["--mem-per-gpu=90G (cluster.sbatch) stands in the place of our --mem"]


def test_the_same_runs_of_two_folders_are_jobs_of_different_names(tmp_path: Path) -> None:
    runs = [RunId("a"), RunId("b")]
    names = [Chunk.exported(tmp_path / folder, runs, code="x").name for folder in ("one", "two", "one")]
    assert names[0] == names[2] != names[1]
