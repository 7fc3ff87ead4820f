"""Whatever a folder holds: `validate` names each fault by file and kind, `prepare` refuses or reads, nothing breaks."""

import gzip
import json
import lzma
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.cli import main
from data_prep.materialise import materialise
from data_prep.spec import DataError, DataSpec
from tests.data_prep.guru import record

GOOD = [record(f"How many positive integers below {n}{n} are multiples of {n}?", str(n)) for n in range(100, 130)]


def _lines(*bad: Any, encoding: str = "utf-8") -> Callable[[Path], None]:
    def write(root: Path) -> None:
        text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in (*GOOD, *bad))
        (root / "a.jsonl").write_bytes(text.encode(encoding))

    return write


def _with(**changes: Any) -> dict[str, Any]:
    return record("How many positive integers below 7777 are multiples of 7?") | changes


def _asked(*turns: tuple[object, object]) -> dict[str, Any]:
    return _with(prompt=[{"role": role, "content": content} for role, content in turns])


def _file(name: str, content: bytes) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        _lines()(root)
        (root / name).write_bytes(content)

    return write


def _raw_gsm8k(root: Path) -> None:
    rows = [{"question": f"q {n}", "answer": f"x #### {n}"} for n in range(7)]
    pq.write_table(pa.Table.from_pylist(rows), root / "train-00000-of-00001.parquet")


_INT = 10**400
# What lies in the folder; how `validate` says it; what `prepare` says, None where it takes the rows.
BAD: dict[str, tuple[Callable[[Path], None], str, str | None]] = {
    "a gold that is a list": (
        _lines(_with(reward_model={"ground_truth": ["1"]})), "row 30: wrong kind of gold: ", "is a list, not text"),
    "no gold": (_lines(_with(reward_model={"ground_truth": None})), "row 30: wrong kind of gold: ", "no ground_truth"),
    "a reward_model of text": (_lines(_with(reward_model="1")), "row 30: wrong kind of gold: ", "no ground_truth"),
    "an extra_info of text": (_lines(_with(extra_info="x")), "row 30: wrong kind of extra_info: ", "not a struct"),
    "a pass rate of text": (_lines(_with(x_pass_rate="0.5")), "row 30: wrong number: ", "between 0 and 1"),
    "a pass rate in percent": (_lines(_with(x_pass_rate=50)), "row 30: wrong number: ", "between 0 and 1"),
    "a pass rate of truth": (_lines(_with(x_pass_rate=True)), "row 30: wrong number: ", "between 0 and 1"),
    "a huge pass rate": (_lines(_with(x_pass_rate=_INT)), "an integer of 1329 bits", "between 0 and 1"),
    "an infinite difficulty": (
        _lines(_with(extra_info={"difficulty": float("inf")})), "row 30: wrong number: difficulty is inf", "finite"),
    "a huge difficulty": (_lines(_with(extra_info={"difficulty": _INT})), "row 30: wrong number: ", "finite"),
    "no turn": (_lines(_with(prompt=[])), "row 30: broken prompt: ", "not a list of messages"),
    "a prompt of text": (_lines(_with(prompt="How?")), "row 30: broken prompt: ", "not a list of messages"),
    "no prompt": (_lines(_with(prompt=None)), "row 30: broken prompt: ", "not a list of messages"),
    "an empty turn": (_lines(_asked(("user", " "))), "row 30: broken prompt: ", "not a list of messages"),
    "a turn in parts": (
        _lines(_asked(("user", [{"type": "text"}]))), "row 30: broken prompt: ", "not a list of messages"),
    "ShareGPT": (
        _lines(_with(prompt=[{"from": "human", "value": "How?"}])), "row 30: broken prompt: ", "not a list"),
    "an unknown role": (_lines(_asked(("human", "How?"))), "row 30: broken prompt: ", "role 'human'"),
    "an answer at the end": (
        _lines(_asked(("user", "How?"), ("assistant", "So."))), "row 30: broken prompt: ", "nothing to answer"),
    "an unknown source": (_lines(_with(data_source="astrology")), "row 30: unknown source: ", "astrology"),
    "an empty source": (_lines(_with(data_source="")), "row 30: unknown source: ", "''"),
    "a null source": (_lines(_with(data_source=None)), "row 30: schema: ", "not text"),
    "no columns": (_lines({"a": 1}), "row 30: schema: lacks the columns", "columns.yaml"),
    "raw GSM8K": (
        _raw_gsm8k, r"row 0: schema: lacks the columns .*columns\.yaml.* \(7 rows, this one first\)", "columns.yaml"),
    "a list in lines": (_lines("[1, 2]"), "unreadable: .*row 30: list instead", "row 30: list instead"),
    "half an object": (_lines('{"a": '), "unreadable: .*row 30: not JSON", "row 30: not JSON"),
    "two objects in a line": (_lines('{"a": 1}{"b": 2}'), "unreadable: .*row 30: not JSON", "not JSON"),
    "UTF-16": (_lines(encoding="utf-16"), "unreadable: .*row 0: text is not UTF-8", "not UTF-8"),
    "Latin-1": (_lines(json.dumps(_asked(("user", "Gr\xf6\xdfe?")), ensure_ascii=False), encoding="latin-1"),
                "unreadable: .*row 30: text is not UTF-8", "not UTF-8"),
    "half a pair": (_lines('{"a": "\\ud800"}'), "row 30: text is not Unicode", "not Unicode"),
    "a git-lfs pointer": (
        _file("b.parquet", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
        "unreadable: .*git lfs pull", "git lfs pull"),
    "a git-annex pointer": (_file("b.jsonl", b"/annex/objects/SHA256E-s9--ab\n"), "git annex get", "git annex get"),
    "an empty parquet": (_file("b.parquet", b""), "b.parquet: unreadable: ", "cannot be read as parquet"),
    "a parquet of text": (_file("b.parquet", b"PAR1, but not really"), "unreadable: ", "cannot be read as parquet"),
    "an empty JSONL": (_file("b.jsonl", b""), "holds no row", "holds no row"),
    "a gzip that is none": (_file("b.jsonl.gz", b"{}"), "b.jsonl.gz: unreadable: ", "b.jsonl.gz cannot be read"),
    "an Arrow that is none": (_file("b.arrow", b"ARROW, but not really"), "b.arrow: unreadable: ", "as Arrow"),
    "a JSON list cut short": (_file("b.json", b'[{"a": 1}, {"b"'), "b.json: unreadable: .*not JSON", "not JSON"),
    "a JSON list of numbers": (_file("b.json", b"[1, 2]"), "row 0: int instead", "row 0: int instead"),
    "a JSON that is a git-lfs pointer": (
        _file("b.json", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
        "unreadable: .*git lfs pull", "git lfs pull"),
    "an empty JSON": (_file("b.json", b""), "b.json: unreadable: ", "holds no row"),
    "objects over several lines": (_file("b.json", b'{\n"a": 1\n}\n{\n"a": 2\n}\n'), "row 0: not JSON", "not JSON"),
    "a JSON cut while compressed": (
        _file("b.json.gz", gzip.compress(b'[{"a": 1}]')[:-9]), "b.json.gz: unreadable: ", "cannot be read: Compressed"),
    "a JSON whose compression is damaged": (
        _file("b.json.xz", lzma.compress(b'[{"a": 1}]')[:24] + b"?" * 40), "b.json.xz: unreadable: ", "cannot be read"),
    "a name that says both": (_file("train_test.jsonl", b"{}"), "unclear role: ", "does not say whether"),
}  # fmt: skip


def _spec(root: Path) -> DataSpec:
    return DataSpec(root=str(root), n_unique=None, n_eval_per_domain=4, n_val_per_domain=2)


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_input_is_named_by_validate_and_inspect_and_refused_by_prepare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    write, said, refused = BAD[fault]
    root = tmp_path / "in"
    root.mkdir()
    write(root)
    assert main(["validate", str(root)]) == 1
    out = capsys.readouterr()
    assert re.search(said, out.out), out.out
    assert len(out.out.splitlines()) <= 3
    assert out.err == ""
    assert main(["inspect", str(root)]) == 1
    assert re.search(said.partition(": ")[0], capsys.readouterr().out)
    with pytest.raises(DataError, match=refused) as caught:
        materialise(_spec(root), tmp_path / "out")
    assert str(root) in str(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        [_with(extra_info={"difficulty": float("nan"), "x_pass_rate": float("nan")})],
        [_with(extra_info={"index": 2**70, "difficulty": 3})],
        [_with(extra_info=None, ability=None, z=None)],
        [_with(reward_model={"ground_truth": 7})],
        [_with(prompt=[{"role": "user", "content": "one\u2028two\x00 three, four, five, six, seven"}])],
        [_with(data_source="/home/me/data/gsm8k")],
    ],
)
def test_an_odd_input_that_means_something_is_taken(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    root = tmp_path / "in"
    root.mkdir()
    _lines(*rows)(root)
    assert main(["validate", str(root)]) == 0
    assert pq.read_metadata(materialise(_spec(root), tmp_path / "out").train).num_rows == 31 - 4
