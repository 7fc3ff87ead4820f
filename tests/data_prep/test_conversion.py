"""Records of sources as rows: nothing lost, defects folded, faults named with file and row."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.materialise import materialise
from data_prep.sources.conversion import fold_doubled_backslashes, to_row
from data_prep.spec import BadRows, Cleaning, DataError, DataSpec


def _record(**changes: Any) -> dict[str, Any]:
    return {
        "data_source": "math__deepscaler_preview",
        "prompt": [{"role": "user", "content": "What is one plus one?"}],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": "2"},
        "extra_info": {"split": "train", "index": 7},
        **changes,
    }


_plain = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), st.lists, max_leaves=4)


@given(
    extra=st.dictionaries(st.text("abc", min_size=1, max_size=3), _plain, max_size=4),
    columns=st.dictionaries(st.text("xyz", min_size=1, max_size=3), _plain, max_size=3),
    content=st.text(min_size=1).filter(str.strip),
    rate=st.none() | st.integers(0, 16).map(lambda k: k / 16),
)
def test_conversion_loses_nothing_and_a_second_one_changes_nothing(
    extra: dict[str, Any], columns: dict[str, Any], content: str, rate: float | None
) -> None:
    record = _record(
        extra_info={"index": 7, "split": "train", **extra},
        prompt=[{"role": "user", "content": content}],
        **columns,
        **{"qwen2.5_7b_pass_rate": rate},
    )
    row, _ = to_row(record, "here")
    rest = json.loads(row.rest)
    for name, value in {**extra, **columns, "qwen2.5_7b_pass_rate": rate}.items():
        assert value is None or rest[name] == value
    assert rest["source_index"] == 7
    again = {
        "data_source": row.data_source,
        "prompt": [message._asdict() for message in row.prompt],
        "ability": row.ability,
        "reward_model": {"style": row.style, "ground_truth": row.ground_truth},
        "extra_info": {
            "split": "val",
            "index": 0,
            "problem_id": row.problem_id,
            "domain": str(row.domain),
            "difficulty": row.difficulty,
            "prefix": row.prefix,
            "solution": row.solution,
            "rest": row.rest,
        },
    }
    assert to_row(again, "there")[0] == row


def test_a_column_and_a_field_of_one_name_are_both_kept() -> None:
    row, _ = to_row(_record(id="column", extra_info={"id": "field"}), "here")
    assert json.loads(row.rest) == {"id": "field", "column.id": "column"}


def test_a_sources_own_difficulty_and_problem_id_are_kept() -> None:
    row, _ = to_row(_record(extra_info={"difficulty": "Hard", "problem_id": "leet-7", "dataset": "x"}), "here")
    assert row.difficulty is None
    assert json.loads(row.rest) == {"difficulty": "Hard", "source_id": "leet-7", "dataset": "x"}


@pytest.mark.parametrize(
    ("gold", "meant"),
    [
        (r"\\frac{1}{2}", r"\frac{1}{2}"),
        (r"5.88\\%", r"5.88\%"),
        (r"\\\\frac{1}{2}", r"\frac{1}{2}"),
        (r"\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
        (r"\frac{1}{2}", r"\frac{1}{2}"),
        ("42", "42"),
    ],
)
def test_doubled_backslashes_are_folded_and_line_breaks_are_not(gold: str, meant: str) -> None:
    assert fold_doubled_backslashes(gold) == meant


@given(st.text("\\a{", max_size=12))
def test_folding_backslashes_twice_is_folding_them_once(gold: str) -> None:
    assert fold_doubled_backslashes(fold_doubled_backslashes(gold)) == fold_doubled_backslashes(gold)


def _prepare(root: Path, **cleaning: Any) -> Any:
    spec = DataSpec(
        root=str(root),
        n_unique=None,
        n_eval_per_domain=1,
        n_val_per_domain=1,
        cleaning=Cleaning(exact_duplicates=False, contamination=False, **cleaning),
    )
    return materialise(spec, root.parent / "out")


def _good(n: int) -> list[dict[str, Any]]:
    return [_record(prompt=[{"role": "user", "content": f"What is {i}+1?"}]) for i in range(n)]


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def _truncated(path: Path) -> None:
    _write(path, _good(5))
    path.write_bytes(path.read_bytes()[:-100])


def _not_utf8_parquet(path: Path) -> None:
    rows = _good(3)
    broken = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffb")]
    )
    pq.write_table(pa.Table.from_pylist(rows).append_column("note", broken), path)


_BAD_FILES = {
    "truncated": ("b.parquet", _truncated, r"b\.parquet cannot be read as parquet"),
    "no bytes": ("b.parquet", lambda p: p.write_bytes(b""), r"b\.parquet cannot be read as parquet"),
    "no rows": (
        "b.parquet",
        lambda p: pq.write_table(pa.Table.from_pylist(_good(1)).slice(0, 0), p),
        r"b\.parquet holds no row",
    ),
    "no prompt column": (
        "b.parquet",
        lambda p: _write(p, [{k: v for k, v in _record().items() if k != "prompt"}]),
        r"b\.parquet row 0: lacks the columns \['prompt'\]",
    ),
    "a number as source": (
        "b.parquet",
        lambda p: _write(p, [_record(data_source=3)]),
        r"b\.parquet row 0: data_source is 3",
    ),
    "text as reward_model": (
        "b.parquet",
        lambda p: _write(p, [_record(reward_model="2")]),
        r"b\.parquet row 0 .*ground_truth",
    ),
    "parquet that is not UTF-8": ("b.parquet", _not_utf8_parquet, r"b\.parquet row 1: text is not UTF-8"),
    "JSON that is not UTF-8": (
        "b.jsonl",
        lambda p: p.write_bytes(json.dumps(_record()).encode() + b'\n{"prompt": "\xe9"}\n'),
        r"b\.jsonl row 1: text is not UTF-8",
    ),
    "broken JSON": (
        "b.jsonl",
        lambda p: p.write_text(json.dumps(_record()) + "\n{\n"),
        r"b\.jsonl row 1: not JSON",
    ),
    "a gold that is not a puzzle's": (
        "b.parquet",
        lambda p: _write(p, [*_good(2), _record(data_source="logic__zebra_puzzle_dataset")]),
        r"b\.parquet row 2 \(logic__zebra_puzzle_dataset\): ",
    ),
    "a gold that is not code's": (
        "b.parquet",
        lambda p: _write(p, [_record(data_source="codegen__leetcode2k")]),
        r"b\.parquet row 0 \(codegen__leetcode2k\): ",
    ),
}


@pytest.mark.parametrize("fault", _BAD_FILES)
def test_a_bad_file_is_refused_with_its_name_and_row_and_nothing_is_left_behind(tmp_path: Path, fault: str) -> None:
    name, write, words = _BAD_FILES[fault]
    root = tmp_path / "guru"
    _write(root / "a.parquet", _good(5))
    write(root / name)
    spec = DataSpec(
        root=str(root),
        n_unique=None,
        weights={"math": 1.0, "logic": 1.0, "code": 1.0},
        n_eval_per_domain=1,
        n_val_per_domain=1,
    )
    with pytest.raises(DataError, match=words):
        materialise(spec, tmp_path / "out")
    assert [path for path in (tmp_path / "out").rglob("*") if path.name != "pools"] == []


def test_bad_rows_can_be_dropped_with_their_reasons(tmp_path: Path) -> None:
    root = tmp_path / "guru"
    _write(root / "a.parquet", [*_good(5), _record(prompt=[{"role": "user", "content": " "}])])
    prepared = _prepare(root, bad_rows=BadRows.drop)
    assert json.loads(prepared.manifest.read_text())["dropped"] == {"malformed": 1}
    (dropped,) = pq.read_table(prepared.dropped).to_pylist()
    assert "a.parquet row 5" in dropped["reason"]


def test_the_manifest_names_every_input_with_its_digest(tmp_path: Path) -> None:
    root = tmp_path / "guru"
    _write(root / "a.parquet", _good(5))
    manifest = json.loads(_prepare(root).manifest.read_text())
    (only,) = manifest["inputs"]
    assert (only["file"], only["rows"], len(only["sha256"])) == ("a.parquet", 5, 64)


def test_prepared_files_are_a_source_that_gives_the_same_rows(tmp_path: Path) -> None:
    root = tmp_path / "guru"
    _write(root / "a.parquet", _good(9))
    first = _prepare(root)
    copy = tmp_path / "copy"
    (copy / "train").mkdir(parents=True)
    (copy / "online_eval").mkdir()
    (copy / "train" / "a.parquet").write_bytes(first.train.read_bytes())
    (copy / "online_eval" / "b.parquet").write_bytes(first.evaluation.read_bytes())
    second = _prepare(copy)
    assert second.train.read_bytes() == first.train.read_bytes()
    assert second.evaluation.read_bytes() == first.evaluation.read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"extra_info": "index 3"}, "extra_info is 'index 3', not a struct"),
        ({"extra_info": {"qwen2.5_7b_pass_rate": "0.5"}}, "pass_rate is '0.5', not a number"),
        ({"qwen2.5_7b_pass_rate": 7}, "pass_rate is 7, not a number between 0 and 1"),
        ({"reward_model": {"style": "rule", "ground_truth": [1, 2]}}, "ground_truth of a math problem is a list"),
        ({"prompt": [{"role": "robot", "content": "2 + 2?"}]}, "a turn of role 'robot'"),
        ({"prompt": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]}, "assistant's, so"),
        ({"prompt": [{"role": "user", "content": "half a pair: \ud800"}]}, "text is not Unicode"),
    ],
)
def test_values_of_a_wrong_type_are_refused_with_file_and_row(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    rows = [*_good(3), _good(1)[0] | change]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=words) as caught:
        _prepare(tmp_path / "in")
    assert "a.jsonl row 3" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"), [("stem__web", "a list, not text"), ("table__hitab", r"one text, with \|")]
)
def test_a_list_is_no_gold_where_scorers_read_text(source: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        to_row(_record(data_source=source, reward_model={"ground_truth": ["3", "4"]}), "a.jsonl row 3")
