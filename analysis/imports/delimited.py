"""Delimited text of any habit as CSV of commas, decimal points and UTF-8, with what was guessed."""

import csv
import io
import re
from collections.abc import Iterator

Said = tuple[str, ...]
_NAMES = {";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_DECIMAL = re.compile(r"\s*[-+]?\d+,\d+(?:[eE][-+]?\d+)?\s*")
_GROUPED = re.compile(r"\s*[-+]?[1-9]\d{0,2}(?:,\d{3})+\s*")  # 1,122: as well thousands
_POINT = re.compile(r"\s*[-+]?\d+\.\d+(?:[eE][-+]?\d+)?\s*")
_NUMBER = re.compile(r"\s*[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?\s*")
_SAMPLE = 1 << 16  # characters by which the delimiter is told


def canonical(data: bytes) -> tuple[str, Said]:
    """The text as CSV, and a sentence for each guess; text of commas, points and UTF-8 comes back as it is.

    Raises:
        ValueError: it is binary, its header is numbers, or it mixes decimal commas and points.
    """
    text, said = _text(data)
    delimiter = _delimiter(text)
    if delimiter == "," and '"' not in text:
        _require_names(next(iter(text.splitlines()), "").split(","))
        return text, tuple(said)
    rows = _rows(text, delimiter)
    _require_names(rows[0] if rows else [])
    commas = [cell for row in rows[1:] for cell in row if "," in cell and _DECIMAL.fullmatch(cell)]
    decimal = any(not _GROUPED.fullmatch(cell) for cell in commas)
    if decimal and (point := next((cell for row in rows[1:] for cell in row if _POINT.fullmatch(cell)), None)):
        raise ValueError(f"it has decimal commas ({commas[0].strip()}) and points ({point.strip()}); write one of them")
    if delimiter == "," and not decimal:
        return text, tuple(said)
    if delimiter != ",":
        said.append(f"fields read as told apart by {_NAMES[delimiter]}")
    if decimal:
        said.append(f"{len(commas)} numbers read with decimal commas (the first: {commas[0].strip()})")
        rows = [rows[0], *([c.replace(",", ".") if _DECIMAL.fullmatch(c) else c for c in row] for row in rows[1:])]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue(), tuple(said)


def _text(data: bytes) -> tuple[str, list[str]]:
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    zeros = data[:_SAMPLE].count(0)
    if encoding is None and zeros:
        even = data[:_SAMPLE:2].count(0)
        if 2 * zeros < 0.6 * min(len(data), _SAMPLE) or 0.1 * zeros < even < 0.9 * zeros:
            raise ValueError("it is binary, not text; export it as CSV")
        encoding = "utf-16-le" if even < zeros / 2 else "utf-16-be"
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding is not None or sum(byte < 9 for byte in data[:_SAMPLE]):
            raise ValueError("it is neither UTF-8 nor UTF-16 text; export it as CSV") from None
        encoding, text = "Windows-1252", data.decode("cp1252", "replace")
    known = encoding in (None, "utf-8-sig")
    return text, [] if known else [f"read as {str(encoding).upper()} text, not UTF-8"]


def _delimiter(text: str) -> str:
    """The one that cuts the header, and most lines as the header; a comma in doubt."""
    whole = text[:_SAMPLE].splitlines()
    lines = [line for line in (whole if len(text) <= _SAMPLE else whole[:-1]) if line.strip()][:200]
    best, score = ",", (0.0, 1)
    for delimiter in (",", ";", "\t", "|"):
        try:
            counts = [len(row) for row in _rows("\n".join(lines), delimiter)] or [0]
        except csv.Error:
            continue
        found = (sum(count == counts[0] for count in counts) / len(counts), counts[0])
        if counts[0] > 1 and found > score:
            best, score = delimiter, found
    words = {len(line.split()) for line in lines}
    spaced = score[1] == 1 and len(words) == 1 and words != {1} and _all_numbers(lines[-1].split())
    return " " if spaced else best


def _rows(text: str, delimiter: str) -> list[list[str]]:
    if delimiter == " ":
        return [line.split() for line in text.splitlines() if line.strip()]
    reader: Iterator[list[str]] = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [row for row in reader if row]


def _all_numbers(cells: list[str]) -> bool:
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def _require_names(header: list[str]) -> None:
    if _all_numbers(header):
        raise ValueError(
            f"its first line holds numbers alone ({', '.join(header[:5])}); write a line of names above it"
        )
