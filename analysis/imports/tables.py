"""Exported histories: CSV or parquet with a step column, JSON arrays or lines of objects with one."""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.imports.delimited import canonical
from analysis.imports.history import MOST_BYTES, MOST_VALUES, History, runs
from analysis.imports.names import is_known, verls_name
from rewards.bounded_file import parsed, read_bytes, read_text
from sweeper.host.errors import ResultsError
from sweeper.host.json_lines import json_lines

TYPES = (".csv", ".tsv", ".json", ".jsonl", ".parquet")
# What transformers and lightning count beside the line numbers of their trackers goes first.
STEPS = ("train/global_step", "trainer/global_step", "_step", "step", "Step", "global_step", "training/global_step")
RUNS = ("run", "run_id", "run_name", "Run")
_PANEL = " - "  # wandb's panel export names a column "run - metric", beside "run - metric__MIN" and "__MAX"
_ENDS = ("__MIN", "__MAX")
_NAMED = 10  # columns in a message
Lines = list[dict[str, Any]]


def read_table(path: Path, *, renamed: Mapping[str, str]) -> list[History]:
    """The runs of an exported table.

    Args:
        path: CSV, parquet, a JSON array, or JSON lines.
        renamed: Column, or metric of a panel export, to metric, for those that have names of their own.

    Raises:
        ResultsError: no line, no step column, two columns of one name, or no number.
    """
    said: dict[str, str] = {}
    lines = _read(path, said)
    if not lines:
        raise ResultsError(f"{path} holds no line")
    columns = list(dict.fromkeys(name for line in lines for name in line))
    step = next((name for name in STEPS if name in columns or name in renamed.values()), None)
    if step is None:
        raise ResultsError(
            f"{path} has no step column ({', '.join(STEPS)}); it has {_few(columns)}; name one with --map COLUMN=step"
        )
    places = _places(path, columns, renamed)
    if any(run for run, _ in places.values()):
        said["panel"] = f"columns read as those of {len({run for run, _ in places.values() if run})} runs: run - metric"
    label = next((name for name in RUNS if name in columns and name not in renamed), None)
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    texts: Counter[str] = Counter()
    skipped = 0
    for number, line in enumerate(lines, 2):
        values = {places[name]: value for name, value in line.items() if name in places}
        at = _step(values.pop(("", step), None), f"{path}, line {number}: {step}=")
        if at is None:
            skipped += 1
            continue
        own = path.stem if label is None else f"{line[label]:.12g}" if isinstance(line[label], float) else line[label]
        for (run, metric), value in values.items():
            texts[metric] += isinstance(value, str) and metric != label
            if value is not None and metric != label:
                found.setdefault(str(run or own), []).append((at, {metric: value}))
    if skipped:
        said["steps"] = f"{skipped} lines have no {step} and were left out"
    if +texts:
        said["texts"] = f"{sum(texts.values())} values are no numbers and were left out, in {_few(list(+texts))}"
    return [h for name, records in found.items() for h in _histories(records, name=name, kind="table", said=said)]


def _histories(records: Sequence[tuple[int, dict[str, Any]]], **about: Any) -> list[History]:
    """In order of steps where each is there once, else in order of the file: attempts, or several runs."""
    seen = Counter((step, name) for step, values in records for name in values)
    once = not seen or max(seen.values()) == 1
    return runs(sorted(records, key=lambda record: record[0]) if once else records, **about)


def _places(path: Path, columns: Sequence[str], renamed: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Run (empty: the table's own) and metric of each column."""
    parts = [(name, name.rpartition(_PANEL)) for name in columns if _PANEL in name]
    split = {name: (run, metric) for name, (run, _, metric) in parts}
    metrics = {metric for _, metric in split.values()}
    absent = [name for name in renamed if name not in columns and name not in metrics]
    if absent:
        names = [*(name for name in columns if name not in split), *sorted(metrics)]
        raise ResultsError(f"--map {absent[0]}=…: {path} has no such column; it has {_few(names)}")
    others = [name for name in columns if name not in split]
    panel = any(name + _ENDS[0] in split for name in split) or (split and others in (["Step"], ["global_step"]))
    found = {}
    for name in columns:
        run, metric = split.get(name, ("", name))
        told = renamed.get(name, "")
        alone = not panel and metric not in renamed and not is_known(verls_name(metric))
        if run and (alone or (told and _PANEL not in told and not panel)):
            run, metric = "", name
        if _PANEL in told:
            run, _, metric = told.rpartition(_PANEL)
        elif not metric.endswith(_ENDS):
            metric = told or renamed.get(metric, metric)
        if not metric.endswith(_ENDS):
            found[name] = (run, metric)
    repeated = [place for place, times in Counter(found.values()).items() if times > 1]
    if repeated:
        raise ResultsError(
            f"{path} has two columns for {repeated[0][1]}{f' of {repeated[0][0]}' * bool(repeated[0][0])}"
        )
    return found


def _step(value: Any, where: str) -> int | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        at = float(value)
        if at.is_integer():
            return int(value) if isinstance(value, int) else int(at)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ResultsError(
        f"{where}{value!r} is not a whole number: a step counts training steps; seconds or epochs are none"
    )


def _read(path: Path, said: dict[str, str]) -> Lines:
    if path.suffix.lower() == ".parquet":
        return _parquet(path)
    if path.suffix.lower() in (".csv", ".tsv"):
        return _csv(path, said)
    return _json(path)


def _parquet(path: Path) -> Lines:
    from pyarrow import parquet

    about = parquet.read_metadata(path)
    if about.num_rows * about.num_columns > MOST_VALUES:
        raise ResultsError(f"{path} holds more than {MOST_VALUES:,} values; export fewer metrics")
    lines: Lines = parquet.read_table(path).to_pylist()
    return lines


def _csv(path: Path, said: dict[str, str]) -> Lines:
    lines, values = [], 0
    text, guesses = canonical(read_bytes(path, MOST_BYTES))
    if guesses:
        said["text"] = "; ".join(guesses)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        repeated = [name for name, times in Counter(reader.fieldnames or ()).items() if times > 1]
        if repeated:
            raise ResultsError(f"{path} has two columns named {', '.join(repeated)}; rename one")
        for line in reader:
            if None in line:
                raise ResultsError(f"{path}, line {reader.line_num}: it has more fields than the header")
            lines.append({key or "": _cell(value) for key, value in line.items()})
            values += len(line)
            if values > MOST_VALUES:
                raise ResultsError(f"{path} holds more than {MOST_VALUES:,} values; export fewer metrics")
    except csv.Error as error:
        raise ResultsError(f"{path}, line {reader.line_num + 1}: {error}") from error
    return lines


def _cell(text: str | None) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _json(path: Path) -> Lines:
    try:
        values = parsed(read_text(path, MOST_BYTES, encoding="utf-8-sig"))
    except ValueError:  # lines, or none of both: then the line says where
        try:
            values = [line for _, line in json_lines(path)]
        except ValueError as error:
            raise ResultsError(f"{path} is neither JSON nor lines of JSON: {error}") from error
    if isinstance(values, dict):
        columns = {name: value for name, value in values.items() if isinstance(value, list)}
        if columns and len(columns) == len(values) and len({len(value) for value in columns.values()}) == 1:
            return [dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True)]
        if columns:
            raise ResultsError(
                f"{path} is one object with lists in {_few(list(columns))}: it is read as no history; write the list "
                "of its steps alone into a file"
            )
        values = [values]
    if not all(isinstance(value, dict) for value in values):
        raise ResultsError(f"{path} must hold objects, one per step")
    return list(values)


def _few(names: Iterable[str]) -> str:
    found = [str(name)[:80] for name in names]
    return ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
