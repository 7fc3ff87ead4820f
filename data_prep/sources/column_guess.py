"""A first `columns.yaml` for files that are not in verl's columns, guessed from the names of theirs."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from data_prep.sources.column_mapping import FILE_NAME, read_mappings
from data_prep.sources.conversion import REQUIRED
from data_prep.sources.file_format import Format, format_of, plain_name
from data_prep.sources.layout import declared_of, source_layout
from data_prep.sources.record_file import Record, records

# Usual names, the likeliest first.
_PROMPTS = ("question", "problem", "prompt", "query", "instruction", "input", "text")
_GOLDS = ("answer", "ground_truth", "gold", "target", "label", "solution", "output", "response")
_MARK = "####"  # GSM8K's, before the answer
_TEMPLATE = "{prompt} Please output the final answer within \\boxed{}."


def guessed_columns(folder: Path, *, template: bool) -> tuple[str, ...]:
    """The lines of a `columns.yaml` for a folder; none where it has one, needs none, or none can be told.

    Args:
        folder: With data files.
        template: Whether problems should ask for the answer in a box, where the scorers of math and STEM look.

    Raises:
        DataError: A file cannot be read.
    """
    guesses = {name: _guess(record, folder, template=template) for name, record in undeclared(folder)}
    if None in guesses.values() or (folder / FILE_NAME).exists():
        return ()
    endings = {f"*{Path(plain_name(name)).suffix}": guess for name, guess in guesses.items()}
    alike = all(endings[f"*{Path(plain_name(name)).suffix}"] == guess for name, guess in guesses.items())
    return tuple(f"{json.dumps(pattern)}: {guess}" for pattern, guess in (endings if alike else guesses).items())


def columns_command(folder: Path, lines: Sequence[str]) -> str:
    """The shell command that writes these lines into the folder's `columns.yaml`."""
    return f"printf '%s\\n' {' '.join(map(shlex.quote, lines))} > {shlex.quote(str(folder / FILE_NAME))}"


def undeclared(folder: Path) -> Iterator[tuple[str, Record]]:
    """The name and first row of every file to be read whose columns are neither verl's nor declared.

    Raises:
        DataError: A file cannot be read.
    """
    layout, declared = source_layout(folder), read_mappings(folder)
    # A table without declared columns is not read; it matters where nothing else is there.
    tables = [item.name for item in layout.unread if format_of(item.name) in (Format.csv, Format.tsv)]
    for name in [file.name for file in layout.files] or sorted(tables):
        found = declared_of(name, declared)
        if not (folder / name).is_file() or (found is not None and found.mapping is not None):
            continue
        _, first = next(iter(records(folder / name)))
        if not set(REQUIRED) <= set(first):
            yield name, first


def _guess(record: Record, folder: Path, *, template: bool) -> str | None:
    """The declaration of a file's columns as one line of YAML; None: no column looks like a problem, or like a gold."""
    by_name = {name.casefold(): name for name in record}
    prompt, gold = (next((by_name[n] for n in names if n in by_name), None) for names in (_PROMPTS, _GOLDS))
    if prompt is None or gold is None:
        return None
    answer = str(record[gold])
    is_choice = re.fullmatch(r"\(?[A-J]\)?", answer.rpartition(_MARK)[2].strip()) is not None
    own_name = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_") or "own"
    values = {
        "prompt": prompt,
        "ground_truth": gold,
        "data_source": f"{'gpqa_' if is_choice else 'math__'}{own_name}",
    }
    if _MARK in answer:
        values["ground_truth_after"] = _MARK
    if template and isinstance(record[prompt], str):
        values["template"] = _TEMPLATE
    return "{" + ", ".join(f"{key}: {_yaml(value)}" for key, value in values.items()) + "}"


def _yaml(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) else json.dumps(text, ensure_ascii=False)
