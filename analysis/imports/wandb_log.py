"""Weights & Biases offline folders: the binary `.wandb` log of a run.

The container is LevelDB's log format behind a header of seven bytes: blocks of 32 KiB, records cut at their borders, a
CRC a piece. wandb 0.31 has no reader in Python any more, so the container is read here; the messages in it are
wandb's own protocol buffers (`wandb.proto`).
"""

import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from analysis.imports.history import MOST_BYTES, MOST_VALUES, History
from rewards.bounded_file import parsed, read_bytes, shallow
from sweeper.host.errors import ResultsError
from sweeper.spec.dotted import dotted

_HEADER = struct.Struct("<4sHB")
_IDENT, _MAGIC = b":W&B", 0xBEE1
_PIECE = struct.Struct("<IHB")  # CRC, length, type
_BLOCK = 32768
_WHOLE, _FIRST, _LAST = 1, 2, 4


def by_run(paths: Iterable[Path]) -> list[list[Path]]:
    """Logs of the same run together, oldest first: a resumed run has several, and its row may be in one of its own."""
    found: dict[str, list[Path]] = {}
    for path in sorted(paths, key=lambda path: path.parent.name):
        run = next((record.run for record in _messages(path) if record.WhichOneof("record_type") == "run"), None)
        found.setdefault(f"{run.project}/{run.run_id}" if run is not None else str(path), []).append(path)
    return list(found.values())


def read_wandb(*paths: Path) -> History:
    """The history, configuration, summary and end of an offline run, from its logs in their order.

    A log that was cut off (a killed run) is read up to its last whole record.

    Raises:
        ResultsError: one is no such log, wandb is not installed, or no step was logged.
    """
    name, finished = paths[0].stem, None
    config: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    steps: list[tuple[int, dict[str, Any]]] = []
    left = MOST_VALUES
    for record in (record for path in paths for record in _messages(path)):
        kind = record.WhichOneof("record_type")
        if kind == "history":
            values = {_key(item): _value(item) for item in record.history.item}
            step = values.get("_step", record.history.step.num)
            left -= len(values)
            if left < 0:
                raise ResultsError(f"{paths[0]} holds more than {MOST_VALUES:,} values; export fewer metrics")
            if not isinstance(step, int):
                raise ResultsError(f"{paths[0]}: _step={step!r:.100} after {len(steps)} steps is not a whole number")
            steps.append((step, {key: value for key, value in values.items() if not key.startswith("_")}))
        elif kind == "run":
            name = record.run.display_name or record.run.run_id or name
            config |= {_key(item): _value(item) for item in record.run.config.update}
        elif kind == "config":
            config |= {_key(item): _value(item) for item in record.config.update}
        elif kind == "summary":
            summary |= {_key(item): _value(item) for item in record.summary.update}
        elif kind == "exit":
            finished = record.exit.exit_code == 0
    config.pop("_wandb", None)
    ours = {key: value for key, value in summary.items() if key.startswith("row/")}
    return History.of(steps, name=name, kind="wandb", config=dotted(shallow(config)), finished=finished, summary=ours)


def _messages(path: Path) -> Iterator[Any]:
    try:
        from google.protobuf.message import DecodeError
        from wandb.proto.wandb_internal_pb2 import Record
    except ImportError as error:
        raise ResultsError(f"{path} is read with wandb's own messages; install it: pip install wandb") from error
    for number, data in enumerate(records(path), 1):
        record = Record()
        try:
            record.ParseFromString(data)
        except DecodeError as error:
            raise ResultsError(f"{path}, record {number}: it is no message of wandb's ({error})") from error
        yield record


def records(path: Path) -> Iterator[bytes]:
    """The whole records of the container, up to the first that is torn or damaged.

    Raises:
        ResultsError: the header is not wandb's.
    """
    data = read_bytes(path, MOST_BYTES)
    if len(data) < _HEADER.size or _HEADER.unpack_from(data)[:2] != (_IDENT, _MAGIC):
        raise ResultsError(f"{path} does not begin like a .wandb log: is it one?")
    at, parts = _HEADER.size, b""
    while True:
        left = _BLOCK - at % _BLOCK
        if left < _PIECE.size:  # the end of a block too small for a piece is padding
            at += left
            continue
        if at + _PIECE.size > len(data):
            return
        crc, length, kind = _PIECE.unpack_from(data, at)
        piece = data[at + _PIECE.size : at + _PIECE.size + length]
        if len(piece) < length or zlib.crc32(piece, zlib.crc32(bytes([kind]))) != crc:
            return
        at += _PIECE.size + length
        parts = piece if kind in (_WHOLE, _FIRST) else parts + piece
        if kind in (_WHOLE, _LAST):
            yield parts


def _key(item: Any) -> str:
    return item.key or ".".join(item.nested_key)


def _value(item: Any) -> Any:
    try:
        return parsed(item.value_json)
    except json.JSONDecodeError:
        return None
