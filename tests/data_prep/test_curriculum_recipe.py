"""The published math curriculum, reproduced row for row."""

import hashlib
import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from data_prep.choosing.curriculum_recipe import (
    N_EASY,
    N_TRAIN,
    PUBLISHED_SIZES,
    recipe_rows,
    subset_positions,
)
from data_prep.materialise import materialise
from data_prep.spec import DataError, DataSpec, Order, Recipe
from tests.outside import needs, published

# SHA-256 of the positions as little-endian int64, computed from the published files' index columns.
_PUBLISHED = {
    512: "35b69ab4cf0006f7",
    1024: "a2d40eb87a2af300",
    2560: "ca53d9f5701048ff",
    5120: "6859dd05666a5541",
    10240: "7de7a9f37dc6f1ae",
    12800: "fc5f220af59eb576",
}

# The published files themselves, where they lie beside the checkout or where GURU_MATH_CURRICULUM says.
_FILES = published("GURU_MATH_CURRICULUM", "guru", "math_curriculum")
_needs_files = needs(_FILES, "GURU_MATH_CURRICULUM")


def _digest(positions: np.ndarray) -> str:  # type: ignore[type-arg]
    return hashlib.sha256(positions.astype("<i8").tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("size", _PUBLISHED)
def test_a_subset_takes_the_published_rows_in_the_published_order(size: int) -> None:
    assert _digest(subset_positions(size)) == _PUBLISHED[size]


def test_published_subsets_nest_although_their_paper_calls_them_independent() -> None:
    for larger, smaller in itertools.pairwise(PUBLISHED_SIZES):
        assert set(subset_positions(smaller)) < set(subset_positions(larger))


@pytest.mark.parametrize("size", PUBLISHED_SIZES)
def test_a_subset_has_the_share_of_easy_rows_of_the_whole(size: int) -> None:
    positions = subset_positions(size)
    assert len(set(positions)) == size
    assert int((positions < N_EASY).sum()) == size * N_EASY // N_TRAIN


def test_rows_that_are_not_at_hand_are_named() -> None:
    with pytest.raises(DataError, match="512 of its 512 rows are not in data_root"):
        recipe_rows(np.full(7, -1), 512)
    with pytest.raises(DataError, match="511 of its 512 rows"):
        recipe_rows(subset_positions(512)[:1], 512)


@_needs_files
@pytest.mark.parametrize("size", _PUBLISHED)
def test_the_published_files_state_these_positions(size: int) -> None:
    (file,) = _FILES.glob(f"math__sampled_*_{size}.parquet")
    assert pq.read_table(file).column("__index_level_0__").to_pylist() == subset_positions(size).tolist()


@_needs_files
def test_prepared_files_are_the_published_ones_row_for_row(tmp_path: Path) -> None:
    for size in _PUBLISHED:
        spec = DataSpec(
            root=str(_FILES),
            n_unique=size,
            recipe=Recipe.guru_math_cl,
            order=Order.easy_to_hard,
            order_by="qwen2.5_7b_pass_rate",
            n_eval_per_domain=None,
        )
        (file,) = _FILES.glob(f"math__sampled_*_{size}.parquet")
        prepared = materialise(spec, tmp_path)
        rows, published = pq.read_table(prepared.train).to_pylist(), pq.read_table(file).to_pylist()
        assert [row["prompt"] for row in rows] == [row["prompt"] for row in published]
        sources = [json.loads(row["extra_info"]["rest"])["source_index"] for row in rows]
        assert sources == [row["extra_info"]["index"] for row in published]
        assert pq.read_metadata(prepared.evaluation).num_rows == 500
