"""What is in data files, as numbers: schema, counts, lengths, difficulty, samples."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_prep.cleaning.lengths import PromptLengths
from data_prep.files.row import Row, read_json_object
from data_prep.sources.checked_folder import Examined, examined, files_of
from data_prep.sources.finding import Finding
from data_prep.sources.layout import SourceFile
from data_prep.sources.record_file import records
from data_prep.spec import PASS_RATE, DataError
from rewards.bounded_file import open_regular

_LONGEST_SAMPLE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Order statistics of lengths; `n` is how many there are, at least 1."""

    n: int
    least: int
    median: int
    p90: int
    p99: int
    most: int

    @classmethod
    def of(cls, values: Sequence[int]) -> "Spread | None":
        """Nearest-rank quantiles; None of nothing."""
        if not values:
            return None
        import numpy as np

        least, median, p90, p99, most = np.quantile(values, (0, 0.5, 0.9, 0.99, 1), method="inverted_cdf").tolist()
        return cls(n=len(values), least=least, median=median, p90=p90, p99=p99, most=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Rows by a measure of difficulty. `unknown` rows have no value."""

    name: str
    bars: tuple[tuple[str, int], ...]
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One row as a model sees it, and the answer that is right."""

    place: str
    data_source: str
    text: str
    ground_truth: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSummary:
    """One file. Columns by name with their types: parquet's, or those of the first row's values."""

    name: str
    role: str
    rows: int
    unusable: int
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All files together. Lengths are None where there is nothing to measure or no tokenizer to measure with."""

    files: tuple[FileSummary, ...]
    by_domain: tuple[tuple[str, int], ...]
    by_source: tuple[tuple[str, int], ...]
    prompt_characters: Spread | None
    prompt_tokens: Spread | None
    answer_characters: Spread | None
    difficulty: tuple[Histogram, ...]
    samples: tuple[Sample, ...]
    problems: tuple[Finding, ...]
    notes: tuple[str, ...]


def summarise(
    paths: Sequence[Path],
    *,
    tokenizer: Path | None = None,
    chat_template: str | None = None,
) -> Summary:
    """Reads files and measures them.

    Args:
        paths: Files, or folders in a layout of `data_prep.sources.layout`.
        tokenizer: A model's folder, for lengths in tokens.
        chat_template: Used instead of the tokenizer's own.

    Raises:
        DataError: A path that is not there or holds no data, or a tokenizer that cannot be loaded.
    """
    usable: list[Examined] = []
    layout = files_of(paths)
    files, problems = [], [*layout.doubts]
    for file in layout.files:
        total, unusable = 0, 0
        for item in examined(file):
            if isinstance(item, Finding):
                problems.append(item)
                continue
            total += 1
            if item.row is not None:
                usable.append(item)
            if item.finding is not None:
                problems.append(item.finding)
                unusable += item.row is None
        files.append(
            FileSummary(name=file.name, role=str(file.role), rows=total, unusable=unusable, columns=_columns(file))
        )
    rows = [item.row for item in usable if item.row is not None]
    lengths = None if tokenizer is None else PromptLengths(tokenizer, chat_template=chat_template)
    return Summary(
        files=tuple(files),
        by_domain=_counts(str(row.domain) for row in rows),
        by_source=_counts(row.data_source for row in rows),
        prompt_characters=Spread.of([sum(len(turn.content) for turn in row.prompt) for row in rows]),
        prompt_tokens=None if lengths is None else Spread.of(lengths.count(rows)),
        answer_characters=Spread.of([len(row.ground_truth) for row in rows]),
        difficulty=_difficulty(rows),
        samples=tuple(_sample(usable[place], lengths) for place in _places(len(usable))),
        problems=tuple(problems),
        notes=tuple(layout.said()),
    )


def _counts(values: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0])))


def _columns(file: SourceFile) -> tuple[tuple[str, str], ...]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if file.path.suffix == ".parquet":
            return tuple((field.name, str(field.type)) for field in pq.read_schema(open_regular(file.path)))
        _, first = next(records(file.path))
    except (pa.ArrowException, OSError, DataError):
        return ()
    return tuple((name, type(value).__name__) for name, value in first.items())


def _difficulty(rows: Sequence[Row]) -> tuple[Histogram, ...]:
    import numpy as np

    from data_prep.choosing.stratify import RATE_BINS, rate_bins

    rates: dict[str, list[float]] = {}
    for row in rows:
        for name, value in read_json_object(row.rest).items():
            if name.endswith(PASS_RATE) and isinstance(value, int | float):
                rates.setdefault(name, []).append(float(value))
    found = []
    for name, values in sorted(rates.items()):
        counted = Counter(rate_bins(np.array(values)).tolist())
        bars = tuple((label, counted[number]) for number, label in enumerate(RATE_BINS, start=-1))
        found.append(Histogram(name=name, bars=bars, unknown=len(rows) - len(values)))
    levels = Counter(row.difficulty for row in rows if row.difficulty is not None)
    if levels:
        bars = tuple((f"{level:g}", levels[level]) for level in sorted(levels))
        found.append(Histogram(name="difficulty", bars=bars, unknown=len(rows) - sum(levels.values())))
    return tuple(found)


def _places(n: int) -> list[int]:
    return sorted({0, n // 2, n - 1}) if n else []


def _sample(item: Examined, lengths: PromptLengths | None) -> Sample:
    row = item.row
    if row is None:
        raise ValueError(f"{item.file} row {item.number} cannot be shown")
    spelt = "\n".join(f"[{turn.role}] {turn.content}" for turn in row.prompt)
    text = spelt if lengths is None else lengths.rendered(row)
    return Sample(
        place=f"{item.file} row {item.number}",
        data_source=row.data_source,
        text=text[:_LONGEST_SAMPLE],
        ground_truth=row.ground_truth[:_LONGEST_SAMPLE],
    )
