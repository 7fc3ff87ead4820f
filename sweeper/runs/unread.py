"""Lines of a file of ours that cannot be read."""

from dataclasses import dataclass, field
from pathlib import Path

from sweeper.host.errors import DamagedError
from sweeper.host.files import said_of

_NAMED = 3  # lines whose fault is told


@dataclass(slots=True)
class Unread:
    """The lines that a pass over a file could not read: how many, and what is wrong with the first few."""

    n: int = 0
    said: list[str] = field(default_factory=list)

    def add(self, number: int, error: Exception) -> None:
        """One more."""
        self.n += 1
        if self.n <= _NAMED:
            self.said.append(f"line {number}: {said_of(error)}")

    def error(self, file: Path, cure: str | None = None) -> DamagedError:
        """As people read it; with the `cure` of a file of which nothing can be read."""
        more = f"; and {self.n - _NAMED:,} more lines" if self.n > _NAMED else ""
        what = f"none of it can be read; {cure}" if cure else "what these lines kept is left out"
        return DamagedError(f"{file} is damaged: {'; '.join(self.said)}{more}: {what}")
