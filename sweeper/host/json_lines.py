"""Records of JSON, one a line, told apart by line feeds alone.

A model's text may hold other ends of lines, such as U+2028, which JSON need not escape: `str.splitlines` cuts there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rewards.bounded_file import lines, parsed

MOST_BYTES = 1 << 30  # of a file: years of metrics


def json_lines(path: Path, *, skip_damaged: bool = False) -> Iterator[tuple[int, Any]]:
    """The number of each line that is not blank, counted from 1, and its value.

    Args:
        path: UTF-8 text, with or without a byte-order mark, read line by line.
        skip_damaged: Leave out what is no JSON, such as the last line of a killed or a living writer.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger than `MOST_BYTES`.
        ValueError: a line is no JSON, or the file no UTF-8; says which line, not which file.
    """
    errors = "replace" if skip_damaged else "strict"
    for number, line in enumerate(lines(path, at_most=MOST_BYTES), 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8", errors)
            if text.strip():
                yield number, parsed(text)
        except UnicodeDecodeError as error:
            raise ValueError(f"line {number}: not UTF-8 text: {error}") from None
        except ValueError as error:
            if not skip_damaged:
                raise ValueError(f"line {number}: {error}") from error
