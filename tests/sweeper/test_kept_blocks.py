"""What an evaluation has measured outlives its processes, whenever they are killed."""

import os
import stat
from pathlib import Path

import pytest

from sweeper.evaluation.dealing import Deal
from sweeper.evaluation.kept_blocks import Kept, Measured, Shard, partial_files, shard_path, take_up
from sweeper.rows.counts import ProblemCount


def one(domain: str, c: int) -> Measured:
    found = ProblemCount(
        problem_id=f"{domain}-{c}",
        data_source=f"synthetic_{domain}",
        domain=domain,
        n=4,
        c=c,
        outcomes={"correct": c, "wrong": 4 - c},
        prompt_tokens=10,
        response_tokens=20,
    )
    return Measured(count=found, kept=Kept(problem_id=found.problem_id, completions=[domain], correct=None))


def test_a_start_takes_up_what_killed_processes_have_kept(tmp_path: Path) -> None:
    out = tmp_path / "counts.jsonl"
    first, second = (Shard(shard_path(out, "a", worker), "said") for worker in "01")
    first.add([one("math", 1)])
    second.add([one("code", 2)])
    with shard_path(out, "a", "1").open("a") as file:
        file.write('{"count": {')  # killed while writing
    found = take_up(out, "said")
    assert {item.count.domain: item.count.c for item in found.values()} == {"math": 1, "code": 2}
    assert partial_files(out) == [out.with_suffix(".partial")]
    Shard(shard_path(out, "b", "0"), "said").add([one("stem", 0)])
    assert [item.kept.completions for item in take_up(out, "said").values()] == [["math"], ["code"], ["stem"]]


def test_a_process_that_dies_between_joining_and_removing_loses_and_doubles_nothing(tmp_path: Path) -> None:
    out = tmp_path / "counts.jsonl"
    Shard(shard_path(out, "a", "0"), "said").add([one("math", 1), one("code", 2)])
    joined = "".join(["said\n", one("math", 1).to_line(), one("code", 2).to_line()])
    out.with_suffix(".partial").write_text(joined)
    assert len(take_up(out, "said")) == 2
    assert out.with_suffix(".partial").read_text() == joined


@pytest.mark.parametrize("name", ["counts.partial", "counts.0.partial"])
def test_a_partial_evaluation_of_other_settings_is_said_to_be_begun_anew(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text('{"block": 32, "shards": 1}\n{"counts": [], "kept": []}\n')  # as version 0.1 wrote it
    assert take_up(tmp_path / "counts.jsonl", "said") == {}
    assert f"{name} is of other settings, or of an earlier version: begun anew" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_files_of_another_evaluation_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    Shard(shard_path(tmp_path / "counts-2.jsonl", "a", "0"), "said").add([one("math", 1)])
    assert take_up(tmp_path / "counts.jsonl", "said") == {}
    assert len(take_up(tmp_path / "counts-2.jsonl", "said")) == 1


def test_no_reader_can_hold_what_an_evaluation_locks(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        shard, dealt = shard_path(tmp_path / "counts.jsonl", "a", "0"), tmp_path / "counts.a.deal"
        kept = Shard(shard, "said")
        Deal.begin(dealt, settings="said", left=(0,), total=1, workers=1)
    finally:
        os.umask(before)
    kept.add([])
    assert {stat.S_IMODE(path.stat().st_mode) for path in (shard, dealt)} == {0o600}
