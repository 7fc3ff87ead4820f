import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from rewards.bounded_file import read_json
from sweeper.host.errors import DamagedError
from sweeper.launch.slurm.queue import Queue, kept
from sweeper.launch.slurm.scheduler import Element
from sweeper.oversight.status import Seen, run_statuses, status_text
from sweeper.plan.plan import save_grid
from sweeper.rows.grid_file import Membership
from sweeper.rows.row import Failure, row_path, write_row
from sweeper.rows.row_cache import briefs
from sweeper.runs.attempt import Heartbeat
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run_id import RunId
from tests.provenance import measured_on
from tests.sweeper.points import plan, spec
from tests.sweeper.rows import row

AXES = ("model=tiny-40k,tiny-130k", "seed=0,1")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A grid of two models x two seeds: done, failed, interrupted in step 3, never begun."""
    found = plan(tmp_path, *AXES)
    save_grid(found, tmp_path)
    specs = [run.spec for run in found.runs if run.spec is not None]
    for run in specs:
        RunDir(results_dir=tmp_path, run_id=run.run_id).freeze(run)
    write_row(tmp_path, row(specs[0]))
    write_row(tmp_path, row(specs[1], failure=Failure(phase="train", reason="out of memory", log="runs/x/log.txt")))
    attempt = RunDir(results_dir=tmp_path, run_id=specs[2].run_id).new_attempt()
    attempt.write("env", {"time": 1000.0})
    beat = {"phase": "train", "step": 3, "total_steps": 40, "reward": 0.25, "val_pass1": None, "seconds_left": 90.0}
    attempt.beat(Heartbeat(**beat, time=4600.0, pid=1, host="n1"))  # type: ignore[arg-type]
    return tmp_path


def lines(results: Path) -> list[list[str]]:
    return [line.split() for line in status_text(run_statuses(results, None)).splitlines()]


def test_rows_without_folders_of_runs_are_shown(tmp_path: Path) -> None:
    runs = [spec("seed=0"), spec("seed=1")]
    write_row(tmp_path, row(runs[0]))
    write_row(tmp_path, row(runs[1], failure=Failure(phase="train", reason="out of memory", log="runs/x/log.txt")))
    assert [item["state"] for item in run_statuses(tmp_path, None)] == ["done", "failed"]
    assert "train: out of memory" in status_text(run_statuses(tmp_path, runs[1].run_id))


def test_axis_values_are_columns_and_groups_are_apart(results: Path) -> None:
    found = lines(results)
    assert found[0] == ["by_model:"]
    assert found[1][:5] == ["model", "seed", "state", "step", "reward"]
    assert [line[:3] for line in found[3:8]] == [
        ["tiny-40k", "0", "done"],
        ["tiny-40k", "1", "failed"],
        [],
        ["tiny-130k", "0", "interrupted"],
        ["tiny-130k", "1", "new"],
    ]
    assert found[6][3:6] == ["3/40", "0.250", "-"]
    assert "1m30s" in found[6]
    assert found[-1][:8] == ["1", "done,", "1", "failed,", "1", "interrupted,", "1", "new;"]


def test_swept_values_read_as_in_the_plan_and_hide_behind_no_column(results: Path) -> None:
    (item,) = (item for item in run_statuses(results, None) if item["state"] == "interrupted")
    choices = [("null", "3e-05"), ("my.py:score", "0.3")]
    swept = [{**item, "choice": {"reward.path": path, "training.actor_lr": lr}} for path, lr in choices]
    found = [line.split() for line in status_text(swept).splitlines()]
    assert found[1][:5] == ["reward.path", "lr", "state", "step", "reward"]
    assert [line[:2] for line in found if line and line[0] in ("unset", "my.py:score")] == [
        ["unset", "3e-5"],
        ["my.py:score", "0.3"],
    ]


def test_device_hours_are_those_of_the_row_and_of_attempts_still_without_one(results: Path) -> None:
    spent = [item["device_hours"] for item in run_statuses(results, None)]
    assert spent[2] == pytest.approx(1.0)  # from the attempt's start to its last heartbeat, one device
    assert spent[0] is None  # this row does not say on how many devices it ran
    assert spent[3] == 0.0


def test_planned_device_hours_are_those_of_the_launch(results: Path) -> None:
    path = results / "grids" / "by_model.json"
    values = json.loads(path.read_text())
    assert values["device_hours"] == [None] * 4  # nothing was measured when it was planned
    path.write_text(json.dumps(values | {"device_hours": [1.0, 2.0, 3.0, 4.0]}))
    statuses = run_statuses(results, None)
    assert [item["planned_device_hours"] for item in statuses] == [1.0, 2.0, 3.0, 4.0]
    assert "1.00 of 10.00 planned device-hours spent" in status_text(statuses)


def test_a_grid_file_of_an_earlier_version_still_names_its_runs(results: Path) -> None:
    path = results / "grids" / "by_model.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({key: values[key] for key in ("grid", "axes", "run_ids")}))
    assert len(Membership.read(results, "by_model").members) == 4
    assert "tiny-130k" in status_text(run_statuses(results, None))


def test_a_run_of_no_grid_and_one_of_two_grids_are_told_once(results: Path) -> None:
    values = json.loads((results / "grids" / "by_model.json").read_text())
    (results / "grids" / "other.json").write_text(json.dumps(values | {"grid": "other"}))
    (results / "runs" / "alone-0123").mkdir()
    statuses = run_statuses(results, None)
    assert [item["grid"] for item in statuses] == ["by_model"] * 4 + [None]
    assert [item["grid"] for item in run_statuses(results, "other")] == ["other"] * 4
    assert len(run_statuses(results, "alone")) == 1


def test_a_row_in_short_is_read_again_when_its_file_changed(results: Path) -> None:
    (failed,) = (run_id for run_id, brief in briefs(results, []).items() if brief.reason)
    assert briefs(results, [])[failed].reason == "train: out of memory (log: runs/x/log.txt)"
    path = row_path(results, failed)
    path.write_text(path.read_text().replace("out of memory", "disk is full"))
    assert "disk is full" in str(briefs(results, [])[failed].reason)
    path.unlink()
    assert failed not in briefs(results, [])


def test_a_row_that_is_none_is_told_with_its_path(results: Path) -> None:
    row_path(results, "broken").write_text('{"schema_version": 1}')
    damaged: list[DamagedError] = []
    *others, last = run_statuses(results, None, damaged=damaged)
    assert len(others) == 4
    assert (last["run_id"], last["state"]) == ("broken", "damaged")
    assert [str(error).partition(" is damaged")[0] for error in damaged] == [str(row_path(results, "broken"))]


def test_rows_in_short_agree_with_rows_read_in_full(tmp_path: Path) -> None:
    (run,) = [item.spec for item in plan(tmp_path, "seed=0,1").runs[:1] if item.spec]
    provenance = measured_on(device="cuda", device_name="H100", n_devices=8)
    write_row(tmp_path, replace(row(run, total_s=1800.0), provenance=provenance))
    (brief,) = briefs(tmp_path, []).values()
    assert (brief.pass1, brief.device_hours, brief.reason) == (0.5, 4.0, None)


def broken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SLURM's commands that do not answer, and count how often they are asked."""
    calls = folder / "calls"
    for name in ("squeue", "sacct"):
        (folder / name).write_text(
            f"#!/bin/sh\necho {name} >>{calls}\necho 'Unable to contact controller' >&2\nexit 1\n"
        )
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return calls


def test_a_slurm_that_does_not_answer_is_asked_less_and_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results"
    (results / "slurm").mkdir(parents=True)
    chunk = {"run_ids": ["a-1"], "code": "x", "shape": {}}
    (results / "slurm" / "sweep-1.json").write_text(json.dumps(chunk))
    calls, clock = broken(tmp_path, monkeypatch), [1000.0]
    monkeypatch.setattr("sweeper.launch.slurm.queue.time.time", lambda: clock[0])
    asked = []
    for _ in range(150):
        queue = Queue.recent(results)
        assert queue.state(RunDir(results_dir=results, run_id=RunId("a-1"))) is State.unknown
        asked.append(len(calls.read_text().splitlines()))
        clock[0] += 10.0
    times = [i * 10 for i in range(1, 150) if asked[i] != asked[i - 1]]
    assert times == [30, 90, 210, 450, 750, 1050, 1350]
    kept(results).unlink()
    Queue.recent(results)
    assert len(calls.read_text().splitlines()) == asked[-1] + 1


def test_a_spec_that_was_sound_is_read_again_once_it_changes_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = spec("seed=1")
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.freeze(run)
    element = Element(job=1, index=0, name=run.run_id, state="PENDING", reason="Resources")
    queue = Queue(elements={run.run_id: element}, endings={}, time=1.0)
    read: list[Path] = []

    def reading(path: Path) -> object:
        read.append(path)
        return read_json(path)

    monkeypatch.setattr("sweeper.runs.folder.read_json", reading)

    def told() -> str:
        (item,) = run_statuses(tmp_path, None, queue)
        assert item["state"] == "queued"
        return str(item["reason"])

    assert [told(), told(), told()] == ["None"] * 3
    assert read == [run_dir.spec_path]
    whole = run_dir.spec_path.read_text()
    run_dir.spec_path.write_text(whole.replace("spec_version", "spec_versions"))
    assert "'spec_version' is missing" in told()
    assert "'spec_version' is missing" in told()
    run_dir.spec_path.write_text(whole)
    (tmp_path / ".specs.json").write_text("[1]")
    assert told() == "None"
    run_dir.spec_path.write_text("")
    assert "it is empty" in told()


def test_who_looks_with_a_memory_of_their_own_writes_nothing_and_reads_a_changed_row_again(results: Path) -> None:
    before, seen = sorted(results.rglob("*")), Seen()
    first = run_statuses(results, None, Queue.watched(results, None), [], seen)
    assert run_statuses(results, None, Queue.watched(results, None), [], seen) == first
    (failed,) = (RunId(item["run_id"]) for item in first if item["state"] == "failed")
    path = row_path(results, failed)
    path.write_text(path.read_text().replace("out of memory", "out of disk"))
    assert "out of disk" in str(run_statuses(results, None, Queue.watched(results, None), [], seen))
    assert sorted(results.rglob("*")) == before


def test_a_watcher_takes_the_newest_answer_of_slurm_and_keeps_its_own_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results"
    calls, clock = broken(tmp_path, monkeypatch), [1000.0]
    monkeypatch.setattr("sweeper.launch.slurm.queue.time.time", lambda: clock[0])
    (results / "slurm").mkdir(parents=True)
    (results / "slurm" / "sweep-1.json").write_text(json.dumps({"run_ids": ["a-1"], "code": "x", "shape": {}}))
    before = sorted(results.rglob("*"))
    first = Queue.watched(results, None)
    assert first.error is not None
    assert first.failures == 1
    asked = calls.read_text()
    assert Queue.watched(results, first) is first
    assert calls.read_text() == asked
    clock[0] += 100.0
    second = Queue.watched(results, first)
    assert second.failures == 2
    assert calls.read_text() != asked
    assert sorted(results.rglob("*")) == before
