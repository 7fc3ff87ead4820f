"""Published points, where they can be reached; none of them is part of the project."""

import os
from pathlib import Path

import pandas as pd
import pytest

DATA = Path(os.environ.get("LAW_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_data = pytest.mark.skipif(
    not (DATA / "chinchilla").is_dir(),
    reason="no published points: set LAW_DATA to a folder with chinchilla/ and others",
)


def points(name: str) -> pd.DataFrame:
    """A file of the folder."""
    return pd.read_csv(DATA / name)
