import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_prep.files.lock import locked
from sweeper.cli.main import main
from sweeper.launch.slurm.array import Chunk, in_json
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.shape import shape_of
from sweeper.oversight.garbage import DAY, find
from sweeper.rows.row import Failure, row_path, write_row
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from tests.sweeper.called import called
from tests.sweeper.points import spec
from tests.sweeper.rows import row

SILENT = Queue(elements={}, endings={})


def run_with_checkpoints(results: Path, run: RunSpec, *, done: bool) -> RunDir:
    run_dir = RunDir(results_dir=results, run_id=run.run_id)
    run_dir.freeze(run)
    run_dir.new_attempt().log.write_text("log")
    for step in (10, 20):
        folder = run_dir.checkpoints / f"global_step_{step}" / "actor"
        folder.mkdir(parents=True)
        (folder / "weights").write_bytes(b"x" * 1000)
    (run_dir.checkpoints / "latest_checkpointed_iteration.txt").write_text("20")
    failure = None if done else Failure(phase="train", reason="x", log="y")
    write_row(results, row(run, failure=failure))
    return run_dir


def frozen(results: Path, digest: str, *runs: RunSpec) -> Path:
    code = results / "code" / digest
    (code / "sweeper").mkdir(parents=True)
    (code / "sweeper" / "job.py").write_text("code")
    chunk = Chunk.new([run.run_id for run in runs], code=str(code), shape=in_json(shape_of(runs[0])))
    chunk.write(results, "#!/bin/sh\n")
    chunk.remember(results, 7)
    return code


def test_only_earlier_checkpoints_of_runs_that_are_done_may_go(tmp_path: Path) -> None:
    done = run_with_checkpoints(tmp_path, spec("seed=1"), done=True)
    run_with_checkpoints(tmp_path, spec("seed=2"), done=False)
    found = find(tmp_path, SILENT, [], now=time.time())
    assert [item.path for item in found] == [done.checkpoints / "global_step_10"]
    assert found[0].size == 1000
    (done.checkpoints / "latest_checkpointed_iteration.txt").unlink()  # which is the last is not known
    assert find(tmp_path, SILENT, [], now=time.time()) == []


def test_code_goes_when_no_unfinished_run_needs_it_and_stays_when_slurm_is_silent(tmp_path: Path) -> None:
    one, two = spec("seed=1"), spec("seed=2")
    run_with_checkpoints(tmp_path, one, done=True)
    run_with_checkpoints(tmp_path, two, done=False)
    old, used = frozen(tmp_path, "aa", one), frozen(tmp_path, "bb", one, two)
    found = {item.path for item in find(tmp_path, SILENT, [], now=time.time())}
    assert old in found
    assert used not in found
    assert sum(path.parent.name == "slurm" for path in found) == 3  # .json, .sh and .job of the first array
    silent = Queue(elements={}, endings={}, error="no answer")
    assert not {old, used} & {item.path for item in find(tmp_path, silent, [], now=time.time())}


def test_a_temporary_file_goes_when_nobody_can_still_be_writing_it(tmp_path: Path) -> None:
    old, young = tmp_path / "rows" / ".a.json.host-1.tmp", tmp_path / "rows" / ".b.json.host-2.tmp"
    old.parent.mkdir()
    for path in (old, young):
        path.write_text("half")
    os.utime(old, (time.time() - 2 * DAY,) * 2)
    assert [item.path for item in find(tmp_path, SILENT, [], now=time.time())] == [old]


def test_weights_whose_fetch_nobody_went_on_with_go_after_a_day(tmp_path: Path) -> None:
    partial = tmp_path / "weights" / ".acme--tiny@0123.partial"
    partial.mkdir(parents=True)
    (partial / "model.safetensors").write_text("half")
    assert find(tmp_path, SILENT, [], now=time.time()) == []
    assert [item.path for item in find(tmp_path, SILENT, [], now=time.time() + 2 * DAY)] == [partial]


def test_a_checkpoint_of_a_run_that_came_alive_stays(tmp_path: Path) -> None:
    done = run_with_checkpoints(tmp_path, spec("seed=1"), done=True)
    (item,) = find(tmp_path, SILENT, [], now=time.time())
    with locked(done.path / "lock", wait=False):
        assert not item.remove()
    assert item.path.is_dir()
    assert item.remove()
    assert not item.path.exists()


def test_nothing_is_deleted_while_somebody_submits(tmp_path: Path) -> None:
    done = run_with_checkpoints(tmp_path, spec("seed=1"), done=True)
    frozen(tmp_path, "aa", spec("seed=1"))
    command = [sys.executable, "-m", "sweeper", "gc", "--yes", "--results", str(tmp_path)]
    with locked(tmp_path / "slurm" / "lock", wait=True):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "PATH": "/nowhere"})
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=3)
        assert (tmp_path / "code" / "aa").is_dir()
    assert process.wait(timeout=60) == 0
    assert not (done.checkpoints / "global_step_10").exists()


def test_nothing_is_deleted_without_yes_and_never_a_row_a_spec_or_a_log(tmp_path: Path) -> None:
    run = spec("seed=1")
    done = run_with_checkpoints(tmp_path, run, done=True)
    told = called("gc", "--results", str(tmp_path))
    assert told.returncode == 0, told.stderr
    assert "global_step_10" in told.stdout
    assert "--yes deletes" in told.stdout
    assert (done.checkpoints / "global_step_10").is_dir()
    deleted = called("gc", "--results", str(tmp_path), "--yes", "--json")
    assert deleted.returncode == 0, deleted.stderr
    assert json.loads(deleted.stdout)["data"]["deleted"] == 1
    assert not (done.checkpoints / "global_step_10").exists()
    assert (done.checkpoints / "global_step_20" / "actor" / "weights").exists()
    assert done.spec_path.exists()
    assert done.attempts()[0].log.exists()
    assert row_path(tmp_path, run.run_id).exists()


def test_checkpoints_of_one_run_are_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_dir = run_with_checkpoints(tmp_path, spec("seed=1"), done=True)
    (run_dir.checkpoints / "global_step_5").mkdir()
    assert main(["gc", "--results", str(tmp_path)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert f"2 in runs/{run_dir.run_id}/checkpoints  (checkpoint of a run that is done; global_step_20 stays)" in first
    assert last.endswith("in 2; --yes deletes them")


@pytest.mark.parametrize("place", ["runs", "runs/RUN", "runs/RUN/checkpoints", "runs/RUN/checkpoints/global_step_10"])
def test_what_lies_behind_a_link_is_named_and_left(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    run_dir = run_with_checkpoints(results, spec("seed=1"), done=True)
    link = results / place.replace("RUN", run_dir.run_id)
    link.rename(elsewhere)
    link.symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    assert main(["gc", "--yes", "--results", str(results)]) == 0
    assert capsys.readouterr().err == f"{link} is a link, so what lies behind it is left\n"
    assert sorted(elsewhere.rglob("*")) == before
    assert link.is_symlink()


def test_a_link_in_the_place_of_code_rows_or_a_temporary_file_takes_nothing_from_elsewhere(tmp_path: Path) -> None:
    results, mine = tmp_path / "results", tmp_path / "mine"
    (mine / "project").mkdir(parents=True)
    (mine / ".draft.tmp").write_text("half")
    os.utime(mine / ".draft.tmp", (0, 0))
    results.mkdir()
    for name in ("code", "rows"):
        (results / name).symlink_to(mine)
    (results / ".x.tmp").symlink_to(mine)
    os.utime(results / ".x.tmp", (0, 0), follow_symlinks=False)
    links = set[Path]()
    (item,) = find(results, SILENT, [], now=time.time(), links=links)
    assert (item.path, links) == (results / ".x.tmp", {results / "code", results / "rows"})
    assert item.remove()
    assert sorted(path.name for path in mine.iterdir()) == [".draft.tmp", "project"]


def test_what_became_a_link_since_it_was_found_stays(tmp_path: Path) -> None:
    done = run_with_checkpoints(tmp_path / "results", spec("seed=1"), done=True)
    (item,) = find(tmp_path / "results", SILENT, [], now=time.time())
    done.checkpoints.rename(tmp_path / "elsewhere")
    done.checkpoints.symlink_to(tmp_path / "elsewhere")
    assert not item.remove()
    assert (tmp_path / "elsewhere" / "global_step_10").is_dir()
