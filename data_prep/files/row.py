"""One row of prepared data, and its parquet form.

All rows of all sources share one declared schema: nested columns of different sources differ, and readers that
concatenate files (`datasets`, which verl uses) fail or drop fields otherwise. What a source has beyond the declared
fields survives as JSON text in `extra_info.rest`.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rewards import Domain


class Message(NamedTuple):
    """One chat turn."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One problem as verl reads it; see `write_rows` for the columns."""

    data_source: str
    prompt: tuple[Message, ...]
    ability: str
    style: str
    ground_truth: str
    problem_id: str
    domain: Domain
    difficulty: float | None = None  # synthetic level, 1 the easiest; None where the source states none
    prefix: str = ""  # code that the scorer puts before every solution
    solution: str | None = None
    rest: str = "{}"


# Instructions that Guru and its users put around problems (Reasoning360's templates). The same problem with another
# instruction is the same problem: 32 of 500 published hold-out problems leak into train only after removing them.
_INSTRUCTIONS = re.compile(
    r"you are a knowledgeable (?:math )?assistant\.|answer the following questions? and think step by step\."
    r"|please (?:reason|solve|think) step by step,?(?: and)?"
    r"|(?:please )?(?:output|put) (?:the|your) final answer(?: option)? (?:with)?in \\boxed\{\}\.?"
    r"|let's think step by step\.?"
)


# Problems this long are told apart by letters and digits alone; short ones may differ in an operator only.
_LONG_PROBLEM = 60
_LETTERS_AND_DIGITS = b"abcdefghijklmnopqrstuvwxyz0123456789"
_OTHER_BYTES = bytes(set(range(256)) - set(_LETTERS_AND_DIGITS))


def content_id(domain: Domain, prompt: Sequence[Message]) -> str:
    r"""A stable name of a problem from its text, without instructions, case and typography.

    Sources typeset the same problem differently (`$x$`, `\( x \)`, blanks), so long problems are compared by their
    ASCII letters and digits. In short ones operators count: `3+5` and `3-5` differ.
    """
    text = " ".join(message.content for message in prompt if message.role != "assistant")
    text = _INSTRUCTIONS.sub("", text.casefold())
    bare = text.encode("utf-8", "surrogatepass").translate(None, _OTHER_BYTES)
    if len(bare) < _LONG_PROBLEM:
        bare = re.sub(r"[\s.,:;!?'\"`$]+", "", text).encode("utf-8", "surrogatepass")
    return f"{domain}-{hashlib.sha256(bare).hexdigest()[:16]}"


def write_rows(rows: Sequence[Row], path: Path, split: str, *, row_group_size: int | None = None) -> None:
    """Writes `rows` in order as one parquet file; the same rows give the same bytes under one pyarrow version.

    Columns: data_source, prompt, ability, reward_model{style, ground_truth}, extra_info{split, index, problem_id,
    domain, difficulty, prefix, solution, rest}.

    Args:
        rows: Any number.
        path: The file.
        split: What extra_info.split says.
        row_group_size: Rows per group, for readers that take some groups only; None: pyarrow's.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    def text(name: str) -> object:
        return pa.array([getattr(row, name) for row in rows], pa.string())

    texts = {name: text(name) for name in ("problem_id", "prefix", "solution", "rest")}
    extra = {
        "split": pa.array([split] * len(rows), pa.string()),
        "index": pa.array(range(len(rows)), pa.int64()),
        "difficulty": pa.array([row.difficulty for row in rows], pa.float64()),
        "problem_id": texts["problem_id"],
        "domain": pa.array([str(row.domain) for row in rows], pa.string()),
        **{name: texts[name] for name in ("prefix", "solution", "rest")},
    }
    offsets = [0, *itertools.accumulate(len(row.prompt) for row in rows)]
    messages = [message for row in rows for message in row.prompt]
    turn = {
        "role": pa.array([message.role for message in messages], pa.string()),
        "content": pa.array([message.content for message in messages], pa.string()),
    }
    columns = {
        "data_source": text("data_source"),
        "prompt": pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), _struct(turn)),
        "ability": text("ability"),
        "reward_model": _struct({"style": text("style"), "ground_truth": text("ground_truth")}),
        "extra_info": _struct(extra),
    }
    pq.write_table(pa.table(columns), path, compression="zstd", row_group_size=row_group_size)


def _struct(columns: Mapping[str, object]) -> object:
    import pyarrow as pa

    return pa.StructArray.from_arrays(list(columns.values()), names=list(columns))


def as_json(value: object) -> str:
    """Compact, sorted JSON."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def read_json_object(text: str) -> dict[str, object]:
    """A JSON object, or {} where the text is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
