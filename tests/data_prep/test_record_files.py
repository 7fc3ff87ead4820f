"""Data files in every format and compression; ours and `datasets`' readers give the same rows."""

import bz2
import csv
import gzip
import json
import lzma
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.commands.validate import validate
from data_prep.materialise import materialise
from data_prep.sources.record_file import column, records
from data_prep.spec import DataError, DataSpec
from tests.data_prep.guru import record

ROWS = [record(f"How many, below {n}? “{n}”\u2028", str(n), qwen_pass_rate=n / 8) for n in range(5)]
WORDS = [{"question": f'What, "is" {n}\n+ 007?', "answer": f"00{n}", "rate": "0.50" if n else ""} for n in range(5)]


def _parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


def _lines(path: Path) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS))


def _arrow_stream(path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def _arrow_file(path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _separated(path: Path, separator: str) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(WORDS[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(WORDS)


_WRITERS: dict[str, tuple[Callable[[Path], None], list[dict[str, Any]]]] = {
    "a.parquet": (_parquet, ROWS),
    "a.jsonl": (_lines, ROWS),
    "a.NDJSON": (_lines, ROWS),
    "lines.json": (_lines, ROWS),
    "a.json": (lambda path: path.write_text(json.dumps(ROWS, indent=1)), ROWS),  # type: ignore[dict-item, return-value]
    "a.arrow": (_arrow_stream, ROWS),
    "file.arrow": (_arrow_file, ROWS),
    "a.csv": (lambda path: _separated(path, ","), [row | {"rate": row["rate"] or None} for row in WORDS]),
    "a.TSV": (lambda path: _separated(path, "\t"), [row | {"rate": row["rate"] or None} for row in WORDS]),
}
_COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda plain: pa.compress(plain, codec="zstd", asbytes=True),
    ".GZ": gzip.compress,
}


@pytest.mark.parametrize("ending", _COMPRESSORS)
@pytest.mark.parametrize("name", _WRITERS)
def test_a_file_gives_its_rows_in_every_format_and_compression(tmp_path: Path, name: str, ending: str) -> None:
    write, expected = _WRITERS[name]
    write(tmp_path / name)
    path = tmp_path / f"{name}{ending}"
    path.write_bytes(_COMPRESSORS[ending]((tmp_path / name).read_bytes()))
    assert list(records(path)) == list(enumerate(expected))


@pytest.mark.parametrize(("name", "builder"), [("a.parquet", "parquet"), ("a.jsonl", "json"), ("a.json", "json")])
def test_our_readers_and_those_of_datasets_give_the_same_rows(tmp_path: Path, name: str, builder: str) -> None:
    import datasets

    _WRITERS[name][0](tmp_path / name)
    theirs = datasets.load_dataset(builder, data_files=[str(tmp_path / name)], split="train", streaming=True)
    assert [row for _, row in records(tmp_path / name)] == list(theirs)


def test_values_whose_type_changes_are_kept_where_datasets_rewrites_them(tmp_path: Path) -> None:
    import datasets

    rows = [{"gold": 1, "cells": [{"x": 1}]}, {"gold": "2", "cells": [{"y": [2]}]}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows))
    assert [row for _, row in records(path)] == rows
    theirs = list(datasets.load_dataset("json", data_files=[str(path)], split="train", streaming=True))
    assert theirs != rows
    assert theirs[0]["gold"] == "1"


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.csv", "a.json"])
def test_a_damaged_compressed_file_is_named(tmp_path: Path, name: str, ending: str) -> None:
    _WRITERS[name][0](tmp_path / name)
    path = tmp_path / f"{name}{ending}"
    whole = _COMPRESSORS[ending]((tmp_path / name).read_bytes())
    for broken in (whole[: len(whole) // 2], b"no compression at all", b""):
        path.write_bytes(broken)
        with pytest.raises(DataError, match=path.name):
            list(records(path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n1,2,3\n", r"line 3"),
        ("", "cannot be read as CSV: "),
        ('"a,b\n' + "1,2\n" * 40_000, "field larger than"),
        ("a,b\n", "holds no row"),
        ("a,a\n1,2\n", "cannot be read as CSV"),
        ('a,b\n"1,2\n', "cannot be read as CSV"),
        (b"a,b\n\xff,2\n", "cannot be read as CSV"),
    ],
)
def test_a_bad_csv_file_is_named(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=words) as caught:
        list(records(path))
    assert "a.csv" in str(caught.value)


@pytest.mark.parametrize("folder", ["a[1]", "a*", "a::b", ".hidden", "a b?"])
@pytest.mark.parametrize("name", ["a.csv", "a.arrow"])
def test_a_file_is_read_whatever_its_folder_is_called(tmp_path: Path, folder: str, name: str) -> None:
    write, expected = _WRITERS[name]
    for one in (folder, "ab"):
        (tmp_path / one).mkdir()
        write(tmp_path / one / name)
    assert [row for _, row in records(tmp_path / folder / name)] == expected


def test_a_csv_file_is_a_source_once_its_columns_are_declared_and_golds_stay_as_written(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    for name, start in (("train.csv.gz", 0), ("test.csv.gz", 20)):
        lines = "".join(f"How many is {n}?,00{n},0.5\n" for n in range(start, start + 10))
        (root / name).write_bytes(gzip.compress(f"question,answer,rate\n{lines}".encode()))
    (root / "columns.yaml").write_text(
        '"*.csv": {prompt: question, ground_truth: answer, data_source: openai/gsm8k,\n'
        "  pass_rates: {x_pass_rate: rate}}\n"
    )
    assert validate([root]).findings == []
    spec = DataSpec(root=str(root), n_unique=None, n_eval_per_domain=None, n_val_per_domain=2)
    prepared = materialise(spec, tmp_path / "out")
    rows = pq.read_table(prepared.train).to_pylist()
    assert {row["reward_model"]["ground_truth"] for row in rows} == {f"00{n}" for n in range(10)}
    assert {json.loads(row["extra_info"]["rest"])["x_pass_rate"] for row in rows} == {0.5}
    assert pq.read_metadata(prepared.evaluation).num_rows == 10


def test_local_files_are_read_without_a_network_or_a_cache(tmp_path: Path) -> None:
    for name in ("a.csv", "a.arrow"):
        _WRITERS[name][0](tmp_path / name)
    code = (
        "import socket, sys; from pathlib import Path\n"
        "def refuse(*_, **__): raise SystemExit('the network was asked')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from data_prep.sources.record_file import records\n"
        "print([len(list(records(Path(path)))) for path in sys.argv[1:]])\n"
    )
    environment = {"HF_HOME": str(tmp_path / "home"), "PATH": ""}
    run = [sys.executable, "-c", code, str(tmp_path / "a.csv"), str(tmp_path / "a.arrow")]
    done = subprocess.run(run, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[2])
    assert done.stdout == "[5, 5]\n", done.stderr
    assert not list((tmp_path / "home").rglob("*.arrow"))


def test_parquet_that_decodes_to_a_thousand_times_its_size_is_refused_before_it_fills_the_memory(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bomb.parquet"
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 400_000, pa.int32()), pa.array(["a" * 20_000]))  # 8 GB
    pq.write_table(pa.table({"prompt": texts}), path)
    assert path.stat().st_size < 100_000
    for read in (lambda: list(records(path)), lambda: column(path, "prompt")):
        with pytest.raises(DataError, match=r"decode to more than .* by row .*, as no data do"):
            read()
