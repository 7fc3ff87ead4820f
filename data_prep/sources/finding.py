"""One thing that is wrong with data, and where."""

from dataclasses import dataclass
from enum import StrEnum


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
