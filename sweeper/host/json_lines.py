"""Records of JSON, one a line, told apart by line feeds alone.

A model's text may hold other ends of lines, such as U+2028, which JSON need not escape: `str.splitlines` cuts there.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rewards.bounded_file import lines, parsed

MOST_BYTES = 1 << 30  # of a file: years of metrics


class CutLineError(ValueError):
    """A line without its end, as a writer leaves it that is at work or was killed."""


def json_lines(
    path: Path, *, skip_damaged: bool = False, damaged: Callable[[int, ValueError], None] | None = None
) -> Iterator[tuple[int, Any]]:
    """The number of each line that is not blank, counted from 1, and its value.

    Args:
        path: UTF-8 text, with or without a byte-order mark, read line by line.
        skip_damaged: Leave out what is no JSON, such as the last line of a killed or a living writer.
        damaged: Is told of each line that is no JSON or no UTF-8, by its number, in place of an error.

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
        except ValueError as error:
            said = f"not UTF-8 text: {error}" if isinstance(error, UnicodeDecodeError) else str(error)
            if damaged is not None:
                damaged(number, ValueError(said) if line.endswith(b"\n") else CutLineError(said))
            elif not skip_damaged:
                raise ValueError(f"line {number}: {said}") from error
