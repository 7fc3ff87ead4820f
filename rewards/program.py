"""How a program of the project reads its arguments and how it ends: `sweeper`, `data_prep`, `rewards`, `analysis`.

Whatever goes wrong, a user reads one to four lines: what it is, where, and what to do. It lies here because every
package may import `rewards`, and it imports nothing of ours itself but what guards the terminal.
"""

import argparse
import difflib
import errno
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Never

from rewards.terminal import guard

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
TRACEBACK_VARIABLE = "SWEEPER_TRACEBACK"
STARTED_VARIABLE = "SWEEPER_STARTED_AS"  # what `sweeper` tells a program that it becomes
_PACKAGES = Path(__file__).parents[1]  # the folder that our packages lie in
_OURS = ("sweeper", "rewards", "data_prep", "analysis", "conf")
_RESULTS_FLAG, _RESULTS_SETTING = "--results", "results_dir"
_EMPTY = re.compile(r"([^=\s]+=)?\s*")
_LINES, _CHARACTERS = 4, 1500  # of one message
_LISTED = 11  # more lines, of what it lists: those that are indented below a first line that ends with a colon
# Whose errors are mostly about what they were given; their words say it best.
_LIBRARIES = {
    *("hydra", "omegaconf", "antlr4", "yaml", "pydantic", "pydantic_core", "pyarrow", "duckdb", "pandas", "datasets"),
    *("transformers", "tokenizers", "safetensors", "safetensors_rust", "huggingface_hub", "jinja2", "wandb", "verl"),
}
_CURES = {
    errno.ENOENT: "check the path",
    errno.EACCES: "check the rights of the file and of its folder",
    errno.EPERM: "check the rights of the file and of its folder",
    errno.EROFS: "this place cannot be written; name another",
    errno.ENOSPC: "make room there, then run the same command again",
    errno.EDQUOT: "make room there, then run the same command again",
    errno.ENAMETOOLONG: "the file system takes no name as long as this; choose a shorter one",
    errno.ENOTDIR: "a file is where a folder should be; name another place, or remove it",
    errno.EEXIST: "a file is where a folder should be; name another place, or remove it",
    errno.EISDIR: "a folder is where a file should be; name another place, or remove it",
    errno.ELOOP: "links lead in a circle; remove one of them",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
}


def started_as(module: str) -> str:
    """How a program was started, for its usage lines; children of it are not told."""
    return os.environ.pop(STARTED_VARIABLE, f"python -m {module}")


class UserError(Exception):
    """An error that a user can act on: its message says what happened, which key or file, and what to do."""


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one line, with the nearest word, where argparse prints its usage."""

    def error(self, message: str) -> Never:
        """Refuse.

        Raises:
            UserError: always.
        """
        verbs = [action.choices for action in self._actions if isinstance(action.choices, dict)]
        parsers = [self, *(parser for choices in verbs for parser in choices.values())]
        known = [option for parser in parsers for option in parser._option_string_actions]
        wrong = re.search(r"^unrecognized arguments: (-[\w-]+)", message)
        if choice := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)$", message):
            known, wrong = re.findall(r"'(.*?)'", choice[2]) or choice[2].split(", "), choice
        near = difflib.get_close_matches(wrong[1], known, n=1) if wrong else []
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UserError(f"{message}{hint} (see: {self.prog} --help)")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse has it, with the results folder written in either way."""
        given = sys.argv[1:] if args is None else args
        return super().parse_known_args(with_one_results(self, given), namespace)


def with_one_results(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> list[str]:
    """The arguments with the results folder as the parser takes it: `--results DIR`, or the setting `results_dir=DIR`.

    A parser takes the setting where its `--results` has the default `argparse.SUPPRESS`; one without the flag takes
    neither. Either way of writing it is understood by all.

    Raises:
        UserError: two different folders are given.
    """
    action = parser._option_string_actions.get(_RESULTS_FLAG)
    given, rest, words = list[str](), list[str](), iter(arguments)
    is_foreign, is_setting = False, action is not None and action.default is argparse.SUPPRESS
    for word in words:
        name, sign, value = word.partition("=")
        if name == _RESULTS_FLAG and (sign or (following := next(words, None)) is not None):
            given.append(value if sign else str(following))
            is_foreign |= is_setting
        elif name == _RESULTS_SETTING and sign:
            given.append(value)
            is_foreign |= not is_setting
        else:
            rest.append(word)
    if action is None or not given:
        return list(arguments)
    if len({Path(folder).resolve() for folder in given}) > 1:
        raise UserError(f"results folders {' and '.join(given)} are given; leave all but one out")
    if not is_foreign and len(given) == 1:
        return list(arguments)
    if not is_setting:
        return [_RESULTS_FLAG, given[0], *rest]
    is_plain = re.fullmatch(r"[\w/.+@:-]+", given[0]) or not is_foreign  # else Hydra's grammar wants it in quotes
    quoted = given[0] if is_plain else "'" + given[0].replace("\\", "\\\\").replace("'", "\\'") + "'"
    return [*rest, f"{_RESULTS_SETTING}={quoted}"]


def run_main(module: str, arguments: Sequence[str]) -> int:
    """Run `main` of a module, guarded from its first import on; returns the exit code.

    An empty argument, or an empty value of one, is refused: a path of it would be the current folder, a run's name
    every run.
    """

    def body() -> int:
        if empty := [item for item in arguments if _EMPTY.fullmatch(item)]:
            raise UserError(f"argument {empty[0]!r} is empty: is a variable of the shell unset?")
        return int(import_module(module).main(arguments))

    guard()
    return guarded(body)


def guarded(body: Callable[[], int]) -> int:
    """Run a program to its end.

    Args:
        body: The program; it returns its exit code.

    Returns:
        Its exit code; 2 if it ended with an error, which is told on stderr; 130 if it was interrupted; 0 if nobody read
        what it printed. With `SWEEPER_TRACEBACK=1` the traceback is printed before the message.
    """
    try:
        code = body()
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `| head`: nobody wants the rest, nor to hear of it when Python flushes at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return EXIT_OK
    except KeyboardInterrupt:
        print("stopped; run the same command again to continue", file=sys.stderr)
        return EXIT_INTERRUPTED
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE, "0") not in ("", "0"):
            traceback.print_exc()
        print(f"error: {_short(words(error))}", file=sys.stderr)
        return EXIT_USAGE


def last_words(said: str) -> str:
    """What one of our programs told of its end on stderr, without its first word."""
    told = [line.removeprefix("error: ") for line in said.strip().splitlines()]
    return next((line for line in reversed(told) if not line.startswith("please report")), "it ended without a word")


def words(error: Exception) -> str:
    """What a user is told of an error, whoever raised it."""
    root = type(error).__module__.partition(".")[0].lstrip("_")
    if isinstance(error, UserError):
        return str(error)
    if root == "yaml":
        return yaml_words(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] not in _OURS:
        return (
            f"{error}: {sys.executable} lacks what the project needs; run: make setup && source .venv/bin/activate "
            "(outside a checkout: pip install rl-scaling-sweeper)"
        )
    said = " ".join(str(error).split())
    if root in _LIBRARIES:
        cause = str(error.__cause__ or "").strip().partition("\n")[0]
        return (
            f"{root} says: {said or type(error).__name__}{cause and f': {cause}'} ({TRACEBACK_VARIABLE}=1 shows where)"
        )
    if isinstance(error, OSError):
        return _of_the_file_system(error, said)
    if isinstance(error, MemoryError):
        return f"the memory of this machine is not enough{_place(error)}: {said or 'no more was said'}"
    return (
        f"this is a fault of the project, not yours: {type(error).__name__}: {said}{_place(error)}\n"
        f"please report it with the command and what it prints under {TRACEBACK_VARIABLE}=1"
    )


def yaml_words(error: Any) -> str:
    """File, line, column and kind of a YAML mistake, from PyYAML's error."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = " ".join(str(getattr(error, "problem", None) or error).split())
    if mark is None:
        return f"not valid YAML: {said}"
    cure = "indent with spaces" if "'\\t'" in said else "check the indentation, colons and quotes there"
    return f"{mark.name.strip('<>')}, line {mark.line + 1}, column {mark.column + 1}: not valid YAML: {said}; {cure}"


def _of_the_file_system(error: OSError, said: str) -> str:
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    what = ": ".join([" -> ".join(map(_in_short, names)), error.strerror or said] if names else [said])
    return (
        f"{what or type(error).__name__}; {_CURES.get(error.errno or 0, 'check the path, its folder and its rights')}"
    )


def _in_short(name: str) -> str:
    return name if len(name) <= 300 else f"{name[:140]}…{name[-140:]}"


def _place(error: Exception) -> str:
    """Where in our code an error came from: " (file:line)"; empty: nowhere."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_PACKAGES) and path.relative_to(_PACKAGES).parts[0] in _OURS:
            return f" ({path.relative_to(_PACKAGES)}:{frame.lineno})"
    return ""


def _short(text: str) -> str:
    said, is_traced, trace = text.strip().partition("Traceback (most recent call last):")
    if is_traced:  # inside a library's words: its last line says what happened
        text = f"{said}{trace.strip().splitlines()[-1]}"
    told = filter(str.strip, text.splitlines())
    lines = [line if len(line) <= _CHARACTERS else f"{line[:_CHARACTERS]}…" for line in told]
    listed = sum(line.startswith("  ") for line in lines) if lines and lines[0].endswith(":") else 0
    most = _LINES + min(_LISTED, listed)
    if len(lines) <= most:
        return "\n".join(lines)
    return "\n".join([*lines[: most - 1], f"… and {len(lines) - most + 1} more lines ({TRACEBACK_VARIABLE}=1)"])
