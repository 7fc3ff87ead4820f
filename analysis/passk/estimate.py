"""A number with its interval."""

from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A mean with the ends of its interval; `low` and `high` are None where none can be computed."""

    value: float
    low: float | None
    high: float | None

    @property
    def sign(self) -> int:
        """1, -1: the interval lies above, below 0; 0: it holds 0, or the end that would tell is unknown."""
        return int(self.low is not None and self.low > 0) - int(self.high is not None and self.high < 0)

    def columns(self, name: str, ends: str = "") -> dict[str, float | None]:
        """As fields of a table row: `name`, and its ends as `low` and `high` with a prefix."""
        return {name: self.value, f"{ends}low": self.low, f"{ends}high": self.high}


NONE = Estimate(np.nan, None, None)  # in the place of an estimate that does not exist
