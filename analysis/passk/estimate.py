"""A number with its interval."""

from typing import NamedTuple

import numpy as np

LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean with the ends of its interval; `low` and `high` are None where none can be computed."""

    value: float
    low: float | None
    high: float | None


NONE = Estimate(np.nan, None, None)  # in the place of an estimate that does not exist
