"""Reads rows to be checked from parquet files in verl's format."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rewards.bounded_file import open_regular
from rewards.bounded_parquet import DecodesTooFar, batches
from rewards.check.gold_check import GoldRow
from rewards.program import UserError

_COLUMNS = ("data_source", "reward_model")


class UnreadableFile(UserError, ValueError):
    """A file is missing, no parquet, or lacks a column."""


def rows_of(paths: Iterable[Path]) -> Iterator[GoldRow]:
    """Every different row of `paths` once; rows that agree in source, prompt and gold are the same.

    Raises:
        UnreadableFile: The message names the file and what is wrong with it.
    """
    seen: set[bytes] = set()
    for path in paths:
        for number, record in enumerate(_records(path)):
            reward_model = record["reward_model"]
            gold = reward_model.get("ground_truth") if isinstance(reward_model, Mapping) else None
            identity = json.dumps([record["data_source"], record.get("prompt"), gold], default=str, sort_keys=True)
            digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()
            if digest in seen:
                continue
            seen.add(digest)
            extra = record.get("extra_info")
            yield GoldRow(
                where=f"{path.name} row {number}",
                data_source=str(record["data_source"]),
                ground_truth=gold,
                extra_info=extra if isinstance(extra, Mapping) else None,
                prompt=_text_of(record.get("prompt")),
            )


def _text_of(prompt: object) -> str:
    """What a prompt says: text, or the contents of its messages."""
    if isinstance(prompt, str):
        return prompt
    messages = prompt if isinstance(prompt, list) else []
    return "\n".join(str(one.get("content", "")) for one in messages if isinstance(one, Mapping))


def _records(path: Path) -> Iterator[dict[str, object]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(open_regular(path))
        missing = [name for name in _COLUMNS if name not in file.schema_arrow.names]
        if missing:
            raise UnreadableFile(f"{path} lacks the columns {missing}. Give it files in verl's format.")
        for batch in batches(path, file):
            yield from batch.to_pylist()
    except DecodesTooFar as error:
        raise UnreadableFile(f"{error}. Take it away.") from None
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"{path} cannot be read as parquet: {error}. Check the path.") from error
