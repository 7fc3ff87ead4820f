"""Durations and bytes as people read them."""

import pytest

from sweeper.host.amounts import between, duration, hours, size


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


@pytest.mark.parametrize(("value", "text"), [(0.0416, "0.04"), (42.3, "42.30"), (5495.4, "5,495")])
def test_hours_that_are_compared_have_two_decimals_up_to_a_hundred(value: float, text: str) -> None:
    assert hours(value) == text


@pytest.mark.parametrize(
    ("ends", "text"), [((0.934, 11.4), "0.93 to 11"), ((13.04, 163.2), "13 to 160"), ((1099, 13737), "1,100 to 14,000")]
)
def test_a_range_has_two_digits_of_each_end(ends: tuple[float, float], text: str) -> None:
    assert between(*ends) == text
