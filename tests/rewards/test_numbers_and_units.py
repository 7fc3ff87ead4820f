"""Numbers, powers and units are read alike by the scorers of mathematics, of STEM answers and of tables."""

# ruff: noqa: RUF001 - look-alike characters are what some of these answers are about
import pytest

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
