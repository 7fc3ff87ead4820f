"""Weights & Biases offline folders: the binary `.wandb` log of a run.

The container is LevelDB's log format behind a header of seven bytes: blocks of 32 KiB, records cut at their borders, a
CRC a piece. wandb 0.31 has no reader in Python any more, so the container is read here; the messages in it are
wandb's own protocol buffers (`wandb.proto`).
"""

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis.imports.history import History
from sweeper.host.errors import ResultsError
from sweeper.spec.dotted import dotted

_HEADER = struct.Struct("<4sHB")
_IDENT, _MAGIC = b":W&B", 0xBEE1
_PIECE = struct.Struct("<IHB")  # CRC, length, type
_BLOCK = 32768
_WHOLE, _FIRST, _LAST = 1, 2, 4


def log_of(path: Path) -> Path | None:
    """The `.wandb` file that is, or lies in, a path; None: there is none."""
    if path.suffix == ".wandb":
        return path
    found = sorted(path.glob("*.wandb")) if path.is_dir() else []
    return found[0] if found else None


def read_wandb(path: Path) -> History:
    """The history, configuration and end of an offline run.

    A log that was cut off (a killed run) is read up to its last whole record.

    Raises:
        ResultsError: it is no such log, wandb is not installed, or no step was logged.
    """
    try:
        from wandb.proto.wandb_internal_pb2 import Record
    except ImportError as error:
        raise ResultsError(f"{path} is read with wandb's own messages; install it: pip install wandb") from error
    name, finished = path.stem, None
    config: dict[str, Any] = {}
    steps: list[tuple[int, dict[str, Any]]] = []
    for data in records(path):
        record = Record()
        record.ParseFromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "history":
            values = {_key(item): _value(item) for item in record.history.item}
            step = values.get("_step", record.history.step.num)
            steps.append((int(step), {key: value for key, value in values.items() if not key.startswith("_")}))
        elif kind == "run":
            name = record.run.display_name or record.run.run_id or name
            config |= {_key(item): _value(item) for item in record.run.config.update}
        elif kind == "config":
            config |= {_key(item): _value(item) for item in record.config.update}
        elif kind == "exit":
            finished = record.exit.exit_code == 0
    config.pop("_wandb", None)
    return History.of(steps, name=name, kind="wandb", config=dotted(config), finished=finished)


def records(path: Path) -> Iterator[bytes]:
    """The whole records of the container, up to the first that is torn or damaged.

    Raises:
        ResultsError: the header is not wandb's.
    """
    data = path.read_bytes()
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
        return json.loads(item.value_json)
    except json.JSONDecodeError:
        return None
