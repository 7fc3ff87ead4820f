"""A file of a results folder that is empty, cut or another program's: told with its path, all else as ever."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from analysis.runs.selection import select
from sweeper.cli.main import main
from sweeper.host.errors import DamagedError
from sweeper.inputs.data import prepared
from sweeper.launch.slurm.array import Chunk, chunks
from sweeper.plan.plan import make_plan, save_grid
from sweeper.rows.row import MOST_NAMES, Failure, problems_path, read_row, row_path, write_row
from sweeper.runs.attempt import Heartbeat
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State, state_of
from sweeper.spec.run_id import RunId
from tests.sweeper.points import grid_of, spec
from tests.sweeper.rows import row

AXES = ("model=tiny-40k", "seed=0,1,2")
GRID = "by_seed+tiny-40k"
BEAT = {"phase": "train", "step": 3, "total_steps": 40, "reward": 0.25, "val_pass1": None, "seconds_left": 90.0}
CONTENTS = {
    "empty": lambda _: "",
    "cut": lambda text: text[: len(text) // 2],
    "foreign": lambda _: '{"name": "x"}',
    "a list": lambda _: "[1, 2]\n",
    "nested": lambda _: "[" * 100_000,
}
PLACES = {
    "a folder": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to(path.with_name("nothing")),
    "a file": lambda path: path.write_text("x"),
}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A grid of three runs: done, failed, interrupted in step 3."""
    found = make_plan(grid_of(*AXES), tmp_path)
    save_grid(found, tmp_path)
    done, failed, interrupted = (run.spec for run in found.runs if run.spec is not None)
    for run in (done, failed, interrupted):
        run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
        run_dir.freeze(run)
        attempt = run_dir.new_attempt()
        attempt.write("env", {"time": 1000.0})
        attempt.beat(Heartbeat(**BEAT, time=1060.0, pid=1, host="n1"))  # type: ignore[arg-type]
        attempt.write("alive", {"time": 1060.0})
        attempt.log.write_text("torch.OutOfMemoryError: CUDA out of memory.\n")
        if run is not interrupted:
            attempt.write("exit", {"status": "failed", "phase": "train"})
    write_row(tmp_path, row(done))
    write_row(tmp_path, row(failed, failure=Failure(phase="train", reason="out of memory", log="runs/x/log.txt")))
    return tmp_path


def runs(results: Path) -> dict[str, RunDir]:
    folders = sorted((results / "runs").iterdir(), key=lambda path: path.name.partition("-")[2].partition("_s")[2])
    states = ("done", "failed", "interrupted")  # in the order of their seeds
    found = [RunDir(results_dir=results, run_id=RunId(path.name)) for path in folders]
    return dict(zip(states, found, strict=True))


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


FILES = {
    "heartbeat": lambda run: run.path / "attempts" / "001" / "heartbeat.json",
    "alive": lambda run: run.path / "attempts" / "001" / "alive.json",
    "env": lambda run: run.path / "attempts" / "001" / "env.json",
    "exit": lambda run: run.path / "attempts" / "001" / "exit.json",
    "spec": lambda run: run.spec_path,
    "row": lambda run: row_path(run.results_dir, run.run_id),
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", FILES)
def test_a_run_with_a_damaged_file_is_shown_as_damaged_and_the_others_as_ever(
    name: str, content: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = runs(results)["failed"]
    path = FILES[name](damaged)
    path.write_text(CONTENTS[content](path.read_text()))
    where = ["--results", str(results)]

    code, out, _ = answer(capsys, "status", *where, "--json")
    states = {item["run_id"]: item for item in json.loads(out)["data"]}
    is_told = name == "row"  # a run whose other files are damaged is in the answer as such; a row is missing from it
    assert code == is_told
    assert sorted(item["state"] for item in states.values()) == ["damaged", "done", "interrupted"]
    assert str(path) in states[damaged.run_id]["reason"]
    assert "remove it" in states[damaged.run_id]["reason"]
    code, out, _ = answer(capsys, "status", *where)
    assert code == is_told
    assert str(path) in out
    assert "1 done, 1 damaged, 1 interrupted" in out

    code, out, _ = answer(capsys, "plan", *AXES, f"results_dir={results}")
    assert code == is_told
    assert "1 done, 1 damaged, 1 interrupted" in out
    assert f"{path} is damaged: " in out
    assert "to run: 1," in out

    code, out, err = answer(capsys, "retry", "--dry-run", *where)
    assert code == 1
    assert "1 of 1 runs without a result are tried again" in out
    assert str(path) in err

    code, out, err = answer(capsys, "results", GRID, *where, "--csv")
    assert code == is_told
    assert len(out.splitlines()) == (2 if name == "row" else 3)
    assert (f"{path} is damaged" in err) == (name == "row")

    code, out, err = answer(capsys, "why", damaged.run_id, *where)
    assert code == 1
    assert f"{path} is damaged: " in err
    assert f"{damaged.run_id}: damaged" in out
    assert str(path) in out
    assert answer(capsys, "gc", *where)[0] == is_told


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *((name, "a folder") for name in FILES if name != "row"),
        *((name, place) for name in ("folder", "attempts") for place in ("a file", "a link to itself")),
        *(("lock", place) for place in ("a folder", "a link to itself")),
    ],
)
def test_a_run_with_something_else_in_the_place_of_its_file_or_folder_is_damaged(
    name: str, place: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = runs(results)["interrupted"]
    folders = {"folder": damaged.path, "attempts": damaged.path / "attempts", "lock": damaged.lock}
    path = folders[name] if name in folders else FILES[name](damaged)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    PLACES[place](path)
    where = ["--results", str(results)]
    assert state_of(damaged) is State.damaged
    code, out, err = answer(capsys, "status", *where)
    assert (code, f"{path}" in out) == (0, True), err
    code, out, err = answer(capsys, "retry", "--dry-run", *where)
    assert (code, "1 of 1 runs without a result are tried again" in out) == (1, True), err


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["rows", "grids"])
def test_something_else_in_the_place_of_a_row_or_grid_stops_no_reader_of_the_others(
    name: str, place: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = results / name / ("foreign.json" if name == "rows" else f"{GRID}.json")
    path.unlink(missing_ok=True)
    PLACES[place](path)
    where = ["--results", str(results)]
    for words in (["status"], ["results"], ["retry", "--dry-run"], ["gc"], ["why", runs(results)["failed"].run_id]):
        code, _, err = answer(capsys, *words, *where)
        readers = ["status", "results", "gc"] if name == "rows" else ["status"]
        readers += ["retry"] if name == "rows" and path.exists() else []  # it asks for the rows of runs, by their names
        reads = words[0] in readers
        assert (code, "Errno" in err) == (reads, False), err
    code, out, err = answer(capsys, "status", *where)
    assert "1 done, 1 failed, 1 interrupted" in out
    assert f"{path} is damaged: " in err


def test_a_copy_of_a_row_counts_no_run_twice(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = row_path(results, runs(results)["done"].run_id)
    shutil.copy(path, path.with_name("copy.json"))
    code, out, err = answer(capsys, "results", "--results", str(results), "--csv")
    assert (code, len(out.splitlines())) == (1, 3)
    assert f"copy.json is damaged: it holds the row of {path.stem}" in err


@pytest.mark.parametrize("name", ["heartbeat", "alive", "exit", "env", "spec"])
def test_a_run_that_is_done_is_done_whatever_else_of_it_is_damaged(name: str, results: Path) -> None:
    run = runs(results)["done"]
    FILES[name](run).write_text("")
    assert state_of(run) is State.done


@pytest.mark.parametrize("content", CONTENTS)
def test_runs_of_a_damaged_grid_file_are_found_by_their_folders(
    content: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = results / "grids" / f"{GRID}.json"
    path.write_text(CONTENTS[content](path.read_text()))
    where = ["--results", str(results)]
    code, out, err = answer(capsys, "status", *where)
    assert code == 1
    assert "1 done, 1 failed, 1 interrupted" in out
    assert f"{path} is damaged: " in err
    code, out, err = answer(capsys, "results", GRID, *where)
    assert code == 2
    assert f"{path} is damaged: " in err
    assert "the next launch of the grid writes it anew" in err
    assert answer(capsys, "retry", "--dry-run", *where)[0] == 0
    assert answer(capsys, "plan", *AXES, f"results_dir={results}")[0] == 0


def test_rows_that_are_none_are_counted_and_left_out(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        (results / "rows" / f"foreign{number}.json").write_text("{}")
    code, out, err = answer(capsys, "results", "--results", str(results), "--csv")
    assert code == 1
    assert len(out.splitlines()) == 3
    assert "foreign0.json is damaged: 'schema_version' is missing; remove it" in err
    assert "5 damaged files, 2 more than are named: left out; 2 rows are whole" in err
    code, out, err = answer(capsys, "status", "--results", str(results))
    assert (code, "1 done, 1 failed, 1 interrupted" in out) == (1, True)
    assert "foreign0.json is damaged" in err


def test_the_analysis_leaves_a_damaged_row_out_and_says_so(results: Path) -> None:
    damaged = row_path(results, runs(results)["failed"].run_id)
    damaged.write_text("")
    command = [sys.executable, "-m", "analysis", "report", "--results", str(results), "--grid", GRID]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert f"left out: {damaged} is damaged: it is empty" in done.stderr
    assert "damaged files: " in (results / "reports" / f"{GRID}.html").read_text()


def test_the_analysis_leaves_a_run_with_damaged_counts_out_and_says_so(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = results / "rows"
    counts = problems_path(results, "copy")
    (rows / "copy.json").write_text(json.dumps(json.loads(next(rows.glob("*.json")).read_text()) | {"run_id": "copy"}))
    counts.write_text("no counts")
    found = select(results)
    assert "copy" not in {run.row.run_id for run in found.runs}
    assert len(found.runs) == 2
    assert f"left out: run copy: {counts} is not a file of per-problem counts" in capsys.readouterr().err


def test_a_damaged_manifest_of_data_is_named_with_its_cure(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "plan", *AXES, f"results_dir={results}")[0] == 0
    folder = prepared(runs(results)["interrupted"].spec(), results, tokenizer=None).manifest.parent
    for content in ("", "{", "[1]", '{"files": {}}'):
        (folder / "manifest.json").write_text(content)
        code, _, err = answer(capsys, "plan", *AXES, f"results_dir={results}")
        assert (code, err.count("\n")) == (2, 1)
        assert f"{folder / 'manifest.json'} is damaged" in err
        assert f"remove {folder}" in err


@pytest.mark.parametrize("content", CONTENTS)
def test_a_damaged_file_of_an_array_stops_nobody_but_who_submits(
    content: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chunk = Chunk.exported(results, [runs(results)["interrupted"].run_id], code="code")
    path = chunk.write(results, "#!/bin/sh\n").with_suffix(".json")
    path.write_text(CONTENTS[content](path.read_text()))
    where = ["--results", str(results)]
    code, out, err = answer(capsys, "status", *where)
    assert (code, "1 done, 1 failed, 1 interrupted" in out) == (1, True)
    assert f"{path} is damaged: " in err
    assert f"scancel --name={chunk.name}" in err
    code, _, err = answer(capsys, "retry", "--dry-run", *where)
    assert (code, f"{path} is damaged: " in err) == (1, True)
    code, _, err = answer(capsys, "cancel", GRID, *where)
    assert (code, f"{path} is damaged: " in err, "none is cancelled" in err) == (1, True, True)
    assert answer(capsys, "plan", *AXES, f"results_dir={results}")[0] == 1
    assert answer(capsys, "gc", "--yes", *where)[0] == 1
    assert path.exists()
    with pytest.raises(DamagedError, match=f"{chunk.name}.json is damaged"):  # what is queued is not known
        chunks(results)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"x": [1, 2]}'])
def test_a_damaged_view_of_the_rows_is_made_anew(
    content: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / ".status.json").write_text(content)
    code, out, _ = answer(capsys, "status", "--results", str(results))
    assert (code, "1 done, 1 failed, 1 interrupted" in out) == (0, True)


def test_a_run_whose_folder_cannot_be_looked_for_is_damaged_and_not_new(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    run = RunDir(results_dir=tmp_path, run_id=RunId("any"))
    assert state_of(run) is State.damaged
    assert "Not a directory" in str(run.damage())


def test_a_row_of_more_names_than_a_table_can_compare_is_damaged(tmp_path: Path) -> None:
    many = {
        "settings": {f"k{number}": number for number in range(MOST_NAMES + 1)},
        "base": [{**asdict(row(spec("seed=3")).base[0]), "domain": f"d{number}"} for number in range(MOST_NAMES + 1)],
    }
    for name, value in many.items():
        path = write_row(tmp_path / name, row(spec("seed=3")))
        path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
        with pytest.raises(DamagedError, match="more than 2,000 settings, domains or values of k"):
            read_row(path)


def test_a_row_with_a_long_curve_is_whole(tmp_path: Path) -> None:
    first = row(spec("seed=3"))
    curve = tuple(replace(first.curve[0], step=step) for step in range(1, 10_001))
    assert len(read_row(write_row(tmp_path, replace(first, curve=curve))).curve) == 10_000


def test_a_row_whose_time_is_no_number_is_damaged(tmp_path: Path) -> None:
    written = row(spec("seed=3"))
    assert written.timing is not None
    path = write_row(tmp_path, replace(written, timing=replace(written.timing, total_s=float("nan"))))
    with pytest.raises(DamagedError, match="a time is no finite number"):
        read_row(path)
