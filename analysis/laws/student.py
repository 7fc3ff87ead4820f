"""Two-sided 95% intervals, and Student's t for every estimate with an error and degrees of freedom."""

from dataclasses import dataclass

from scipy.special import stdtrit

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Ends of an interval; None where the data set no limit on that side, or none can be computed for the reason."""

    low: float | None
    high: float | None
    method: str
    reason: str | None = None

    def text(self, digits: int) -> str:
        """`[low, high]` to so many significant digits; `no limit` where the data set none."""
        low, high = ("no limit" if end is None else f"{end:.{digits}g}" for end in (self.low, self.high))
        return f"[{low}, {high}]"


def quantile(df: float, level: float = LEVEL) -> float:
    """Half-width of the interval in standard errors: 12.7 for one degree of freedom, 1.96 for many."""
    return float(stdtrit(df, 0.5 + level / 2))
