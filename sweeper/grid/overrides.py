"""Overrides as Hydra's own parser reads them: which are axes, their values, and how to write what it cannot read."""

import os
import re
import shlex
from collections.abc import Sequence
from itertools import islice
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, IntervalSweep, Override, Quote, QuotedString, Sweep
from hydra.errors import HydraException

from sweeper.grid.assembly import Axis
from sweeper.host import secret
from sweeper.host.errors import ConfigError
from sweeper.spec.bounds import Name, validated

MAX_VALUES = 1_000_000  # of an axis, and points of a grid: a slip of the keyboard, not a study
_HYDRAS = re.compile(r"hydra(?![\w-]|\.searchpath$)")
_CALL = re.compile(r"\w+\(.*\)")


def parsed(arguments: Sequence[str]) -> list[Override]:
    """The overrides of a command line.

    Raises:
        ConfigError: one that is not in Hydra's grammar, with how to write it; a key that is there twice; a secret,
            before any of these, which repeat what was written.
    """
    for argument in arguments:
        secret.refuse(argument, argument.partition("=")[0])
    parser = OverridesParser.create()
    found = []
    for argument in arguments:
        try:
            found.append(parser.parse_override(argument))
        except (HydraException, RecursionError) as error:
            raise ConfigError(f"cannot read {argument[:200]!r}: {_how_to_write(argument, error)}") from None
        key = found[-1].key_or_group
        if not key:
            raise ConfigError(f"cannot read {argument!r}: it names no key; write KEY=VALUE")
        if _HYDRAS.match(key):
            raise ConfigError(
                f"{argument}: Hydra's own settings change nothing here; write an axis as seed=0,1 with -m"
            )
    lines: dict[str, list[str | None]] = {}
    for item in found:
        if not item.is_delete():
            lines.setdefault(item.get_key_element().lstrip("+"), []).append(item.input_line)
    for key, given in lines.items():
        if len(given) > 1:  # Hydra would take the last one without a word
            raise ConfigError(f"{key} is there twice: {' and '.join(map(str, given))}; name it once")
    return found


def refuse_no_option(item: Override, options: Sequence[str]) -> None:
    """Refuse what chooses none of the `options` of the group that an override names; a plain key has none.

    Raises:
        ConfigError: null, a number, a list or mapping, or a path that leads out of the group.
    """
    if not options or item.is_delete():
        return
    for value in _values(item, options):
        if not isinstance(value, str) or value.startswith("/") or ".." in value.split("/"):
            raise ConfigError(
                f"{item.input_line}: {value} is no {item.key_or_group}; choose from: {', '.join(options)}"
            )


def _how_to_write(argument: str, error: Exception) -> str:
    key, sign, value = argument.partition("=")
    what = (str(error).splitlines() or [type(error).__name__])[0].partition(" expecting ")[0][:200]
    if not sign:
        return "a setting is written KEY=VALUE"
    if _CALL.fullmatch(value):
        return what
    if value.startswith(",") or value.endswith(","):
        return f"{what}; values stand on both sides of every comma"
    if value.startswith(("[", "{")):
        return f"{what}; is each bracket closed, and each text in it quoted?"
    quoted = _quoted(key, os.path.expanduser(value))  # noqa: PTH111 - a Path would drop a slash
    try:
        OverridesParser.create().parse_override(quoted)
    except HydraException:
        return f"{what}; a key has letters, digits, '.', '_', '-' and '/'"
    return f"{what}; a text with such characters is quoted twice, for Hydra and for the shell: {shlex.quote(quoted)}"


def _quoted(key: str, value: str) -> str:
    return f"{key}={QuotedString(text=value, quote=Quote.double).with_quotes()}"


def grid_of(overrides: Sequence[Override]) -> str | None:
    """The grid that overrides name, if they do.

    Raises:
        ConfigError: several grids, a list, or what is no name.
    """
    grids = [item for item in overrides if item.key_or_group == "grid"]
    if any(item.is_delete() for item in grids):
        raise ConfigError("~grid takes a grid out that is not there: leave +grid=… out")
    named = [item.value() for item in grids]
    if any(isinstance(name, list) and len(name) < 2 for name in named):
        raise ConfigError(f"{grids[0].input_line}: a grid is named without brackets; write +grid=NAME")
    if any(item.is_sweep_override() for item in grids) or any(isinstance(name, list) for name in named):
        raise ConfigError(
            "several grids in one command (+grid=a,b): their axes would not multiply. "
            "Run one command per grid; points that they share run once"
        )
    return validated(Name, "grid", grids[0].value()) if grids else None


def axis_of(item: Override, options: Sequence[str], *, repeats: bool = False) -> Axis:
    """An override as an axis; a value that is no sweep is its only one.

    `options` are those of the group that it names, none for a plain key. With `repeats` a value may be there twice, as
    on an axis that is tied to another.

    Raises:
        ConfigError: no value, far too many, a list for a value, or one that is there twice.
    """
    prefix = "++" if item.is_force_add() else "+" if item.is_add() else ""
    key = item.get_key_element().removeprefix(prefix)
    if key == "results_dir":
        whole = shlex.quote(_quoted(key, str(item.input_line).partition("=")[2]))
        raise ConfigError(
            f"{item.input_line}: all runs of a command share one folder; a comma in it is quoted: {whole}"
        )
    values = _values(item, options)
    if not values:
        among = f" Choose from: {', '.join(options)}" if options else ""
        raise ConfigError(f"{item.input_line} has no value: nothing would run.{among}")
    if len(values) > MAX_VALUES:
        raise ConfigError(f"{item.input_line} has more than {MAX_VALUES:,} values; take fewer")
    if isinstance(values[0], list):
        raise ConfigError(f"{item.input_line}: a list is one value, not an axis; write {key}=a,b,c")
    if not repeats and len(set(map(str, values))) < len(values):
        repeated = {str(value) for value in values if values.count(value) > 1}
        raise ConfigError(f"{item.input_line}: {', '.join(sorted(repeated))} is listed twice")
    return Axis(key=key, prefix=prefix, is_group=bool(options), values=tuple(values))


def _values(item: Override, options: Sequence[str]) -> list[Any]:
    chosen = item.value()
    if isinstance(chosen, IntervalSweep):
        raise ConfigError(f"{item.input_line}: an interval has no list of values; write them: {item.key_or_group}=a,b")
    if isinstance(chosen, Glob):
        return list(chosen.filter(list(options)))
    if not item.is_sweep_override():
        return [text_of(chosen)]
    try:
        found = [text_of(value) for value in islice(item.sweep_iterator(), MAX_VALUES + 1)]
    except (HydraException, ValueError, ArithmeticError) as error:  # e.g. a step of 0
        raise ConfigError(f"{item.input_line}: {' '.join(str(error).split())}") from None
    if any(isinstance(value, Sweep | Glob) for value in found):
        raise ConfigError(f"{item.input_line}: a range or choice stands alone, not in a list; write the values out")
    return found


def text_of(value: Any) -> Any:
    """A value without the quotes that it was written in."""
    return value.text if isinstance(value, QuotedString) else value
