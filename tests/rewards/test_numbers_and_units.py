"""Numbers, powers and units are read alike by the scorers of mathematics, of STEM answers and of tables."""

# ruff: noqa: RUF001 - look-alike characters are what some of these answers are about
from fractions import Fraction

import pytest

from rewards.math.reading.unit import parse_unit
from tests.rewards.labelled import is_right

_MATH, _STEM, _TABLE = "math__dapo", "stem__web", "table__hitab"


def _box(source: str, answer: str, gold: str) -> bool:
    return is_right(source, f"So \\boxed{{{answer}}}.", gold)


@pytest.mark.parametrize(
    ("answer", "gold"),
    [("1012", "101₂"), ("101₂", "1012"), ("25", "2⁵"), ("2⁵", "25"), ("103", "10³"), ("10³", "103"), ("13", "1⁻³")],
)
@pytest.mark.parametrize("source", [_MATH, _STEM, _TABLE])
def test_a_raised_or_lowered_digit_is_no_further_digit(source: str, answer: str, gold: str) -> None:
    assert not _box(source, answer, gold)


@pytest.mark.parametrize(("answer", "gold"), [("10³", "1000"), ("10^{3}", "10³"), ("3×10⁸", "300000000")])
@pytest.mark.parametrize("source", [_MATH, _STEM, _TABLE])
def test_a_raised_digit_is_an_exponent(source: str, answer: str, gold: str) -> None:
    assert _box(source, answer, gold)


@pytest.mark.parametrize(("answer", "gold"), [("CO₂", "CO2"), ("CO2", "CO₂"), ("H₂O vapour", "H2O vapour")])
@pytest.mark.parametrize("source", [_STEM, _TABLE])
def test_an_index_of_a_name_may_be_written_as_a_digit(source: str, answer: str, gold: str) -> None:
    assert _box(source, answer, gold)


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        (r"18\text{ km/h}", r"5\text{ m/s}"),
        (r"1000\text{ J}", r"1\text{ kJ}"),
        (r"50\text{ cents}", r"0.5\text{ dollars}"),
        (r"2\text{ years}", r"24\text{ months}"),
        (r"5\text{ m}", r"500\text{ cm}"),
        (r"2\text{ hours}", r"120\text{ minutes}"),
        (r"3\text{ square meters}", r"3\text{ m}^2"),
        (r"3\text{ sq cm}", r"3\text{ cm}^2"),
        (r"60\text{ mph}", r"60\text{ miles per hour}"),
        (r"36\text{ kmh}", r"10\text{ m/s}"),
        (r"7\text{ apples}", r"7\text{ apple}"),
        (r"1.5\text{ kWh}", r"1.5\text{ kWh}"),
    ],
)
@pytest.mark.parametrize("source", [_MATH, _STEM])
def test_the_same_quantity_in_another_unit_is_right(source: str, answer: str, gold: str) -> None:
    assert _box(source, answer, gold)


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        (r"5\text{ mW}", r"5\text{ MW}"),
        (r"5\text{ Mm}", r"5\text{ mm}"),
        (r"5\text{ cm}", r"5\text{ m}"),
        (r"5\text{ m}", r"5\text{ m}^2"),
        (r"5\text{ km/h}", r"5\text{ m/s}"),
        (r"5\text{ dollars}", r"5\text{ cents}"),
        (r"5\text{ seconds}", r"5\text{ meters}"),
        (r"5\text{ rad}", r"5\text{ degrees}"),
        (r"3\text{ pm}", r"3\text{ am}"),
    ],
)
@pytest.mark.parametrize("source", [_MATH, _STEM])
def test_the_same_number_of_another_unit_is_wrong(source: str, answer: str, gold: str) -> None:
    assert not _box(source, answer, gold)


def test_a_known_unit_has_an_exact_size() -> None:
    for one, other, factor in [
        ("km/h", "m/s", Fraction(5, 18)),
        ("ft", "inch", Fraction(12)),
        ("°F", "K", Fraction(5, 9)),
    ]:
        left, right = parse_unit(one), parse_unit(other)
        assert left is not None
        assert right is not None
        assert left.factor / right.factor == factor


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("12 345", "12345"),
        (r"12\;345", "12,345"),
        ("12~345", "12345"),
        (r"12,\!345", "12345"),
        ("12{,}345", "12 345"),
        ("₹500", "500"),
        ("Rs. 500", "500"),
        ("around 5", "5"),
        (r"\approx 5", "5"),
        ("3 dozen", "36"),
        ("2.5 million", "2,500,000"),
    ],
)
@pytest.mark.parametrize("source", [_MATH, _STEM, _TABLE])
def test_a_number_is_the_same_however_it_is_written(source: str, answer: str, gold: str) -> None:
    assert _box(source, answer, gold)


@pytest.mark.parametrize(("answer", "gold"), [("US$5", "$5"), (r"A\$5", "5"), ("€5", "5"), ("5 GBP", "£5")])
@pytest.mark.parametrize("source", [_MATH, _STEM])
def test_the_sign_of_a_currency_is_no_part_of_a_number(source: str, answer: str, gold: str) -> None:
    assert _box(source, answer, gold)


@pytest.mark.parametrize(("answer", "gold"), [("0,123", "123"), ("12 345", "12"), ("A$", "5"), ("5k", "5")])
@pytest.mark.parametrize("source", [_MATH, _STEM, _TABLE])
def test_groups_of_digits_and_names_are_not_dropped(source: str, answer: str, gold: str) -> None:
    assert not _box(source, answer, gold)
