"""Counts from files: CSV with a header, or the JSON lines that a run leaves beside its row."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from analysis.passk.majority import Answer
from analysis.passk.sample import Sample
from sweeper.host.errors import ResultsError

ALL = "all"
UNKNOWN = "unknown"  # a null in JSON lines, such as the difficulty of a problem whose source states none
MOST_SAMPLES = 10**9  # of a problem: far above any real one, far below where counts leave their type
REQUIRED = ("problem_id", "n", "c")


def read_counts(path: Path, *, group: str | None = None) -> dict[str, Sample]:
    """Counts of every group of a file, groups in order of name.

    Args:
        path: CSV with the columns problem_id, n, c (others are ignored), or a `*.jsonl` file with those keys.
        group: Column to group by; None: `group` (in JSON lines `domain`) if there is one, else all lines are one group.

    Raises:
        ResultsError: a column is missing or a value is not what it should be; says which line.
    """
    lines = list(_lines(path))
    if not lines:
        raise ResultsError(f"{path} holds no line: nothing was counted")
    columns = set(lines[0])
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise ResultsError(f"{path} lacks the column {', '.join(missing)}; it has {', '.join(sorted(columns))}")
    if group is not None and group not in columns:
        raise ResultsError(f"{path} has no column {group!r} to group by; it has {', '.join(sorted(columns))}")
    by = group or next((name for name in ("group", "domain") if name in columns), None)
    found: dict[str, list[tuple[str, int, int]]] = {}
    for number, line in enumerate(lines, 2 if path.suffix != ".jsonl" else 1):
        name = ALL if by is None else line[by].strip()
        problem = line["problem_id"].strip()
        if not problem or not name:
            raise ResultsError(f"{path}, line {number}: empty {'problem_id' if not problem else by}")
        n, c = _whole(path, number, line, "n"), _whole(path, number, line, "c")
        if n > MOST_SAMPLES:
            raise ResultsError(f"{path}, line {number}: n={n}; the most samples of a problem is {MOST_SAMPLES}")
        if n < 1 or not 0 <= c <= n:
            raise ResultsError(f"{path}, line {number}: n={n}, c={c}; needs n >= 1 and 0 <= c <= n")
        found.setdefault(name, []).append((problem, n, c))
    return {name: Sample.of(found[name]) for name in sorted(found)}


def read_answers(path: Path) -> dict[str, dict[str, list[Answer]]]:
    """Answers of every group and problem, for maj@k.

    Args:
        path: CSV with problem_id, answer, correct (0 or 1), optional count (1 a line without it) and optional group.

    Raises:
        ResultsError: a column is missing, a value is not what it should be, or one answer is both right and wrong.
    """
    lines = list(_lines(path))
    columns = set(lines[0]) if lines else set()
    missing = [name for name in ("problem_id", "answer", "correct") if name not in columns]
    if missing:
        raise ResultsError(f"{path} lacks the column {', '.join(missing)} (or any line)")
    counts: dict[tuple[str, str, str], tuple[int, bool]] = {}
    for number, line in enumerate(lines, 2):
        verdict = line["correct"].strip().lower()
        if verdict not in ("0", "1", "true", "false"):
            raise ResultsError(f"{path}, line {number}: correct={verdict!r}; write 0 or 1")
        key = (line.get("group", ALL), line["problem_id"].strip(), line["answer"])
        count = _whole(path, number, line, "count") if "count" in columns else 1
        correct = verdict in ("1", "true")
        before = counts.get(key)
        if before is not None and before[1] is not correct:
            raise ResultsError(f"{path}, line {number}: {key[2]!r} of problem {key[1]} is both correct and wrong")
        counts[key] = (count + (before[0] if before else 0), correct)
    answers: dict[str, dict[str, list[Answer]]] = {}
    for (group, problem, _), (count, correct) in sorted(counts.items()):
        answers.setdefault(group, {}).setdefault(problem, []).append(Answer(count=count, correct=correct))
    return answers


def _lines(path: Path) -> Iterator[Mapping[str, str]]:
    if not path.is_file():
        raise ResultsError(f"{path} is not a file")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ResultsError(f"{path} is not UTF-8 text: {error}") from None
    if path.suffix == ".jsonl":
        for number, text in enumerate(content.splitlines(), 1):
            try:
                yield {key: _text(key, value) for key, value in json.loads(text).items()}
            except (json.JSONDecodeError, AttributeError) as error:
                raise ResultsError(f"{path}, line {number}: not a JSON object: {error}") from error
        return
    reader = csv.DictReader(io.StringIO(content, newline=""))
    names = [(name or "").strip() for name in reader.fieldnames or ()]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ResultsError(f"{path} has two columns named {', '.join(sorted(repeated))}; rename one")
    for line in reader:
        if None in line.values() or None in line:
            raise ResultsError(f"{path}: a line has more or fewer fields than the header: {line}")
        yield {(key or "").strip(): value for key, value in line.items()}


def _text(key: str, value: object) -> str:
    if value is None:
        return "" if key in REQUIRED else UNKNOWN
    return str(value)


def _whole(path: Path, number: int, line: Mapping[str, str], name: str) -> int:
    text = line[name].strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not value.is_integer():
        raise ResultsError(f"{path}, line {number}: {name}={text!r} is not a whole number")
    return int(value)
