"""What reaches a terminal: text, and never a control character that somebody else put into it.

A model's answer, another user's row, a file's name or a run's name may hold bytes that a terminal obeys: they move the
cursor over what was printed, set the clipboard or the title, hide a link. `guard` is called once, where each of the
four programs begins, and puts a `Screen` before stdout and stderr where they are terminals. What goes into a pipe or a
file passes byte for byte, as `git` and `ls` have it: the program that reads it needs the bytes, and JSON and CSV are
nobody's to change.
"""

import io
import json
import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO, cast

# All of C0 but newline and tab, DEL, all of C1, the characters that turn the direction of writing or end a line, and
# halves of surrogate pairs, which is how Python keeps a byte that is no UTF-8: 0x9b is a whole escape by itself. And
# the two that are no characters, which no SVG may hold.
CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_HARMLESS = re.compile("\x1b\\[[0-9;:]*m|\r(?=\n)")  # colours, and ends of lines as Windows writes them: left out
_ENDS = re.compile("[\n\r\t\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")  # as `str.splitlines` has them, and tabs
_CELL = 1000  # characters
_UP = "\x1b[A"


def visible(text: str) -> str:
    r"""The text without colours, and each other control character as JSON writes it, `\u001b`: nothing is obeyed."""
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", _HARMLESS.sub("", text))


def one_line(value: Any) -> Any:
    """A cell of a table: a text without ends of lines, which would begin a row that nobody wrote; else the value.

    A text of more than 1,000 characters is cut: every line of the table would be as wide.
    """
    if not isinstance(value, str):
        return value
    shown = _ENDS.sub(lambda found: json.dumps(found[0])[1:-1], value[: _CELL + 1])
    return shown if len(value) <= _CELL else f"{shown[:_CELL]}…"


def is_plain(text: str) -> bool:
    """Whether a text is of one line and has nothing that a terminal, a shell or a scheduler's script would obey."""
    return CONTROL.search(text) is None and "\n" not in text and "\t" not in text


class Screen:
    """A terminal's stream that lets text pass, made visible.

    Bars of libraries (tqdm) go on to rewrite their own line: a piece that begins with a carriage return may, where the
    line began with one, and a piece that only moves up may climb over as many empty lines as were just passed.

    Attributes:
        own: The stream below, for what the project draws itself; its text has to be `visible` already.
    """

    def __init__(self, own: TextIO) -> None:
        self.own = own
        self._is_rewritten: bool | None = None  # the line that is being written, by a bar; None: it is empty
        self._below = 0  # empty lines that were just passed

    def __getattr__(self, name: str) -> Any:
        """Whatever else a stream has."""
        return getattr(self.own, name)

    def write(self, text: str) -> int:
        """Write the text, made visible; returns its length."""
        self.own.write(self._passed(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """As `write`, each."""
        for line in lines:
            self.write(line)

    def _passed(self, text: str) -> str:
        if not text:
            return text
        steps = text.count(_UP)
        if text == _UP * steps and steps <= self._below:
            self._below -= steps
            self._is_rewritten = True
            return text
        is_bar = text[0] == "\r" and self._is_rewritten is not False
        if not text.strip("\n"):
            self._below = 0 if self._is_rewritten is False else self._below + len(text)
        elif not is_bar:
            self._below = 0
        shown = "\r" + visible(text[1:]) if is_bar else visible(text)
        if is_bar or not text.endswith("\n"):
            self._is_rewritten = is_bar
        if text.endswith("\n"):
            self._is_rewritten = None
        return shown


def guard() -> None:
    """Put a screen before stdout and stderr, where they are terminals and have none.

    Elsewhere stdout gets the bytes of a file's name as they are, if they are no UTF-8.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Screen) and stream.isatty():
            setattr(sys, name, Screen(stream))


def own(stream: TextIO) -> TextIO:
    """The stream below a screen; any other stream as it is."""
    below: TextIO = cast(Any, stream).own if isinstance(stream, Screen) else stream
    return below
