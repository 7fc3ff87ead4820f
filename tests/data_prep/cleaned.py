"""What each step of cleaning keeps of some rows, and what it takes out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from data_prep.cleaning.contamination import CONTAMINATION, contaminated
from data_prep.cleaning.duplicates import EXACT, NEAR, nearly_repeated, repeated
from data_prep.cleaning.gold import BAD_GOLD, bad_golds
from data_prep.cleaning.lengths import TOO_LONG, PromptLengths
from data_prep.files.row import Row


class Dropped(NamedTuple):
    row: Row
    step: str
    reason: str


Clean = tuple[list[Row], list[Dropped]]


def _split(rows: Sequence[Row], reasons: Mapping[int, str], step: str) -> Clean:
    kept = [row for number, row in enumerate(rows) if number not in reasons]
    return kept, [Dropped(rows[number], step, reasons[number]) for number in sorted(reasons)]


def drop_exact_duplicates(rows: Sequence[Row]) -> Clean:
    return _split(rows, repeated(rows), EXACT)


def drop_near_duplicates(rows: Sequence[Row], *, threshold: float = 0.8) -> Clean:
    return _split(rows, nearly_repeated(rows, threshold=threshold), NEAR)


def decontaminate(train: Sequence[Row], evaluation: Sequence[Row]) -> Clean:
    return _split(train, contaminated(train, evaluation), CONTAMINATION)


def drop_too_long(rows: Sequence[Row], *, tokenizer: str | Path, max_tokens: int) -> Clean:
    return _split(rows, PromptLengths(tokenizer).too_long([row.prompt for row in rows], max_tokens), TOO_LONG)


def drop_bad_gold(rows: Sequence[Row]) -> Clean:
    return _split(rows, bad_golds(rows), BAD_GOLD)
