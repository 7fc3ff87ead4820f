"""Counts from files: CSV with a header, or the JSON lines that a run leaves beside its row."""

import csv
import io
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.imports.delimited import canonical
from analysis.passk.majority import Answer
from analysis.passk.sample import Sample
from analysis.passk.sample_lines import counted, evalplus, keys_of
from rewards.bounded_file import MIB, parsed, read_bytes, read_text
from sweeper.host.errors import ResultsError
from sweeper.host.json_lines import json_lines
from sweeper.rows.counts import KEYS, checked, read_lines, whole

ALL = "all"
_MOST_BYTES = 64 * MIB  # of a file
UNKNOWN = "unknown"  # a null in JSON lines, such as the difficulty of a problem whose source states none


def read_counts(path: Path, *, group: str | None = None) -> dict[str, Sample]:
    """Counts of every group of a file, groups in order of name.

    Args:
        path: CSV with the columns problem_id, n, c (others are ignored), or a `*.jsonl` file with those keys.
        group: Column to group by; None: `group` (in JSON lines `domain`) if there is one, else all lines are one group.

    Raises:
        ResultsError: a column is missing or a value is not what it should be; says which line.
    """
    lines = _samples(path) or (_json_lines(path) if path.suffix == ".jsonl" else _csv_counts(path))
    columns = lines[0].keys()
    if group is not None and group not in columns:
        raise ResultsError(f"{path} has no column {group!r} to group by; it has {', '.join(sorted(columns))}")
    by = group or next((name for name in ("group", "domain") if name in columns), None)
    found: dict[str, list[tuple[str, int, int]]] = {}
    for line in lines:
        name = ALL if by is None else str(line.get(by, "")).strip()
        if not name:
            raise ResultsError(f"{path}: problem {line['problem_id']} has an empty {by}")
        found.setdefault(name, []).append((line["problem_id"], line["n"], line["c"]))
    return {name: Sample.of(found[name]) for name in sorted(found)}


def _csv_counts(path: Path) -> list[dict[str, Any]]:
    return [checked(line, f"{path}, line {number}") for number, line in enumerate(_csv_lines(path, *KEYS), 2)]


def _samples(path: Path) -> list[dict[str, Any]]:
    """Counts of single verdicts, which is said; empty: the file holds none."""
    if not path.is_file():
        return []
    try:
        if path.suffix == ".json":
            told = parsed(read_text(path, _MOST_BYTES))
            if not isinstance(told, dict) or not isinstance(told.get("eval"), dict):
                raise ResultsError(f"{path} is no eval_results.json of evalplus: it has no tasks under eval")
            return [checked(line, str(path)) for line in evalplus(told["eval"], str(path))]
        if path.suffix == ".jsonl":
            first = next((line for _, line in json_lines(path)), None)
            if not isinstance(first, dict) or set(KEYS) <= first.keys() or keys_of(list(first)) is None:
                return []
            lines = [(f"{path}, line {number}", line) for number, line in json_lines(path) if isinstance(line, dict)]
        else:
            names = next(csv.reader(io.StringIO(canonical(read_bytes(path, _MOST_BYTES))[0])), [])
            if set(KEYS) <= set(names) or keys_of(names) is None:
                return []
            lines = [(f"{path}, line {number}", line) for number, line in enumerate(_csv_lines(path), 2)]
    except (ValueError, OSError, csv.Error) as error:
        raise ResultsError(f"{path}: {error}") from None
    found = [checked(line, str(path)) for line in counted(lines)]
    problem, verdict = keys_of(list(lines[0][1])) or ("", "")
    print(f"{path}: {len(lines)} samples, one a line ({problem}, {verdict}), counted", file=sys.stderr)
    return found


def _json_lines(path: Path) -> list[dict[str, Any]]:
    return [
        {key: value if key in KEYS else UNKNOWN if value is None else str(value) for key, value in line.items()}
        for line in read_lines(path)
    ]


def read_answers(path: Path) -> dict[str, dict[str, list[Answer]]]:
    """Answers of every group and problem, for maj@k.

    Args:
        path: CSV with problem_id, answer, correct (0 or 1), optional count (1 a line without it) and optional group.

    Raises:
        ResultsError: a column is missing, a value is not what it should be, or one answer is both right and wrong.
    """
    counts: dict[tuple[str, str, str], tuple[int, bool]] = {}
    for number, line in enumerate(_csv_lines(path, "problem_id", "answer", "correct"), 2):
        verdict = line["correct"].strip().lower()
        if verdict not in ("0", "1", "true", "false"):
            raise ResultsError(f"{path}, line {number}: correct={verdict!r}; write 0 or 1")
        key = (line.get("group", ALL), line["problem_id"].strip(), line["answer"])
        count = whole(line, "count", f"{path}, line {number}") if "count" in line else 1
        correct = verdict in ("1", "true")
        before = counts.get(key)
        if before is not None and before[1] is not correct:
            raise ResultsError(f"{path}, line {number}: {key[2]!r} of problem {key[1]} is both correct and wrong")
        counts[key] = (count + (before[0] if before else 0), correct)
    answers: dict[str, dict[str, list[Answer]]] = {}
    for (group, problem, _), (count, correct) in sorted(counts.items()):
        answers.setdefault(group, {}).setdefault(problem, []).append(Answer(count=count, correct=correct))
    return answers


def _csv_lines(path: Path, *needed: str) -> list[dict[str, str]]:
    if not path.is_file():
        raise ResultsError(f"{path} is not a file")
    try:
        content, said = canonical(read_bytes(path, _MOST_BYTES))
    except (ValueError, csv.Error) as error:
        raise ResultsError(f"{path}: {error}") from None
    except OSError as error:
        raise ResultsError(f"{path}: {error.strerror}") from None
    for words in said:
        print(f"{path}: {words}", file=sys.stderr)
    try:
        return _checked_lines(path, csv.DictReader(io.StringIO(content, newline="")), needed)
    except csv.Error as error:
        raise ResultsError(f"{path} cannot be read as CSV ({error})") from None


def _checked_lines(path: Path, reader: "csv.DictReader[str]", needed: Sequence[str]) -> list[dict[str, str]]:
    names = [(name or "").strip() for name in reader.fieldnames or ()]
    repeated = {name for name, times in Counter(names).items() if times > 1}
    if repeated:
        raise ResultsError(f"{path} has two columns named {', '.join(sorted(repeated))}; rename one")
    lines = list(reader)
    if not lines:
        raise ResultsError(f"{path} holds no line: nothing was counted")
    missing = [name for name in needed if name not in names]
    if missing:
        raise ResultsError(f"{path} lacks the column {', '.join(missing)}; it has {', '.join(sorted(names))}")
    for line in lines:
        if None in line.values() or None in line:
            raise ResultsError(f"{path}: a line has more or fewer fields than the header: {line}")
    return [dict(zip(names, line.values(), strict=True)) for line in lines]
