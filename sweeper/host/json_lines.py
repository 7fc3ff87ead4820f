"""Records of JSON, one a line, told apart by line feeds alone.

A model's text may hold other ends of lines, such as U+2028, which JSON need not escape: `str.splitlines` cuts there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def json_lines(path: Path, *, skip_damaged: bool = False) -> Iterator[tuple[int, Any]]:
    """The number of each line that is not blank, counted from 1, and its value.

    Args:
        path: UTF-8 text, with or without a byte-order mark.
        skip_damaged: Leave out what is no JSON, such as the last line of a killed or a living writer.

    Raises:
        OSError: it cannot be read.
        ValueError: a line is no JSON, or the file no UTF-8; says which line, not which file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace" if skip_damaged else "strict")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text: {error}") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            if skip_damaged:
                continue
            raise ValueError(f"line {number}: {error}") from error
        yield number, value
