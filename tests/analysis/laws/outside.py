"""Published points, where they can be reached; none of them is part of the project."""

import pandas as pd

from tests.outside import needs, published

DATA = published("LAW_DATA")
needs_data = needs(DATA / "chinchilla", "LAW_DATA")


def points(name: str) -> pd.DataFrame:
    """A file of the folder."""
    return pd.read_csv(DATA / name)
