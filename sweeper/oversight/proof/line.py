"""One line of a proof: a measured figure beside another, and whether it holds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sweeper.oversight.check import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A figure of this machine.

    Attributes:
        what: Is measured.
        unit: Of both figures.
        measured: None: it was not, and `note` says why.
        beside: What it is compared with; None: nothing is known to compare it with.
        whose: Figure `beside` is.
        verdict: None: the figure can be neither right nor wrong.
        note: Why there is no figure, or what a wrong one means.
    """

    what: str
    unit: str
    measured: float | None
    beside: float | None = None
    whose: str = ""
    verdict: Verdict | None = None
    note: str = ""

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Line":
        """A line from what `asdict` made of it."""
        verdict = values["verdict"]
        return cls(**values | {"verdict": None if verdict is None else Verdict(verdict)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a figure may be, both ends included; None: no bound on that side."""

    least: float | None = None
    most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value lies within; one that is no number does not."""
        above = self.least is None or value >= self.least
        return above and (self.most is None or value <= self.most) and value == value


def judged(
    what: str,
    unit: str,
    measured: float | None,
    bounds: Bounds | None,
    *,
    beside: float | None = None,
    whose: str = "",
    note: str = "",
) -> Line:
    """A line with its verdict: unknown without a figure, or without bounds to hold it to."""
    if measured is None or bounds is None:
        verdict = Verdict.unknown
    else:
        verdict = Verdict.ok if bounds.holds(measured) else Verdict.wrong
    return Line(what=what, unit=unit, measured=measured, beside=beside, whose=whose, verdict=verdict, note=note)


def near(
    what: str, unit: str, measured: float | None, beside: float | None, *, whose: str, share: float, note: str = ""
) -> Line:
    """A line that is right within a share of the figure beside it, below and above."""
    bounds = None if beside is None else Bounds(least=(1 - share) * beside, most=(1 + share) * beside)
    return judged(what, unit, measured, bounds, beside=beside, whose=whose, note=note)


def told(what: str, unit: str, measured: float | None, note: str = "") -> Line:
    """A line that only tells; without its figure it is unknown."""
    verdict = Verdict.unknown if measured is None else None
    return Line(what=what, unit=unit, measured=measured, verdict=verdict, note=note)


def failed(what: str, why: str) -> Line:
    """A line in the place of all that could not be measured after something failed."""
    return Line(what=what, unit="", measured=None, verdict=Verdict.wrong, note=why)


def plain(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Lines as JSON has them."""
    return [asdict(line) for line in lines]
