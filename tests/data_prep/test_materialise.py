"""Prepared files: identity, nesting, disjointness, refusals."""

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.files.prepared_folder import PreparedData
from data_prep.files.row import Message, content_id
from data_prep.materialise import materialise
from data_prep.sources.layout import folder_digest
from data_prep.spec import DataError, DataSpec
from rewards import Domain, compute_score

_UNIFORM = {"math": 1.0, "code": 1.0, "logic": 1.0, "stem": 1.0}
_SPEC = DataSpec(n_unique=32, weights=_UNIFORM, n_eval_per_domain=6, n_val_per_domain=2)


_INSTRUCTION = "Please output the final answer within \\boxed{}."


def _rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _ids(path: Path) -> list[str]:
    return [row["extra_info"]["problem_id"] for row in _rows(path)]


def _bytes(prepared: PreparedData) -> list[bytes]:
    return [p.read_bytes() for p in (prepared.train, prepared.val, prepared.evaluation, prepared.manifest)]


def _math_row(number: int, source: str = "math__deepscaler_preview", **extra: object) -> dict[str, Any]:
    return {
        "data_source": source,
        "prompt": [{"role": "user", "content": f"What is {number} plus one? {_INSTRUCTION}"}],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": str(number + 1)},
        "extra_info": {"split": "train", "index": number, **extra},
        "qwen2.5_7b_pass_rate": 0.25,
    }  # fmt: skip


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "guru"
    _write(root / "math.parquet", [_math_row(i) for i in range(40)])
    logic = [
        {
            "data_source": "logic__ordering_puzzle_dataset",
            "prompt": [{"role": "user", "content": f"Order the books of shelf {i}."}],
            "ability": "logical_reasoning",
            "reward_model": {"ground_truth": ["red", f"book{i}"]},
            "extra_info": {"num_objects": 2, "raw_input": {"clues": [i]}, "split": "train"},
        }
        for i in range(20)
    ]
    _write(root / "logic.parquet", logic)
    return root


def test_the_same_spec_gives_the_same_folder_and_bytes(tmp_path: Path) -> None:
    first, second = materialise(_SPEC, tmp_path / "a"), materialise(_SPEC, tmp_path / "b")
    assert first.train.parent.name == second.train.parent.name
    assert _bytes(first) == _bytes(second)
    assert first.digest == second.digest


def test_a_finished_folder_is_used_as_it_is(tmp_path: Path) -> None:
    first = materialise(_SPEC, tmp_path)
    before = first.train.stat().st_mtime_ns
    assert materialise(_SPEC, tmp_path) == first
    assert first.train.stat().st_mtime_ns == before


def test_processes_may_prepare_the_same_data_at_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as executor:
        prepared = list(executor.map(materialise, [_SPEC] * 8, [tmp_path] * 8))
    assert len(set(prepared)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [prepared[0].train.parent.name]


def test_a_smaller_scale_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    small = materialise(_SPEC, tmp_path)
    large = materialise(replace(_SPEC, n_unique=64), tmp_path)
    assert _ids(large.train)[:32] == _ids(small.train)
    assert len(set(_ids(large.train))) == 64


def test_all_scales_mixes_and_seeds_share_one_evaluation(tmp_path: Path) -> None:
    one = materialise(_SPEC, tmp_path)
    held_out = one.evaluation.read_bytes()
    for other in (
        replace(_SPEC, n_unique=64),
        replace(_SPEC, seed=9),
        replace(_SPEC, weights={"math": 1.0}, eval_domains=tuple(_UNIFORM)),
    ):
        assert materialise(other, tmp_path).evaluation.read_bytes() == held_out
    assert _ids(materialise(replace(_SPEC, seed=9), tmp_path).train) != _ids(one.train)


def test_train_and_held_out_are_disjoint_and_val_is_held_out(tmp_path: Path, folder: Path) -> None:
    real = replace(_SPEC, root=str(folder), n_unique=20, weights={"math": 1.0, "logic": 1.0})
    for spec in (_SPEC, real):
        prepared = materialise(spec, tmp_path / "out")
        assert not set(_ids(prepared.train)) & set(_ids(prepared.evaluation))
        assert set(_ids(prepared.val)) <= set(_ids(prepared.evaluation))


def test_the_manifest_counts_what_the_files_hold(tmp_path: Path) -> None:
    prepared = materialise(_SPEC, tmp_path)
    manifest = json.loads(prepared.manifest.read_text())
    assert manifest["files"]["train"]["by_domain"] == {"code": 8, "logic": 8, "math": 8, "stem": 8}
    assert manifest["files"]["evaluation"]["rows"] == 24
    assert manifest["files"]["val"]["rows"] == 8


def test_prepared_synthetic_rows_are_scored_by_their_own_solutions(tmp_path: Path) -> None:
    for row in _rows(materialise(_SPEC, tmp_path).train):
        extra = row["extra_info"]
        gold = row["reward_model"]["ground_truth"]
        assert compute_score(row["data_source"], extra["solution"], gold, extra)["score"] == 1.0


def test_folders_of_different_shapes_share_one_schema_and_lose_nothing(tmp_path: Path, folder: Path) -> None:
    spec = DataSpec(
        root=str(folder), n_unique=20, weights={"math": 1.0, "logic": 1.0}, n_eval_per_domain=4, n_val_per_domain=2
    )
    rows = {row["data_source"]: row for row in _rows(materialise(spec, tmp_path / "out").train)}
    logic, math = rows["logic__ordering_puzzle_dataset"], rows["math__deepscaler_preview"]
    assert json.loads(logic["extra_info"]["rest"]) == {
        "num_objects": 2,
        "source_split": "train",
        "raw_input": {"clues": json.loads(logic["extra_info"]["rest"])["raw_input"]["clues"]},
    }
    assert json.loads(logic["reward_model"]["ground_truth"])[0] == "red"
    assert logic["reward_model"]["style"] == "rule"
    assert json.loads(math["extra_info"]["rest"])["qwen2.5_7b_pass_rate"] == 0.25
    answer = ", ".join(json.loads(logic["reward_model"]["ground_truth"]))
    scored = compute_score(logic["data_source"], f"<answer>{answer}</answer>", logic["reward_model"]["ground_truth"])
    assert scored["score"] == 1.0


def test_a_real_folder_nests_and_uses_everything_when_asked(tmp_path: Path, folder: Path) -> None:
    spec = DataSpec(root=str(folder), n_unique=None, n_eval_per_domain=5, n_val_per_domain=2)
    assert len(_ids(materialise(spec, tmp_path / "out").train)) == 35
    ten = materialise(replace(spec, n_unique=10), tmp_path / "out")
    twenty = materialise(replace(spec, n_unique=20), tmp_path / "out")
    assert _ids(twenty.train)[:10] == _ids(ten.train)


def test_asking_for_more_than_there_is_says_how_many_there_are(tmp_path: Path, folder: Path) -> None:
    spec = DataSpec(root=str(folder), n_unique=100, n_eval_per_domain=5, n_val_per_domain=2)
    with pytest.raises(DataError, match=r"data_scale\.n_unique=100 .* has 35"):
        materialise(spec, tmp_path / "out")


def test_train_problems_that_are_evaluated_are_set_aside(tmp_path: Path) -> None:
    root = tmp_path / "guru"
    _write(root / "train" / "a.parquet", [_math_row(i) for i in range(10)])
    leaked = _math_row(3)
    leaked["prompt"][0]["content"] = "You are a knowledgeable math assistant. What is $3$  plus one?"
    _write(root / "online_eval" / "b.parquet", [leaked, _math_row(77)])
    spec = DataSpec(root=str(root), n_unique=None, n_eval_per_domain=None, n_val_per_domain=1)
    prepared = materialise(spec, tmp_path / "out")
    assert (len(_ids(prepared.train)), len(_ids(prepared.evaluation))) == (9, 2)
    assert sum(json.loads(prepared.manifest.read_text())["dropped"].values()) == 1


def test_repeated_problems_are_used_once(tmp_path: Path) -> None:
    root = tmp_path / "guru"
    _write(root / "a.parquet", [_math_row(i % 5) for i in range(40)])
    spec = DataSpec(root=str(root), n_unique=None, n_eval_per_domain=1, n_val_per_domain=1)
    assert len(_ids(materialise(spec, tmp_path / "out").train)) == 4


@pytest.mark.parametrize("source", ["math_typo", "math"])
def test_an_unknown_source_is_refused_with_its_file(tmp_path: Path, folder: Path, source: str) -> None:
    _write(folder / "strange.parquet", [_math_row(1, source=source)])
    spec = DataSpec(root=str(folder), n_unique=5, n_eval_per_domain=5, n_val_per_domain=2)
    with pytest.raises(DataError, match=rf"strange\.parquet.*{source}"):
        materialise(spec, tmp_path / "out")


def test_an_unsupported_source_is_refused_only_where_its_domain_is_used(tmp_path: Path, folder: Path) -> None:
    _write(folder / "riddles.parquet", [_math_row(1, source="logic__riddles")])
    math_only = DataSpec(root=str(folder), n_unique=5, n_eval_per_domain=5, n_val_per_domain=2)
    materialise(math_only, tmp_path / "out")
    with pytest.raises(DataError, match=r"riddles\.parquet.*has no scorer"):
        materialise(replace(math_only, weights={"logic": 1.0}), tmp_path / "out")


def test_a_stringified_message_list_is_read_back_and_counted(tmp_path: Path) -> None:
    root = tmp_path / "guru"
    rows = [_math_row(i) for i in range(4)]
    for row in rows:
        row["prompt"] = [{"role": "user", "content": str(row["prompt"])}]
    _write(root / "a.parquet", rows)
    spec = DataSpec(root=str(root), n_unique=None, n_eval_per_domain=1, n_val_per_domain=1)
    prepared = materialise(spec, tmp_path / "out")
    assert all(row["prompt"][0]["content"].startswith("What is") for row in _rows(prepared.train))
    assert "stringified" in prepared.manifest.read_text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": "What?"}, "list of messages"),
        (
            {"prompt": [{"role": "user", "content": "[{'content': broken"}, {"role": "user", "content": " "}]},
            "messages",
        ),
        ({"prompt": [{"role": "user", "content": "[{'content': broken]"}]}, "stringified"),
        ({"reward_model": {"style": "rule", "ground_truth": None}}, "ground_truth"),
        ({"reward_model": {"style": "rule", "ground_truth": " "}}, "empty"),
    ],
)
def test_malformed_rows_are_refused_with_file_and_row(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    root = tmp_path / "guru"
    _write(root / "a.parquet", [{**_math_row(1), **change}])
    spec = DataSpec(root=str(root), n_unique=None, n_eval_per_domain=1, n_val_per_domain=1)
    with pytest.raises(DataError, match=rf"a\.parquet row 0.*{words}"):
        materialise(spec, tmp_path / "out")


def test_a_folder_is_known_by_its_content_and_not_by_its_place(tmp_path: Path, folder: Path) -> None:
    digest = folder_digest(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    assert folder_digest(moved) == digest
    _write(moved / "math.parquet", [_math_row(1)])
    assert folder_digest(moved) != digest


def test_a_folder_changed_after_planning_is_refused(tmp_path: Path, folder: Path) -> None:
    spec = DataSpec(root=str(folder), digest="0" * 64, n_unique=5)
    with pytest.raises(DataError, match="plan again"):
        materialise(spec, tmp_path / "out")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"n_unique": None}, "endless"),
        ({"n_unique": 0}, "at least 1"),
        ({"n_unique": 5, "weights": {"math": 0.0}}, "at least one > 0"),
        ({"n_unique": 5, "weights": {"maths": 1.0}}, "unknown domains"),
        ({"n_unique": 5, "eval_domains": ("physics",)}, "unknown domains"),
    ],
)
def test_meaningless_specs_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        DataSpec(**fields)


def test_the_same_problem_under_another_instruction_is_the_same_problem() -> None:
    long = "A train leaves the station at noon and runs at sixty miles per hour for $3$ hours; how far does it get?"
    other = "You are a knowledgeable math assistant. Answer the following questions and think step by step. " + (
        long.replace("$3$", r"\( 3 \)") + r" Please output the final answer within \boxed{}."
    )
    assert content_id(Domain.MATH, [Message("user", long)]) == content_id(Domain.MATH, [Message("user", other)])
    plus, minus = ([Message("user", f"3{sign}5=?")] for sign in "+-")
    assert content_id(Domain.MATH, plus) != content_id(Domain.MATH, minus)


def test_verls_reader_accepts_the_files(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    train = str(materialise(_SPEC, tmp_path / "out").train)
    loaded = datasets.load_dataset("parquet", data_files=train, cache_dir=str(tmp_path / "cache"))["train"]
    assert loaded[0]["extra_info"]["domain"] in list(Domain)
    assert loaded[0]["prompt"][0]["role"] == "user"
