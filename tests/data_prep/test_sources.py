"""Sources: folder layouts, declared columns, the hub's cache without a network."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.materialise import materialise
from data_prep.sources.hub import fetch
from data_prep.sources.layout import folder_digest
from data_prep.sources.source import SOURCES, of_the_hub
from data_prep.spec import DataError, DataSpec
from rewards import check_source

_COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _word_problems(root: Path) -> None:
    root.mkdir(exist_ok=True)
    rows = [{"q": f"{i} eggs and one?", "a": f"It is {i}+1.\n#### {i + 1}", "n": i, "p7": i / 10} for i in range(10)]
    (root / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:7]))
    pq.write_table(pa.Table.from_pylist(rows[7:]), root / "final.parquet")
    (root / "columns.yaml").write_text(
        "train.jsonl: &c\n"
        "  {prompt: q, ground_truth: a, ground_truth_after: '####', solution: a, data_source: openai/gsm8k,\n"
        "   problem_id: n, pass_rates: {weak_pass_rate: p7}, template: 'Box it: {prompt}'}\n"
        "final.parquet: {<<: *c, evaluation: true}\n"
    )


def test_any_file_is_a_source_once_its_columns_are_declared(tmp_path: Path) -> None:
    root = tmp_path / "eggs"
    _word_problems(root)
    spec = DataSpec(root=str(root), n_unique=None, n_eval_per_domain=None, n_val_per_domain=1)
    prepared = materialise(spec, tmp_path / "out")
    rows = {
        json.loads(row["extra_info"]["rest"])["source_id"]: row for row in pq.read_table(prepared.train).to_pylist()
    }
    assert set(rows) == set(range(7))
    row = rows[3]
    assert row["prompt"] == [{"role": "user", "content": "Box it: 3 eggs and one?"}]
    assert row["reward_model"]["ground_truth"] == "4"
    assert row["extra_info"]["solution"] == "It is 3+1.\n#### 4"
    assert json.loads(row["extra_info"]["rest"]) == {"source_id": 3, "weak_pass_rate": 0.3}
    assert pq.read_metadata(prepared.evaluation).num_rows == 3


def test_another_declaration_is_another_source(tmp_path: Path) -> None:
    root = tmp_path / "eggs"
    _word_problems(root)
    before = folder_digest(root)
    (root / "columns.yaml").write_text((root / "columns.yaml").read_text().replace("Box it", "Box this"))
    assert folder_digest(root) != before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "file patterns"),
        ("'*': {prompt: q}", "ground_truth"),
        ("'*': {prompt: q, ground_truth: a}", r"/columns\.yaml: \*: set exactly one of data_source"),
        ("'*': {prompt: q, ground_truth: a, data_source: gsm8k, colour: red}", r"unknown entries \['colour'\]"),
        ("'*': {prompt: q, ground_truth: a, 1: b, colour: red}", r"unknown entries \['1', 'colour'\]"),
        ("'*': {prompt: q, ground_truth: a, data_source: gsm8k, template: Solve}", "must contain"),
        ("'*': {prompt: nothing, ground_truth: a, data_source: gsm8k}", r"row 0: no column \['nothing'\]"),
        (
            "'*': {prompt: q, ground_truth: q, ground_truth_after: '####', data_source: gsm8k}",
            "row 0: the gold answer has no '####'",
        ),
        ("'*': {prompt: [q", "not YAML"),
    ],
)
def test_a_meaningless_declaration_is_refused(tmp_path: Path, text: str, words: str) -> None:
    root = tmp_path / "eggs"
    _word_problems(root)
    (root / "columns.yaml").write_text(text)
    with pytest.raises(DataError, match=words):
        materialise(DataSpec(root=str(root), n_unique=None, n_eval_per_domain=1), tmp_path / "out")


def _cached(cache: Path, repository: str, files: dict[str, list[dict[str, Any]]]) -> None:
    """What huggingface_hub leaves in its cache after a download."""
    folder = cache / f"datasets--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(_COMMIT)
    for name, rows in files.items():
        path = folder / "snapshots" / _COMMIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)


def _gsm8k(cache: Path) -> None:
    rows = [{"question": f"How many are {i} and 1?", "answer": f"{i}+1\n#### {i + 1}"} for i in range(12)]
    files = {"main/train-00000-of-00001.parquet": rows[:8], "main/test-00000-of-00001.parquet": rows[8:]}
    _cached(cache, "openai/gsm8k", files)


def test_a_fetched_source_is_prepared_without_a_network_and_states_its_revision(tmp_path: Path) -> None:
    _gsm8k(tmp_path / "cache")
    out = tmp_path / "gsm8k"
    assert fetch(SOURCES["gsm8k"], out, offline=True, cache=tmp_path / "cache") == _COMMIT
    card = json.loads((out / "source.json").read_text())
    assert (card["revision"], card["licence"]) == (_COMMIT, "MIT")
    spec = DataSpec(root=str(out), n_unique=8, n_eval_per_domain=None, n_val_per_domain=2)
    prepared = materialise(spec, tmp_path / "out")
    assert pq.read_metadata(prepared.evaluation).num_rows == 4
    assert json.loads(prepared.manifest.read_text())["source"]["revision"] == _COMMIT


def test_any_data_set_of_the_hub_is_read_by_its_splits_at_a_commit(tmp_path: Path) -> None:
    cache, out = tmp_path / "cache", tmp_path / "mine"
    rows = [{"question": f"How many are {i} and 1?", "answer": str(i + 1)} for i in range(3000)]
    files = {"data/train-00000-of-00002.parquet": rows[:2000], "data/train-00001-of-00002.parquet": rows[2000:2900]}
    _cached(cache, "someone/sums", files | {"data/test-00000-of-00001.parquet": rows[2900:]})
    source = of_the_hub("someone/sums")
    assert fetch(source, out, offline=True, cache=cache, revision=_COMMIT) == _COMMIT
    assert pq.read_table(out / "train.parquet").to_pylist() == rows[:2900]
    assert pq.read_table(out / "test.parquet").to_pylist() == rows[2900:]
    assert json.loads((out / "source.json").read_text())["revision"] == _COMMIT
    (out / "columns.yaml").write_text('"*": {prompt: question, ground_truth: answer, data_source: openai/gsm8k}\n')
    spec = DataSpec(root=str(out), n_unique=64, n_eval_per_domain=16)
    manifest = json.loads(materialise(spec, tmp_path / "out").manifest.read_text())
    assert [(file["file"], file["role"], file["rows"]) for file in manifest["inputs"]] == [
        ("test.parquet", "evaluation", 100),
        ("train.parquet", "train", 2900),
    ]
    assert manifest["source"]["revision"] == _COMMIT
    fetch(of_the_hub("someone/sums", splits=("test",)), tmp_path / "test alone", offline=True, cache=cache)
    assert {path.name for path in (tmp_path / "test alone").iterdir()} == {"test.parquet", "source.json"}


def test_a_split_or_subset_that_is_not_there_is_named(tmp_path: Path) -> None:
    rows = [{"question": "1+1?", "answer": "2"}]
    _cached(tmp_path / "cache", "someone/sums", {"train.parquet": rows})
    for source, words in (
        (of_the_hub("someone/sums", splits=("test",)), "has no split test. It has train"),
        (of_the_hub("someone/sums", subset="main"), "cannot be read by datasets"),
        (of_the_hub("someone/nothing"), "not in the Hugging Face cache"),
    ):
        with pytest.raises(DataError, match=words):
            fetch(source, tmp_path / "mine", offline=True, cache=tmp_path / "cache")
        assert not (tmp_path / "mine").exists()


def test_a_finished_fetch_is_not_repeated_and_never_overwritten(tmp_path: Path) -> None:
    _gsm8k(tmp_path / "cache")
    out = tmp_path / "gsm8k"
    fetch(SOURCES["gsm8k"], out, offline=True, cache=tmp_path / "cache")
    assert fetch(SOURCES["gsm8k"], out, offline=True, cache=tmp_path / "elsewhere") == _COMMIT
    with pytest.raises(DataError, match="Give another folder"):
        fetch(SOURCES["guru"], out, offline=True)
    with pytest.raises(DataError, match="Give another folder"):
        fetch(SOURCES["gsm8k"], out, revision="v2", offline=True)


def test_without_network_and_cache_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"LLM360/guru-RL-92k .* not in the Hugging Face cache"):
        fetch(SOURCES["guru"], tmp_path / "guru", offline=True, cache=tmp_path / "empty")
    assert not (tmp_path / "guru").exists()
    with pytest.raises(DataError, match="not on the hub"):
        fetch(SOURCES["guru-math-curriculum"], tmp_path / "guru", offline=True)


def test_every_source_states_its_licence_and_how_to_get_it() -> None:
    for name, source in SOURCES.items():
        assert source.name == name
        assert source.licence
        assert source.how
        for mapping in source.columns.values():
            assert mapping.data_source is not None
            check_source(mapping.data_source)
