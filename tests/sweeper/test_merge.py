"""Results folders joined by run id; runs and rows are written as jobs write them, none is trained."""

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from analysis import cli as analysis
from data_prep.files.lock import locked
from sweeper.cli.main import main
from sweeper.host.machine import hostname
from sweeper.oversight.merge import plain_copy
from sweeper.oversight.merge.merge import in_json, merge
from sweeper.rows.grid_file import Membership
from sweeper.rows.row import Failure, problems_path, read_row, row_path, write_row
from sweeper.runs.folder import RunDir
from sweeper.runs.samples import kept_samples
from sweeper.runs.state import State, state_of
from sweeper.spec.run import RunSpec
from sweeper.training import checkpoint
from tests.sweeper import hostile_folder
from tests.sweeper.kept_run import kept_run
from tests.sweeper.points import spec
from tests.sweeper.rows import row
from tests.sweeper.test_queue import ME, Site, pending

STORED = Path(__file__).parents[1] / "golden" / "folders" / "sft_share"
RUN = spec("seed=0")
Folders = tuple[Path, Path]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A folder that has runs from elsewhere, and one that they go into."""
    for name in ("there", "here"):
        (tmp_path / name / "runs").mkdir(parents=True)
    return tmp_path / "there", tmp_path / "here"


def begun(results: Path, *starts: float, run: RunSpec = RUN, end: str | None = "failed", steps: int = 0) -> RunDir:
    """A run with an attempt for each time at which one began, long ago; `steps` in its checkpoint."""
    run_dir = RunDir(results_dir=results, run_id=run.run_id)
    run_dir.freeze(run)
    for start in starts:
        attempt = run_dir.new_attempt()
        attempt.write("env", {"time": start, "host": "n1"})
        attempt.write("alive", {"time": start + 60})
        attempt.log.write_text(f"began at {start}\n")
        if end is not None:
            attempt.write("exit", {"status": end, "phase": "train"})
    if steps:
        place = checkpoint.at(run_dir.checkpoints, steps) / "actor"
        place.mkdir(parents=True)
        (place / "weights").write_bytes(bytes(1000))
        checkpoint.mark(run_dir.checkpoints, steps)
    return run_dir


def done(results: Path, *starts: float, run: RunSpec = RUN, pass1: float = 0.5, steps: int = 0) -> RunDir:
    run_dir = begun(results, *starts, run=run, end="completed", steps=steps)
    write_row(results, row(run, pass1=pass1, attempts=len(starts)))
    problems_path(results, run.run_id).write_text('{"problem_id": "a"}\n')
    return run_dir


def failed(results: Path, *starts: float, reason: str = "out of memory") -> RunDir:
    run_dir = begun(results, *starts)
    failure = Failure(phase="train", reason=reason, log="log.txt")
    write_row(results, row(RUN, failure=failure, attempts=len(starts)))
    return run_dir


def outcome(folders: Folders, *, run: RunSpec = RUN, **flags: bool) -> tuple[str, str]:
    (folder,) = in_json(merge(folders[:1], folders[1], **flags))
    (found,) = (item for item in folder["runs"] if item["run_id"] == run.run_id)
    return found["outcome"], found["why"] or ""


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with when it was changed and what it holds; links by where they lead."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mtime_ns,
            str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {name: content for name, (_, content) in tree(folder).items() if not name.startswith(".")}


def state(results: Path) -> State:
    return state_of(RunDir(results_dir=results, run_id=RUN.run_id))


def printed(program: Callable[[Sequence[str]], int], *arguments: str) -> Any:
    out = StringIO()
    with redirect_stdout(out):
        assert program(arguments) == 0
    return json.loads(out.getvalue())["data"]


def test_a_merged_folder_answers_as_its_parts_did_together(tmp_path: Path) -> None:
    whole, parts, into = tmp_path / "whole", (tmp_path / "a", tmp_path / "b"), tmp_path / "into"
    shutil.copytree(STORED, whole)
    for number, part in enumerate(parts):  # a run went to one of two clusters, as one launch on each had it
        shutil.copytree(STORED, part)
        for path in (part / "rows").iterdir():
            if sum(path.name.partition(".")[0].encode()) % 2 != number:
                path.unlink()
        record = json.loads((part / "grids" / "sft_rl_ratio.json").read_text())
        own = [place for place, run_id in enumerate(record["run_ids"]) if sum(run_id.encode()) % 2 == number]
        for name in ("run_ids", "choices", "devices", "device_hours"):
            if record.get(name):
                record[name] = [record[name][place] for place in own]
        (part / "grids" / "sft_rl_ratio.json").write_text(json.dumps(record))
    assert all(list((part / "rows").iterdir()) for part in parts)
    assert main(["merge", *map(str, parts), "--into", str(into)]) == 0
    for verb in ("results", "status"):
        found = [printed(main, verb, "--json", "--results", str(place)) for place in (whole, into)]
        by_run = [sorted(items, key=lambda item: item["run_id"]) for items in found]
        assert by_run[0] == by_run[1], verb
    for question in ("sft_share", "size"):
        asked = ("ask", question, "--grid", "sft_rl_ratio", "--json", "--results")
        assert printed(analysis.main, *asked, str(whole)) == printed(analysis.main, *asked, str(into))


@pytest.mark.nightly
def test_a_report_of_a_merged_folder_has_the_tables_of_the_whole_one(tmp_path: Path) -> None:
    into, tables = tmp_path / "into", []
    merge([STORED], into)
    for name, place in (("whole", STORED), ("merged", into)):
        out = tmp_path / name / "report.html"
        assert analysis.main(["report", "--results", str(place), "--grid", "sft_rl_ratio", "-o", str(out)]) == 0
        tables.append({path.name: path.read_bytes() for path in (out.parent / "report_tables").glob("*.json")})
    assert tables[0] == tables[1] != {}


def test_samples_curves_data_and_base_measurements_come_along(folders: Folders) -> None:
    there, here = folders
    run_dir = kept_run(there, "seed=0")
    assert main(["merge", str(there), "--into", str(here)]) == 0
    ours = replace(run_dir, results_dir=here)
    for origin in ("base", "evaluation"):
        read = [
            [(item.prompt, item.response, item.verdict) for item in kept_samples(one, origin)]
            for one in (run_dir, ours)
        ]  # type: ignore[arg-type]
        assert read[0] == read[1] != []
    assert read_row(row_path(here, run_dir.run_id)) == read_row(row_path(there, run_dir.run_id))
    assert list((here / "base").iterdir())
    again = in_json(merge([there], here))[0]
    assert {item["outcome"] for item in (*again["runs"], *again["shared"])} == {"same"}


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        (lambda at: done(at, 1.0), None, "new"),
        (lambda at: begun(at), None, "new"),
        (lambda at: done(at, 1.0), lambda at: done(at, 1.0), "same"),
        (lambda at: done(at, 1.0), lambda at: failed(at, 2.0), "taken over"),
        (lambda at: done(at, 1.0), lambda at: begun(at), "taken over"),
        (lambda at: done(at, 1.0), lambda at: write_row(at, row(RUN)), "taken over"),
        (lambda at: failed(at, 1.0), lambda at: done(at, 2.0), "further here"),
        (lambda at: begun(at), lambda at: done(at, 2.0), "further here"),
        (lambda at: begun(at), lambda at: failed(at, 2.0), "further here"),
        (lambda at: failed(at, 1.0), lambda at: failed(at, 1.0), "same"),
        (lambda at: begun(at, 1.0, 2.0), lambda at: failed(at, 1.0), "taken over"),
        (lambda at: failed(at, 1.0), lambda at: begun(at, 1.0, 2.0), "further here"),
        (lambda at: failed(at, 1.0), lambda at: begun(at, 1.0), "taken over"),
        (lambda at: done(at, 1.0, pass1=0.5), lambda at: done(at, 1.0, pass1=0.6), "refused"),
        (lambda at: failed(at, 1.0), lambda at: failed(at, 2.0), "refused"),
        (lambda at: begun(at, 1.0), lambda at: failed(at, 2.0), "refused"),
        (lambda at: failed(at, 1.0), lambda at: failed(at, 1.0, reason="no room"), "refused"),
    ],
)
def test_what_is_further_comes_and_contradictions_are_refused(
    folders: Folders, theirs: Callable[[Path], object], ours: Callable[[Path], object] | None, expected: str
) -> None:
    there, here = folders
    theirs(there)
    if ours is not None:
        ours(here)
    before, mine = tree(there), contents(here)
    assert outcome(folders)[0] == expected
    assert tree(there) == before, "a source was changed"
    after = contents(here)
    if expected in ("new", "taken over"):
        assert state(here) == state(there)
        want = {name: text for name, text in contents(there).items() if not name.endswith("/lock")}
        assert {name: after.get(name) for name in want} == want
        # What was here is kept, and nothing of it is shown.
        kept = {name.replace(f"{RUN.run_id}/", f"{RUN.run_id}/replaced/1/", 1) for name in mine if "attempts/" in name}
        assert expected == "new" or kept <= after.keys()
    else:
        assert {name: text for name, text in after.items() if not name.endswith("/lock")} == mine
    assert outcome(folders)[0] == ("same" if expected in ("new", "taken over") else expected)


def test_two_results_with_different_numbers_are_told_apart_by_them(folders: Folders) -> None:
    done(folders[0], 1.0, pass1=0.5)
    done(folders[1], 1.0, pass1=0.6)
    assert "pass@1 0.5 there, 0.6 here" in outcome(folders)[1]


def test_counts_that_contradict_the_same_row_are_refused(folders: Folders) -> None:
    for results in folders:
        done(results, 1.0)
    problems_path(folders[0], RUN.run_id).write_text('{"problem_id": "b"}\n')
    assert outcome(folders) == ("refused", f"its row is the same in both, and {RUN.run_id}.problems.jsonl is not")


def test_a_spec_of_another_run_is_refused(folders: Folders) -> None:
    run_dir = done(folders[0], 1.0)
    run_dir.spec_path.write_text(spec("seed=1").to_json())
    found = outcome(folders)
    assert found[0] == "refused"
    assert f"is the spec of another run, {spec('seed=1').run_id}" in found[1]


def test_the_second_of_two_folders_is_held_against_the_first(folders: Folders, tmp_path: Path) -> None:
    there, here = folders
    done(there, 1.0)
    (tmp_path / "other").mkdir()
    done(tmp_path / "other", 2.0, pass1=0.6)
    for dry_run in (True, False):
        found = in_json(merge([there, tmp_path / "other"], here, dry_run=dry_run))
        assert [folder["runs"][0]["outcome"] for folder in found] == ["new", "refused"]


def test_a_dry_run_prints_the_same_and_writes_nothing(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    there, here = folders
    done(there, 1.0)
    failed(here, 2.0)
    (there / "models").mkdir()
    (there / "models" / "weights").write_bytes(bytes(10_000))
    before = tree(here)
    command = ["merge", str(there), "--into", str(here)]
    assert main([*command, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert tree(here) == before
    assert main(command) == 0
    assert told == f"{capsys.readouterr().out}nothing was written (--dry-run)\n"
    assert f"taken over: {RUN.run_id}: done there, failed here" in told
    assert "stays there: models (12 kB)" in told


def test_a_run_that_a_job_is_at_is_refused(folders: Folders) -> None:
    there, here = folders
    run_dir = begun(there, 1.0, end=None)
    with locked(run_dir.lock, wait=False):
        assert outcome(folders) == ("refused", "it is running: merge it when it is over, or cancel it first")
    done(here, 1.0)
    shutil.rmtree(there / "runs")
    done(there, 1.0, pass1=0.5)
    row_path(here, RUN.run_id).unlink()
    with locked(here / "runs" / RUN.run_id / "lock", wait=False):
        assert outcome(folders) == ("refused", "here it is running: merge it when it is over, or cancel it first")


def test_a_run_whose_job_waits_or_whose_cluster_cannot_be_asked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, monkeypatch)
    begun(site.results, 1.0)
    site.submitted(runs=(RUN.run_id,))
    site.says("squeue", pending(count=1))
    folders = site.results, tmp_path / "here"
    assert outcome(folders) == (
        "refused",
        "it is queued (7_0 PENDING (Resources)): merge it when it is over, or cancel it first",
    )
    site.submitted(cluster="other", user=ME, runs=(RUN.run_id,))
    site.says("squeue", "")
    assert "whether it has a job is not known (job 7 is on cluster other" in outcome(folders)[1]


def test_a_run_that_was_alive_elsewhere_within_the_hour_is_refused(folders: Folders) -> None:
    begun(folders[0], time.time() - 120, end=None)
    assert "it gave a sign of life 1m" in outcome(folders)[1]
    assert "before now on n1, and has recorded no end" in outcome(folders)[1]
    shutil.rmtree(folders[0] / "runs")
    run_dir = begun(folders[0], time.time() - 120, end=None)
    run_dir.attempts()[0].write("env", {"time": time.time() - 120, "host": hostname()})  # its lock says that it is over
    assert outcome(folders)[0] == "new"


def test_a_merge_killed_at_any_moment_loses_nothing_and_the_next_one_finishes_it(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = folders
    done(there, 1.0, 2.0)
    failed(here, 3.0)
    (there / "grids").mkdir()
    Membership(name="g", grid=None, axes={}, members=()).write(there)
    start = here.parent / "start"
    shutil.copytree(here, start)
    moments = 0
    while _killed_at(moments, there, here):
        logs = [path.read_text() for path in here.rglob("log.txt") if not path.parts[-5:][0].endswith(".merging")]
        assert "began at 3.0\n" in logs, "what was here is gone"
        assert RUN.run_id in {path.stem for path in (here / "rows").glob("*.json")}
        assert outcome(folders)[0] in ("taken over", "same", "new")
        assert state(here) is State.done
        assert [path.name for path in (here / "runs").iterdir()] == [RUN.run_id]
        assert contents(there).items() <= contents(here).items()
        assert [path.read_text() for path in here.glob("runs/*/replaced/*/attempts/*/log.txt")][:1]
        shutil.rmtree(here)
        shutil.copytree(start, here)
        moments += 1
    assert moments > 20


def _killed_at(moment: int, there: Path, here: Path) -> bool:
    """Merge in a child that ends as by `kill -9` where it opens, renames or makes the file of that number."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    try:
        left = [moment]

        def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*arguments: Any, **more: Any) -> Any:
                if not left[0]:
                    os._exit(9)
                left[0] -= 1
                return call(*arguments, **more)

            return counted

        for name in ("rename", "replace", "mkdir", "sendfile"):
            setattr(os, name, deadly(getattr(os, name)))
        merge([there], here)
    finally:
        os._exit(0)


def test_no_link_is_followed_whatever_it_leads_to(folders: Folders, tmp_path: Path) -> None:
    there, here = folders
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("PRIVATE")
    runs = {name: spec(f"seed={number}") for number, name in enumerate(("file", "folder", "run", "row", "good"))}
    made = {name: done(there, 1.0, run=run) for name, run in runs.items()}
    (made["file"].path / "val").mkdir()
    (made["file"].path / "val" / "0.jsonl").symlink_to(secret / "key")
    (made["folder"].path / "val").symlink_to(secret)
    made["run"].path.rename(tmp_path / "elsewhere")
    made["run"].path.symlink_to(tmp_path / "elsewhere")
    row_path(there, runs["row"].run_id).rename(secret / "row")
    row_path(there, runs["row"].run_id).symlink_to(secret / "row")
    for kind in ("base", "grids", "annotations"):
        (there / kind).mkdir()
        (there / kind / "x.json").symlink_to(secret / "key")
    (there / "data").symlink_to(secret)
    (folder,) = in_json(merge([there], here))
    outcomes = {item["run_id"]: item for item in folder["runs"]}
    assert outcomes[runs["good"].run_id]["outcome"] == "new"
    for name in ("file", "folder", "run", "row"):
        item = outcomes[runs[name].run_id]
        assert (item["outcome"], "is a link, which is not followed" in item["why"]) == ("refused", True), name
    assert {item["outcome"] for item in folder["shared"]} == {"refused"}
    assert not any(path.is_symlink() for path in here.rglob("*"))
    assert not any(b"PRIVATE" in content for content in contents(here).values())


def test_a_hostile_folder_costs_itself_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    runs = hostile_folder.make(there)
    began = time.process_time()

    def merged() -> dict[str, Any]:
        assert main(["merge", str(there), "--into", str(here), "--json"]) == 1
        found: dict[str, Any] = json.loads(capsys.readouterr().out)["data"]["folders"][0]
        return found

    outcomes = {item["run_id"]: item for item in merged()["runs"]}
    assert outcomes[runs["done"].run_id]["outcome"] == "new"
    for name in ("failed", "long"):  # of arrays that cannot be read nobody knows whose runs they are
        assert "whether it has a job is not known: " in outcomes[runs[name].run_id]["why"]
    shutil.rmtree(there / "slurm")
    folder = merged()
    assert time.process_time() - began < 5
    outcomes = {item["run_id"]: item for item in folder["runs"]}
    assert {name: outcomes[run.run_id]["outcome"] for name, run in runs.items()} == {
        "done": "same",
        "failed": "new",
        "long": "new",  # its log of 3 GB is a hole
        "pipe": "refused",
    }
    assert folder["bytes"] < 1 << 20
    strange = [item for run_id, item in outcomes.items() if run_id not in {run.run_id for run in runs.values()}]
    assert len(strange) == hostile_folder.ROWS
    assert {item["outcome"] for item in strange} == {"refused"}
    refused = [item["name"] for item in folder["shared"] if item["outcome"] == "refused"]
    assert len(refused) == hostile_folder.GRIDS
    assert main(["status", "--results", str(here)]) == 0


def test_records_of_a_grid_are_joined_and_another_question_gets_a_name_of_its_own(folders: Folders) -> None:
    there, here = folders
    ids = [spec(f"seed={seed}").run_id for seed in range(3)]

    def record(results: Path, seeds: Sequence[int], settings: tuple[str, ...], name: str = "g") -> None:
        members = [{"run_id": ids[seed], "choice": (str(seed),)} for seed in seeds]
        axes = {"seed": tuple(map(str, seeds))}
        from sweeper.rows.grid_file import Member

        made = tuple(Member(**item) for item in members)  # type: ignore[arg-type]
        Membership(name=name, grid="g", axes=axes, members=made, settings=settings).write(results)

    record(there, [1, 2], ("cluster=a",))
    record(here, [0, 1], ("cluster=a",))
    (part,) = in_json(merge([there], here))[0]["shared"]
    assert (part["outcome"], part["why"]) == ("taken over", "1 more runs")
    found = Membership.read(here, "g")
    assert ([member.run_id for member in found.members], found.axes) == (ids, {"seed": ("0", "1", "2")})
    record(there, [2], ("training.actor_lr=1",))
    (part,) = in_json(merge([there], here))[0]["shared"]
    assert (part["outcome"], part["why"]) == ("new", "here g asks for something else")
    assert part["name"].startswith("g+")
    assert len(Membership.read(here, part["name"]).members) == 1
    assert in_json(merge([there], here))[0]["shared"][0]["outcome"] == "same"


def test_a_base_model_measured_in_both_keeps_the_numbers_that_are_here(folders: Folders) -> None:
    for number, results in enumerate(folders):
        (results / "base").mkdir()
        (results / "base" / "m-1.jsonl").write_text(f"{number}\n")
    (part,) = in_json(merge(folders[:1], folders[1]))[0]["shared"]
    assert (part["outcome"], "each row keeps the numbers" in part["why"]) == ("further here", True)
    assert (folders[1] / "base" / "m-1.jsonl").read_text() == "1\n"


def test_the_last_checkpoint_comes_with_a_run_that_is_not_done_and_else_if_asked(folders: Folders) -> None:
    there, here = folders
    last = begun(there, 1.0, steps=20)
    assert outcome(folders)[0] == "new"
    ours = replace(last, results_dir=here)
    assert checkpoint.trained_steps(ours.checkpoints) == 20
    shutil.rmtree(there / "runs")
    shutil.rmtree(here / "runs")
    done(there, 1.0, steps=20)
    assert outcome(folders)[0] == "new"
    assert not ours.checkpoints.exists()
    assert in_json(merge([there], here))[0]["stays"]["checkpoints"] >= 1000
    assert outcome(folders, checkpoints=True) == ("taken over", "its last checkpoint is not here")
    assert (checkpoint.at(ours.checkpoints, 20) / "actor" / "weights").read_bytes() == bytes(1000)
    assert outcome(folders, checkpoints=True)[0] == "same"


def test_a_run_that_goes_on_there_without_a_checkpoint_keeps_the_one_that_is_here(folders: Folders) -> None:
    there, here = folders
    begun(there, 1.0, 2.0)
    ours = begun(here, 1.0, steps=10)
    assert outcome(folders)[0] == "taken over"
    assert checkpoint.trained_steps(ours.checkpoints) == 10


def test_too_little_room_is_said_before_anything_is_copied(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done(folders[0], 1.0)
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 9))  # type: ignore[attr-defined]
    assert main(["merge", str(folders[0]), "--into", str(folders[1])]) == 2
    assert "where 9 B are free; nothing was copied" in capsys.readouterr().err
    assert not list((folders[1] / "runs").iterdir())


def test_a_run_that_cannot_be_copied_costs_itself(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [spec(f"seed={seed}") for seed in range(2)]
    for run in runs:
        done(folders[0], 1.0, run=run)
    copy = plain_copy._copy_content

    def full(source: int, target: int, size: int) -> None:
        if runs[0].run_id in str(Path(f"/proc/self/fd/{target}").readlink()):
            raise OSError(28, "No space left on device")
        copy(source, target, size)

    monkeypatch.setattr(plain_copy, "_copy_content", full)
    found = {item["run_id"]: item for item in in_json(merge(folders[:1], folders[1]))[0]["runs"]}
    assert found[runs[0].run_id]["outcome"] == "refused"
    assert "No space left" in found[runs[0].run_id]["why"]
    assert [path.name for path in (folders[1] / "runs").iterdir()] == [runs[1].run_id]


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("absent", "there is no such folder"),
        ("empty", "is no results folder: it has neither runs nor rows"),
        ("here", "lie in each other"),
        ("here/runs/..", "lie in each other"),
        ("", "lie in each other"),
    ],
)
def test_what_is_no_folder_to_merge_is_refused(
    folder: str, words: str, folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "rows").mkdir()
    assert main(["merge", str(tmp_path / folder), "--into", str(folders[1])]) == 2
    assert words in capsys.readouterr().err


def test_gc_takes_what_a_killed_merge_left_and_checkpoints_of_what_was_replaced(folders: Folders) -> None:
    there, here = folders
    done(there, 1.0)
    begun(here, 2.0, steps=10)
    merge([there], here)
    left = here / "runs" / ".x.merging"
    left.mkdir()
    os.utime(left, (0, 0))
    (here / "runs" / ".y.merged").mkdir()  # whole, and nowhere else here
    os.utime(here / "runs" / ".y.merged", (0, 0))
    found = printed(main, "gc", "--yes", "--json", "--results", str(here))
    why = {Path(item["path"]).name: item["why"] for item in found["found"]}
    assert why == {
        ".x.merging": "left by a merge that was killed; the folders it read have it still",
        "checkpoints": "checkpoints of what a merge replaced; the run is done",
    }
    assert not left.exists()
    assert list(here.glob("runs/*/replaced/1/attempts/001"))


def test_a_result_that_is_written_here_while_others_are_copied_is_not_replaced(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = folders
    done(there, 1.0)
    failed(here, 2.0)
    monkeypatch.setattr("sweeper.oversight.merge.merge._require_room", lambda *_: write_row(here, row(RUN, pass1=0.9)))
    assert outcome(folders) == ("refused", "it has changed here meanwhile; merge again")
    assert read_row(row_path(here, RUN.run_id)) == row(RUN, pass1=0.9)
