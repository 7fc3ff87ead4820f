"""A text on the terminal that is drawn anew in its place."""

import shutil
from types import TracebackType
from typing import Self, TextIO

from rewards.terminal import visible

_OTHER_SCREEN, _BACK = "\x1b[?1049h", "\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"


class Redrawn:
    """The terminal's second screen; on the way out the last text stays on the first one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._last = stream, ""

    def __enter__(self) -> Self:
        """Begin on the second screen."""
        self._stream.write(_OTHER_SCREEN)
        return self

    def show(self, text: str) -> None:
        """Draw a text over the last one; of one that is too high the end is left out, and said to be."""
        self._last = visible(text)
        lines = self._last.rstrip("\n").split("\n")
        height = shutil.get_terminal_size().lines - 1
        if len(lines) > height:
            lines = [*lines[: height - 1], f"… {len(lines) - height + 1} more lines: name a grid, or a higher terminal"]
        drawn = "".join(f"{line}{_REST_OF_LINE}\n" for line in lines)
        self._stream.write(f"{_HOME}{drawn}{_REST}")
        self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Go back to the first screen, which gets the last text."""
        self._stream.write(f"{_BACK}{self._last}")
        self._stream.flush()
