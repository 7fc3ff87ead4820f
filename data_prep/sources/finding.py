"""One thing that is wrong with data, and where."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

_SHOWN = 10  # of one kind in one file


class Kind(StrEnum):
    """What is wrong."""

    unreadable = "unreadable"
    schema = "schema"
    unknown_source = "unknown source"
    broken_prompt = "broken prompt"
    wrong_gold = "wrong kind of gold"
    wrong_number = "wrong number"
    wrong_extra = "wrong kind of extra_info"
    unclear_role = "unclear role"
    duplicate = "duplicate"
    contradiction = "contradictory golds"
    near_duplicate = "near duplicate"
    contamination = "contamination"
    bad_gold = "bad gold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding. `row` counts from 0; None: the file as a whole."""

    kind: Kind
    file: str
    row: int | None
    message: str

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file} row {self.row}"
        return f"{place}: {self.kind}: {self.message}"


def told(findings: Sequence[Finding]) -> Iterator[str]:
    """One line for what is wrong in the same words with several rows of a file, and no more than a few of a kind."""
    alike: dict[tuple[str, Kind], dict[str, list[Finding]]] = {}
    for found in findings:
        alike.setdefault((found.file, found.kind), {}).setdefault(found.message, []).append(found)
    for by_message in alike.values():
        for same in list(by_message.values())[:_SHOWN]:
            more = f" ({len(same)} rows, this one first)" if len(same) > 1 else ""
            yield f"{same[0]}{more}"
        left = sum(map(len, list(by_message.values())[_SHOWN:]))
        if left:
            yield f"... and {left} more of this kind in {same[0].file}; --json has all"
