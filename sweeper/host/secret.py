"""Secrets: read where a job runs, from its environment or a file of its owner's, and written nowhere.

A batch job's environment is kept by SLURM, so nothing that looks like a secret is passed through it: jobs read
`cluster.secrets_file` themselves. What a program prints of its own accord into the log is out of reach.
"""

import html
import json
import os
import stat
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from rewards.bounded_file import read_text
from sweeper.host.errors import ConfigError
from sweeper.host.secret_shape import is_secret, shapes_in, without_shapes

_SHORTEST = 8  # characters: a shorter value would also be found where it means something else
_A_WORD = 12  # letters or digits alone, no more of them: `completed`, or a date
_LINE = 60  # characters of a text that something may have cut
_read: dict[str, str] = {}  # of the secrets files that this process has read


def read(path: Path) -> dict[str, str]:
    """The variables of a secrets file: NAME=value lines; empty lines and those that begin with # are passed over.

    Raises:
        ConfigError: absent, not ours, readable by others, or a line that is none of these. No value is told.
    """
    path = path.expanduser()
    try:
        about = path.stat()
        text = read_text(path)
    except (OSError, ValueError) as error:  # a path that no file can have, or no text
        why = error.strerror if isinstance(error, OSError) else "it is no text, or its name is no path"
        raise ConfigError(f"cluster.secrets_file={str(path)!r} cannot be read: {why}; create it, or null") from None
    if about.st_uid != os.getuid() or stat.S_IMODE(about.st_mode) & 0o077:
        mode = f"mode {stat.S_IMODE(about.st_mode):04o} of user {about.st_uid}"
        raise ConfigError(f"cluster.secrets_file={path} has {mode}; make it yours alone: chmod 600 {path}")
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, is_pair, value = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not is_pair or not name.isidentifier():
            raise ConfigError(f"cluster.secrets_file={path}, line {number}: not NAME=value")
        found[name] = value.strip().strip("\"'")
    _read.update(found)
    return found


def take(path: str | None) -> None:
    """Put the variables of `cluster.secrets_file` into this process's environment; None: there is none.

    Raises:
        ConfigError: as `read`.
    """
    if path is not None:
        os.environ |= read(Path(path))


def hidden(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The text with secrets replaced by their names: `[HF_TOKEN]`, and of what has a secret's form by what it is.

    Found are values of the environment and of files that were read: whole, as JSON, Python, HTML, an address or base64
    write them, and cut at the end or the beginning of a long text. Texts are hidden before they are cut or encoded.
    Left are values too short or too common to be told from other words (`unhidden`).
    """
    return _hidden(text, _forms(_known(environment)))


def hidden_in(value: Any, *, but: Collection[str] = (), environment: Mapping[str, str] | None = None) -> Any:
    """Plain values (mappings, lists, texts, numbers) with every text as `hidden` leaves it.

    Keys stay, and so do texts at the keys in `but`: words of a closed set, which are no secret's even if one is alike.
    """
    return _hidden_in(value, but, _forms(_known(environment)))


def found_in(value: Any, key: str = "", environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """Where plain values hold a secret, names in mappings included.

    Yields:
        The dotted key, below `key`, and what is there, in words that do not tell it.
    """
    yield from _found_in(value, key, _forms(_known(environment)))


def refuse(value: Any, key: str) -> None:
    """Refuse settings, below `key`, that hold a secret.

    Raises:
        ConfigError: they hold one; the key is named, the value is not.
    """
    for place, what in found_in(value, key):
        raise ConfigError(
            f"{hidden(place)} holds {what}, which would be written into every file of a run; write it as NAME=value "
            "into a file of mode 0600 and set cluster.secrets_file, and let what needs it read its environment"
        )


def unhidden(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The variables whose secrets are neither searched for nor hidden: too short, or a common word."""
    return tuple(sorted({name for name, value in _known(environment) if value and not _is_telling(value)}))


def _known(environment: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Names and values: all of a secrets file, and of the environment what its name or value says is a secret.

    None: of the process's, as it is now; libraries put copies into `os.environ`.
    """
    given = os.environ if environment is None else environment
    named = ((name, value) for name, value in given.items() if is_secret(name, value))
    return (*_read.items(), *named)


def _is_telling(value: str) -> bool:
    """Whether a value can be searched for: one that is a word of its own would be found in others' sentences."""
    return len(value) >= _SHORTEST and not (value.isalnum() and len(value) <= _A_WORD and _is_of_one_kind(value))


def _is_of_one_kind(value: str) -> bool:
    return value.isdigit() or (value.isalpha() and value[1:].islower())


@lru_cache(maxsize=4)
def _forms(known: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """What is looked for, with the name that takes its place; the longest first."""
    parts = {part: name for name, value in known for part in (*_parts(value), value) if _is_telling(part)}
    forms = {form: name for part, name in parts.items() for form in _written(part)}
    return tuple(sorted(forms.items(), key=lambda item: -len(item[0])))


def _parts(value: str) -> Iterator[str]:
    """What of a value is a secret by itself: the lines of a key, the password of an address."""
    yield from (line.strip() for line in value.splitlines())
    for item in shapes_in(value):
        if item.name == "login":
            user, _, password = value[item.start : item.end].partition(":")
            yield password or user


def _written(value: str) -> Iterator[str]:
    """A value as programs write it."""
    yield from (value, quote(value), quote(value, safe=""), quote_plus(value), html.escape(value), repr(value)[1:-1])
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    raw = value.encode(errors="surrogateescape")
    for before in range(3):  # bytes of what stands before it: they decide where groups of four characters begin
        text = b64encode(bytes(before) + raw).decode().rstrip("=")
        kept = text[(0, 2, 3)[before] : len(text) - bool((before + len(raw)) % 3)]
        yield from (kept, kept.translate({ord("+"): "-", ord("/"): "_"}))


def _hidden(text: str, forms: tuple[tuple[str, str], ...]) -> str:
    for form, name in forms:
        if form in text:
            text = text.replace(form, f"[{name}]")
    if len(text) >= _LINE:
        for form, name in forms:
            text = _without_pieces(text, form, name)
    return without_shapes(text)


def _without_pieces(text: str, form: str, name: str) -> str:
    """The text without the beginning of a secret at its end, and without the end of one at its beginning."""
    if form[:_SHORTEST] in text[-len(form) :]:
        for size in range(len(form) - 1, _SHORTEST - 1, -1):
            if text.endswith(form[:size]):
                text = f"{text[:-size]}[{name}]"
                break
    if form[-_SHORTEST:] in text[: len(form)]:
        for size in range(len(form) - 1, _SHORTEST - 1, -1):
            if text.startswith(form[-size:]):
                return f"[{name}]{text[size:]}"
    return text


def _hidden_in(value: Any, but: Collection[str], forms: tuple[tuple[str, str], ...]) -> Any:
    if isinstance(value, str):
        return _hidden(value, forms)
    if isinstance(value, Mapping):
        return {key: item if key in but else _hidden_in(item, but, forms) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden_in(item, but, forms) for item in value]
    return value


def _found_in(value: Any, key: str, forms: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        name = next((name for form, name in forms if form in value), None)
        shape = None if name else next(shapes_in(value), None)
        if name or shape:
            yield key, f"the value of {name}" if name else f"what has the form of a secret ({shape and shape.name})"
    elif isinstance(value, int) and not isinstance(value, bool):  # a password of digits alone
        yield from _found_in(str(value), key, forms)
    elif isinstance(value, Mapping):
        for part, item in value.items():
            inside = any(_found_in(str(part), key, forms))
            yield from [(key, "a secret in the name of a setting")] if inside else []
            yield from _found_in(item, f"{key}.{part}" if key else str(part), forms)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _found_in(item, key, forms)
