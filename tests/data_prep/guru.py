"""Rows for tests: synthetic ones in Guru's wording, and the real files where they can be reached."""

from collections.abc import Sequence
from typing import Any

from data_prep.files.row import Message, Row, content_id
from data_prep.sources.conversion import to_row
from data_prep.sources.record_file import records
from rewards import Domain
from tests.outside import needs, published

PREFIX = "You are a knowledgeable math assistant. Answer the following questions and think step by step. "
SUFFIX = " Please output the final answer within \\boxed{}."
REAL = published("GURU_DATA", "guru")
needs_real = needs(REAL, "GURU_DATA")


def math_row(text: str, gold: str = "1", source: str = "math__deepscaler_preview", name: str | None = None) -> Row:
    """A math problem."""
    prompt = (Message("user", text),)
    return Row(
        data_source=source,
        prompt=prompt,
        ability="math",
        style="rule",
        ground_truth=gold,
        problem_id=name or content_id(Domain.MATH, prompt),
        domain=Domain.MATH,
    )


def record(text: str, gold: object = "1", source: str = "math__deepscaler_preview", **more: object) -> dict[str, Any]:
    """A row as published files have it."""
    return {
        "data_source": source,
        "prompt": [{"role": "user", "content": text}],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": gold},
        "extra_info": {"index": 0, "split": "train"},
        **more,
    }


def real_rows(*names: str) -> Sequence[Row]:
    """Rows of real files, by path below the folder."""
    return [to_row(raw, f"{name} row {number}")[0] for name in names for number, raw in records(REAL / name)]
