"""A run's own limit of prompts: what verl would leave out is left out when the files are made."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.cleaning.lengths import PromptLengths, PromptLimit
from data_prep.files.prepared_file import prompts_of
from data_prep.files.prepared_folder import PreparedData
from data_prep.files.row import Message
from data_prep.materialise import materialise
from data_prep.spec import DataError, DataSpec
from tests.data_prep.guru import record
from tests.data_prep.tokenizers import byte_level_tokenizer

_SYNTHETIC = DataSpec(n_unique=64, weights={"math": 1.0, "code": 1.0}, n_eval_per_domain=16, n_val_per_domain=16)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return byte_level_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """80 problems, every fourth of them long."""
    root = tmp_path / "in"
    root.mkdir()
    rows = [record(f"What is {n}+{n}?{' Think well!' * 9 * (n % 4 == 0)}", str(2 * n)) for n in range(100, 180)]
    pq.write_table(pa.Table.from_pylist(rows), root / "train.parquet")
    return root


def _names(path: Path) -> list[str]:
    return [row["extra_info"]["problem_id"] for row in pq.read_table(path).to_pylist()]


def _all_fit(data: PreparedData, limit: PromptLimit) -> bool:
    return not any(limit.too_long(prompts_of(path)) for path in (data.train, data.val))


def _dropped(data: PreparedData) -> dict[str, int]:
    found: dict[str, int] = json.loads(data.manifest.read_text())["dropped"]
    return found


@pytest.mark.parametrize("is_synthetic", [True, False])
def test_where_nothing_is_too_long_the_files_are_those_without_a_limit(
    tmp_path: Path, folder: Path, tokenizer: Path, is_synthetic: bool
) -> None:
    spec = _SYNTHETIC if is_synthetic else DataSpec(root=str(folder), n_unique=32, n_eval_per_domain=8)
    plain = materialise(spec, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in plain.manifest.parent.iterdir()}
    limited = materialise(spec, tmp_path / "out", PromptLimit(tokenizer=tokenizer, max_tokens=2048))
    assert limited == plain
    assert {path.name: path.read_bytes() for path in plain.manifest.parent.iterdir()} == before


def test_the_next_problems_take_the_places_of_those_that_are_too_long(
    tmp_path: Path, folder: Path, tokenizer: Path
) -> None:
    spec = DataSpec(root=str(folder), n_unique=32, n_eval_per_domain=12, n_val_per_domain=12)
    limit = PromptLimit(tokenizer=tokenizer, max_tokens=60)
    plain, limited = materialise(spec, tmp_path / "out"), materialise(spec, tmp_path / "out", limit)
    assert limited.manifest.parent != plain.manifest.parent
    assert (_all_fit(plain, limit), _all_fit(limited, limit)) == (False, True)
    assert len(_names(limited.train)) == 32
    fitting = [name for name in _names(plain.train) if name in _names(limited.train)]
    assert _names(limited.train)[: len(fitting)] == fitting
    assert limited.evaluation.read_bytes() == plain.evaluation.read_bytes()
    assert set(_names(limited.val)) < set(_names(plain.val))
    left = 12 - len(_names(limited.val))
    assert _dropped(limited) == {"too long": 20 - left, "too long to validate on": left}
    assert limited.dropped is not None
    reasons = {row["reason"] for row in pq.read_table(limited.dropped).to_pylist()}
    assert all(reason.endswith(" tokens, 60 allowed") for reason in reasons)
    larger = materialise(replace(spec, n_unique=48), tmp_path / "out", limit)
    assert _names(larger.train)[:32] == _names(limited.train)


def test_where_too_few_are_left_the_refusal_says_how_many_and_why(
    tmp_path: Path, folder: Path, tokenizer: Path
) -> None:
    spec = DataSpec(root=str(folder), n_unique=56, n_eval_per_domain=12, n_val_per_domain=12)
    materialise(spec, tmp_path / "out")
    with pytest.raises(DataError, match=r"n_unique=56 needs 56 .* has 5\d .*1\d more are longer than"):
        materialise(spec, tmp_path / "out", PromptLimit(tokenizer=tokenizer, max_tokens=60))
    with pytest.raises(DataError, match="max_prompt_length"):
        materialise(replace(spec, n_unique=None), tmp_path / "out", PromptLimit(tokenizer=tokenizer, max_tokens=3))


def test_synthetic_problems_are_drawn_until_enough_are_short(tmp_path: Path, tokenizer: Path) -> None:
    lengths = PromptLengths(tokenizer)
    counted = lengths.count_prompts(prompts_of(materialise(_SYNTHETIC, tmp_path).train))
    limit = PromptLimit(tokenizer=tokenizer, max_tokens=sorted(counted)[3 * len(counted) // 4])
    limited = materialise(_SYNTHETIC, tmp_path, limit)
    assert _all_fit(limited, limit)
    assert len(_names(limited.train)) == 64
    assert limited.evaluation.read_bytes() == materialise(_SYNTHETIC, tmp_path).evaluation.read_bytes()
    assert _dropped(limited)["too long"] >= sum(length > limit.max_tokens for length in counted)
    with pytest.raises(DataError, match=r"training\.max_prompt_length=1: 0 of \d+ synthetic math problems"):
        materialise(_SYNTHETIC, tmp_path, replace(limit, max_tokens=1))


def test_a_tokenizer_counts_by_its_content_and_not_by_its_place(tmp_path: Path, folder: Path, tokenizer: Path) -> None:
    spec = DataSpec(root=str(folder), n_unique=32, n_eval_per_domain=8)

    def made(place: Path, **how: Any) -> Path:
        limit = PromptLimit(tokenizer=byte_level_tokenizer(place, **how), max_tokens=100)
        return materialise(spec, tmp_path / "out", limit).manifest.parent

    first = materialise(spec, tmp_path / "out", PromptLimit(tokenizer=tokenizer, max_tokens=100)).manifest.parent
    assert made(tmp_path / "copy") == first
    assert made(tmp_path / "other", style="instruct") != first


def test_a_prompt_that_the_chat_template_refuses_is_left_out_as_verl_leaves_it_out(tokenizer: Path) -> None:
    template = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    lengths = PromptLengths(tokenizer, chat_template=f"{template}{{{{ m.content }}}}{{% endfor %}}")
    good, bad = (Message("user", "How many?"),), (Message("system", "Be brief."), Message("user", "How many?"))
    assert lengths.too_long([good, bad, good], 100) == {1: "the model's chat template refuses it: no system turn"}
