"""Data of a stranger that unpack, decode or go on without end cost one line, not the machine."""

import bz2
import gzip
import json
import lzma
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.files.manifest import read_manifest
from data_prep.files.prepared_file import prompts_of
from data_prep.sources import file_format, record_file
from data_prep.sources.record_file import records
from data_prep.spec import DataError
from rewards.bounded_file import MIB
from rewards.bounded_parquet import DecodesTooFar, read_table


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second each, instead of some."""
    monkeypatch.setattr(file_format, "_ALWAYS", MIB)
    monkeypatch.setattr(record_file, "LINE_BYTES", MIB // 2)
    monkeypatch.setattr(record_file, "_LIST_BYTES", 3 * MIB)
    monkeypatch.setattr(record_file, "_LIST_PARTS", 100_000)


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": partial(lzma.compress, preset=0),
    ".zst": zstd,
}


def refusal(path: Path) -> str:
    began = time.process_time()
    with pytest.raises(DataError) as raised:
        for _ in records(path):
            pass
    assert time.process_time() - began < 5.0
    assert str(path) in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("form", ["rows.jsonl", "rows.csv", "rows.parquet", "rows.json"])
def test_a_compressed_file_that_unpacks_to_far_more_than_its_size_is_refused(
    ending: str, form: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{form}{ending}"
    line = b"[" if form == "rows.json" else b""
    path.write_bytes(PACKERS[ending](line + b"\n".join([b'{"a": 1}' + b" " * 1000] * 4_000)))
    assert path.stat().st_size < 20_000
    told = refusal(path)
    assert "as no data do" in told or "a list of more than 3 MiB" in told


@pytest.mark.parametrize("ending", PACKERS)
def test_a_compressed_file_of_usual_data_is_read_to_its_end(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.jsonl{ending}"
    rows = [{"a": os.urandom(200).hex()} for _ in range(5_000)]  # 2 MB, more than any file may unpack to
    path.write_bytes(PACKERS[ending]("\n".join(map(json.dumps, rows)).encode()))
    assert [record for _, record in records(path)] == rows


def test_a_list_that_is_one_document_is_bounded_in_bytes_and_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text("[" + '{"a": "x"},' * 300_000 + "{}]")
    assert "a list of more than 3 MiB. Write its rows as lines (.jsonl)" in refusal(path)
    path.write_text("[" + "[]," * 100_000 + "{}]")
    assert "it has more than 100,000 parts" in refusal(path)
    path.write_text(json.dumps([{"a": "[{," * 300_000}, {"b": 1}]))
    assert [list(record) for _, record in records(path)] == [["a"], ["b"]]


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("kind", ["one line", "one cell of many lines", "header"])
def test_a_row_of_a_csv_file_is_bounded_whatever_its_lines_are(separator: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("rows.csv" if separator == "," else "rows.tsv")
    row = {"one line": "x" * MIB, "one cell of many lines": '"' + "x\n" * MIB, "header": "x"}[kind]
    head = "x" * MIB if kind == "header" else f"prompt{separator}gold"
    path.write_text(f"{head}\n1{separator}2\n{row}\n")
    told = refusal(path)
    assert "a row of more than 0 MiB" in told or "field larger than field limit" in told


def test_a_csv_file_of_long_rows_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    cells = [f"{number}," + "x" * 300_000 for number in range(5)]  # longer than Python's csv takes by itself
    path.write_text("\n".join(["prompt,gold", *cells, '6,"a ""b"",\nc"', ""]))
    found = [record for _, record in records(path)]
    assert [record["prompt"] for record in found] == ["0", "1", "2", "3", "4", "6"]
    assert found[-1]["gold"] == 'a "b",\nc'
    assert found[0]["gold"] == "x" * 300_000


def bomb() -> Any:
    """A table of one text, which every row names: 8 GB if it is written out."""
    names = pa.DictionaryArray.from_arrays(pa.array([0] * 400_000, pa.int32()), pa.array(["x" * 20_000]))
    return pa.table({"prompt": names})


def test_an_arrow_file_that_decodes_to_far_more_than_its_size_is_refused(tmp_path: Path) -> None:
    for name, opened in (("stream.arrow", pa.ipc.new_stream), ("file.arrow", pa.ipc.new_file)):
        table = bomb()
        with opened(tmp_path / name, table.schema) as writer:
            writer.write_table(table)
        assert "as no data do" in refusal(tmp_path / name)


def test_a_prepared_file_that_decodes_to_far_more_than_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    pq.write_table(bomb(), path, compression="zstd")
    for read in (read_table, prompts_of):
        with pytest.raises(DecodesTooFar, match="as no data do") as raised:
            read(path)
        assert str(path) in str(raised.value)


def test_a_table_is_read_as_pyarrow_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"a": ["x", None] * 3000, "b": [[{"role": "user", "n": 1}]] * 6000, "c": [1.5] * 6000})
    pq.write_table(table, path, row_group_size=700)
    assert read_table(path).equals(table)
    assert read_table(path, columns=["c"]).equals(table.select(["c"]))


def test_a_pipe_or_a_deep_document_in_a_manifests_place_is_damaged_and_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    os.mkfifo(path)
    with pytest.raises(DataError, match=r"manifest\.json is damaged \(a named pipe is where a regular file"):
        read_manifest(path)
    path.unlink()
    for text in ("[" * 100_000, "[]", "{}", '{"files": {"a": 1}, "dropped": {}}', "", '{"files": [], "dropped": 1}'):
        path.write_text(text)
        with pytest.raises(DataError, match=r"manifest\.json is damaged"):
            read_manifest(path)
