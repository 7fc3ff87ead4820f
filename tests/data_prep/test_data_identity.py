"""What a prepared folder is named by: every value of a `DataSpec` that decides its files, and no path."""

import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from data_prep.materialise import data_identity
from data_prep.spec import Cleaning, DataError, DataSpec, Order, PassRateRange, Recipe

# For each field, the spec that it is changed in and the value that it gets there.
STAGED = {"weights": {"math": 1.0, "code": 1.0}, "order": Order.staged, "stages": ("math", "code")}
CHANGES: dict[str, tuple[dict[str, Any], Any]] = {
    "n_unique": ({}, 9),
    "weights": ({}, {"math": 1.0, "code": 1.0}),
    "n_val_per_domain": ({}, 3),
    "n_eval_per_domain": ({}, 31),
    "eval_domains": ({}, ("code",)),
    "seed": ({}, 1),
    "order": ({}, Order.easy_to_hard),
    "order_by": ({"order": Order.easy_to_hard}, "x_pass_rate"),
    "stages": (STAGED, ("code", "math")),
    "stratify_by": ({}, "difficulty"),
    "filters": ({}, (PassRateRange(column="x_pass_rate"),)),
    "sft_share": ({}, 0.25),
    "sft_solutions": ({}, "two.jsonl"),
    "annotations": ({}, ("two.jsonl",)),
    "cleaning": ({}, Cleaning(exact_duplicates=False)),
    "recipe": ({}, Recipe.guru_math_cl),
    "own_rewards": ({}, ("own_source=mine.py:score",)),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        Path(f"{name}.jsonl").write_text(f'{{"problem_id": "{name}", "x_pass_rate": 0.5, "solution": "{name}"}}\n')
    root = tmp_path / "root"
    root.mkdir()
    (root / "rows.jsonl").write_text('{"problem_id": "a"}\n')
    return root


def test_every_field_of_a_data_spec_is_tried_here() -> None:
    assert {field.name for field in fields(DataSpec)} - {"root", "digest", "tasks"} == set(CHANGES)


def test_the_kind_of_synthetic_tasks_changes_the_name_of_their_folder() -> None:
    one = DataSpec(root=None, n_unique=8)
    assert data_identity(replace(one, tasks="agent")) != data_identity(one)


@pytest.mark.parametrize("name", CHANGES)
def test_a_value_that_decides_the_files_changes_their_name(folder: Path, name: str) -> None:
    given, value = CHANGES[name]
    one = DataSpec(root=str(folder), n_unique=8, **given)
    assert data_identity(replace(one, **{name: value})) != data_identity(one)


def test_a_folder_counts_by_its_content_and_not_by_its_place(folder: Path) -> None:
    one = DataSpec(root=str(folder), n_unique=8)
    before = data_identity(one)
    elsewhere = shutil.copytree(folder, "elsewhere")
    assert data_identity(replace(one, root=str(elsewhere))) == before
    assert data_identity(replace(one, digest=str(before["digest"]))) == before
    (folder / "rows.jsonl").write_text('{"problem_id": "b"}\n')
    assert data_identity(one) != before
    with pytest.raises(DataError, match="data_root"):
        data_identity(replace(one, digest=str(before["digest"])))


@pytest.mark.parametrize("name", ["annotations", "sft_solutions"])
def test_a_file_beside_the_rows_counts_by_its_content_and_not_by_its_place(folder: Path, name: str) -> None:
    def named(path: str) -> dict[str, object]:
        value: Any = (path,) if name == "annotations" else path
        return data_identity(replace(DataSpec(root=str(folder), n_unique=8), **{name: value}))

    shutil.copy("one.jsonl", "copy.jsonl")
    assert named("copy.jsonl") == named("one.jsonl") != named("two.jsonl")
