"""Published files that are no part of the project: the tests that read them run only where the files are."""

import os
from pathlib import Path

import pytest

# How a reason begins by which the lanes tell such a test from one that was skipped.
ABSENT = "published files that are not here: "


def published(variable: str, *below: str) -> Path:
    """The folder that an environment variable names; else one of `shared/data` beside the checkout."""
    return Path(os.environ.get(variable, Path(__file__).parents[2].joinpath("shared", "data", *below)))


def needs(folder: Path, variable: str) -> pytest.MarkDecorator:
    """Leave a test out where the files it reads are not here."""
    return pytest.mark.skipif(not folder.is_dir(), reason=f"{ABSENT}set {variable}")
