"""Exported histories: CSV with a step column, JSON arrays or lines of objects with one."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.imports.history import MOST_BYTES, MOST_VALUES, History
from rewards.bounded_file import open_regular, parsed, read_text
from sweeper.host.errors import ResultsError
from sweeper.host.json_lines import json_lines

STEPS = ("_step", "step", "Step", "global_step", "training/global_step")
# wandb's panel export names a column "run - metric", beside "run - metric__MIN" and "__MAX".
_PANEL = re.compile(r"(.+) - (\S+)")


def read_table(path: Path, *, renamed: Mapping[str, str]) -> list[History]:
    """The runs of an exported table.

    Args:
        path: CSV, a JSON array, or JSON lines.
        renamed: Column to metric, for columns that have names of their own.

    Raises:
        ResultsError: no line, no step column, or no number.
    """
    lines = _csv(path) if path.suffix.lower() == ".csv" else _json(path)
    if not lines:
        raise ResultsError(f"{path} holds no line")
    columns = list(dict.fromkeys(name for line in lines for name in line))
    absent = [name for name in renamed if name not in columns]
    if absent:
        raise ResultsError(f"--map {absent[0]}=…: {path} has no such column; it has {', '.join(columns)}")
    step = next((name for name in STEPS if name in columns or name in renamed.values()), None)
    if step is None:
        raise ResultsError(
            f"{path} has no step column ({', '.join(STEPS)}); it has {', '.join(columns)}; name one with "
            "--map COLUMN=step"
        )
    lines = [{renamed.get(name, name): value for name, value in line.items()} for line in lines]
    runs: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, line in enumerate(lines, 2):
        try:
            at = int(float(line[step]))
        except (TypeError, ValueError, KeyError, OverflowError):
            raise ResultsError(f"{path}, line {number}: {step}={line.get(step)!r} is not a whole number") from None
        for name, value in line.items():
            panel = _PANEL.fullmatch(name)
            run, metric = (panel[1], panel[2]) if panel else (path.stem, name)
            if name != step and not metric.endswith(("__MIN", "__MAX")):
                runs.setdefault(run, []).append((at, {metric: value}))
    return [History.of(records, name=run, kind="table") for run, records in runs.items()]


def _csv(path: Path) -> list[dict[str, Any]]:
    lines, values = [], 0
    with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        try:
            for line in reader:
                if None in line:
                    raise ResultsError(f"{path}, line {reader.line_num}: it has more fields than the header")
                lines.append({key or "": _cell(value) for key, value in line.items()})
                values += len(line)
                if values > MOST_VALUES:
                    raise ResultsError(f"{path} holds more than {MOST_VALUES:,} values; export fewer metrics")
        except (csv.Error, UnicodeDecodeError) as error:
            raise ResultsError(f"{path}, line {reader.line_num + 1}: {error}") from error
    return lines


def _cell(text: str | None) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _json(path: Path) -> list[dict[str, Any]]:
    try:
        values = parsed(read_text(path, MOST_BYTES))
    except ValueError:  # lines, or none of both: then the line says where
        try:
            values = [line for _, line in json_lines(path)]
        except ValueError as error:
            raise ResultsError(f"{path} is neither JSON nor lines of JSON: {error}") from error
    values = values if isinstance(values, list) else [values]
    if not all(isinstance(value, dict) for value in values):
        raise ResultsError(f"{path} must hold objects, one per step")
    return values
