"""Durations and bytes as people read them."""

import pytest

from sweeper.host.amounts import duration, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (200.0, "3m20s"),
        (3599.6, "1h00m"),
        (18420.0, "5h07m"),
        (86399.6, "1d00h"),
        (273600.0, "3d04h"),
    ],
)
def test_a_duration_has_two_units_and_never_sixty_of_one(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0 B"), (640, "640 B"), (12_300, "12 kB"), (1_940_000, "1.9 MB"), (74.8e9, "74.8 GB"), (8.5e12, "8.5 TB")],
)
def test_bytes_are_in_decimal_units(n: float, text: str) -> None:
    assert size(n) == text
