"""Cuts prepared files out of a pool's, column by column: no row is turned into Python objects."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_prep.files.row import Message, as_json, read_json_object
from rewards.bounded_file import open_regular
from rewards.bounded_parquet import Decoded, read_table

Rows = NDArray[np.intp]


def write_cut(pool_file: Path, rows: Rows, path: Path, split: str, rates: Mapping[str, Mapping[str, float]]) -> None:
    """Writes the given rows of a pool's file, in the given order, as a prepared file.

    Args:
        pool_file: In the columns of `data_prep.files.row.write_rows`.
        rows: Row numbers; one may occur more than once.
        path: The file to write.
        split: What extra_info.split shall say.
        rates: Pass rates by column and problem id, added to extra_info.rest.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = _taken(pool_file, rows).combine_chunks()
    extra = table.column("extra_info")
    extra = extra.combine_chunks() if extra.num_chunks != 1 else extra.chunk(0)
    fields = {field.name: extra.field(field.name) for field in extra.type}
    fields["split"] = pa.array([split] * len(rows), pa.string())
    fields["index"] = pa.array(range(len(rows)), pa.int64())
    if rates:
        names, rests = fields["problem_id"].to_pylist(), fields["rest"].to_pylist()
        fields["rest"] = pa.array(map(_with_rates, names, rests, [rates] * len(names)), pa.string())
    struct = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
    place = table.schema.get_field_index("extra_info")
    pq.write_table(table.set_column(place, "extra_info", struct), path, compression="zstd")


def write_conversations(pool_file: Path, rows: Rows, path: Path, solutions: Mapping[str, str]) -> None:
    """Writes rows as conversations for supervised fine-tuning: messages, data_source, problem_id.

    Args:
        pool_file: In the columns of `data_prep.files.row.write_rows`.
        rows: Row numbers.
        path: The file to write.
        solutions: By problem id, preferred to a row's own solution.
    """
    table = _taken(pool_file, rows)
    extras = table.column("extra_info").to_pylist()
    write_messages(
        [
            (prompt, solutions.get(extra["problem_id"], extra["solution"]), source, extra["problem_id"])
            for prompt, extra, source in zip(
                table.column("prompt").to_pylist(), extras, table.column("data_source").to_pylist(), strict=True
            )
        ],
        path,
    )


def write_messages(rows: list[tuple[list[dict[str, str]], str, str, str]], path: Path) -> None:
    """Writes (prompt, solution, data_source, problem_id) as conversations."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    schema = pa.schema([("messages", pa.list_(message)), ("data_source", pa.string()), ("problem_id", pa.string())])
    records = [
        {
            "messages": [*prompt, {"role": "assistant", "content": solution}],
            "data_source": source,
            "problem_id": name,
        }
        for prompt, solution, source, name in rows
    ]
    pq.write_table(pa.Table.from_pylist(records, schema=schema), path, compression="zstd")


def prompts_of(path: Path) -> list[tuple[Message, ...]]:
    """The prompts of a prepared file or a pool's; of a file of conversations, all but the answers."""
    import pyarrow.parquet as pq

    column = "messages" if "messages" in pq.read_schema(open_regular(path)).names else "prompt"
    turns = read_table(path, columns=[column]).column(column).to_pylist()
    prompts = [tuple(Message(turn["role"], turn["content"]) for turn in prompt) for prompt in turns]
    return [prompt[:-1] for prompt in prompts] if column == "messages" else prompts


def _taken(pool_file: Path, rows: Rows) -> Any:
    """The rows of a file, group by group, so that no more than they and one group are in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    needed, place = np.unique(rows, return_inverse=True)
    decoded = Decoded(str(pool_file), pool_file.stat().st_size)
    with pq.ParquetFile(open_regular(pool_file)) as file:
        parts = [file.schema_arrow.empty_table()]
        start = 0
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            here = needed[(needed >= start) & (needed < end)] - start
            if len(here):
                table = file.read_row_group(group)
                decoded.add(table)
                parts.append(table.take(pa.array(here)))
            start = end
    return pa.concat_tables(parts).combine_chunks().take(pa.array(place))


def _with_rates(name: str, rest: str, rates: Mapping[str, Mapping[str, float]]) -> str:
    measured = {column: of_problem[name] for column, of_problem in rates.items() if name in of_problem}
    return as_json(read_json_object(rest) | measured) if measured else rest
