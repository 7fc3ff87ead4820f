"""Sources that no logger writes: each is refused in one line that names it, and nothing is written."""

import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.cli import main

DEEP = "[" * 100_000
GOOD = {"step": 1, "critic/score/mean": 0.5}


def _csv(*lines: str) -> bytes:
    return "\n".join(["step,reward", *lines]).encode()


def _jsonl(**values: object) -> bytes:
    return (json.dumps(GOOD) + "\n" + json.dumps(GOOD | values)).encode()


def _container(*data: bytes) -> bytes:
    found = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
    for record in data:
        found += struct.pack("<IHB", zlib.crc32(record, zlib.crc32(b"\1")), len(record), 1) + record
    return found


def _wandb(value_json: str, *, key: str = "_step", in_config: bool = False) -> bytes:
    pb = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    record = pb.Record()
    item = record.config.update.add() if in_config else record.history.item.add()
    item.key, item.value_json = key, value_json
    if not in_config:
        other = record.history.item.add()
        other.key, other.value_json = "critic/score/mean", "0.5"
    return _container(record.SerializeToString())


SOURCES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "deep JSON": ("a.json", DEEP.encode, "nested too deep"),
    "deep JSON lines": ("a.jsonl", lambda: _jsonl() + b'\n{"x":' + DEEP.encode(), "line 3: it is nested too deep"),
    "an infinite step": ("a.csv", lambda: _csv("1,2", "inf,2"), "line 3: step=inf is not a whole number"),
    "a step that is text": ("a.jsonl", lambda: _jsonl(step="x"), "line 3: step='x' is not a whole number"),
    "a step that is a list": ("a.jsonl", lambda: _jsonl(step=[1]), "step=[1] is not a whole number"),
    "a step of 300 digits": ("a.csv", lambda: _csv("1" * 300 + ",2"), "a step of 300 digits is none"),
    "a number of 5000 digits": (
        "a.jsonl",
        lambda: _jsonl().replace(b"0.5}", b"1" * 5000 + b"}"),
        "line 1: Exceeds the",
    ),
    "a number beyond floats": ("a.jsonl", lambda: _jsonl(reward=10**400), "too large to convert to float"),
    "Latin-1": (
        "a.csv",
        lambda: _csv("1,2") + "\n2,é".encode("latin-1"),
        "a row has a place for none of its metrics (reward)",
    ),
    "a field too long": ("a.csv", lambda: _csv("1,2", "2," + "x" * 200_000), "line 3: field larger than field limit"),
    "a line too long": ("a.csv", lambda: _csv("1,2", "2,3,4"), "line 3: it has more fields than the header"),
    "garbage messages": ("a.wandb", lambda: _container(b"\xff" * 40), "record 1: it is no message of wandb's"),
    "wandb, a step of text": ("a.wandb", lambda: _wandb('"x"'), "_step='x' after 0 steps is not a whole number"),
    "wandb, a step in a list": ("a.wandb", lambda: _wandb("[1]"), "_step=[1] after 0 steps is not a whole number"),
    "wandb, an infinite step": ("a.wandb", lambda: _wandb("Infinity"), "_step=inf after 0 steps is not"),
    "wandb, a deep value": ("a.wandb", lambda: _wandb("[" * 5000, key="x"), "nested too deep"),
    "wandb, a deep setting": ("a.wandb", lambda: _wandb("[" * 99 + "]" * 99, in_config=True), "deeper than 64 levels"),
}


def _refused(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    results = tmp_path / "results"
    sizes = ["--model", "m", "--n-params", "9", "--n-params-non-embedding", "8"]
    assert main(["import", str(source), "--results", str(results), *sizes]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "fault of the project" not in err
    assert not results.exists()
    return err


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_that_no_logger_writes_is_refused_in_one_line_that_says_where(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, words = SOURCES[kind]
    (tmp_path / name).write_bytes(content())
    err = _refused(tmp_path / name, tmp_path, capsys)
    assert words in err
    assert name.partition(".")[0] in err


def test_what_is_no_file_in_a_folder_of_logs_is_refused_without_waiting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "run.wandb")
    assert "run.wandb: a named pipe is where a regular file should be" in _refused(tmp_path, tmp_path, capsys)


def test_a_log_of_gigabytes_is_refused_by_its_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.truncate(3 << 30)  # sparse
    assert "larger than the 256 MiB that are read" in _refused(tmp_path / "a.jsonl", tmp_path, capsys)
