"""Rows that mislead: held-out rows stay unseen, coefficients need exponents, and what is odd is said."""

import numpy as np
import pytest

from analysis import cli
from analysis.laws.covariance import _over_lags
from analysis.laws.estimate import Estimate, Status, without_exponents
from analysis.laws.oddities import oddities
from analysis.laws.sample import Sample


def said(y: np.ndarray, **columns: np.ndarray) -> str:
    return "; ".join(oddities(Sample(columns=columns, y=y)))


@pytest.mark.parametrize(
    "y",
    [
        "avg(y) over (order by x rows between 3 preceding and 3 following)",
        "lag(y) OVER w",
        "y - (select min(y) from rows)",
    ],
)
def test_a_column_that_looks_at_other_rows_is_refused_where_rows_are_held_out(y, tmp_path, capsys) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n" + "\n".join(f"{x},{1 + 3 / x}" for x in range(1, 20)))
    arguments = ["fit", str(path), "--law", "power_floor", "--x", "x", "--y", y]
    assert cli.main([*arguments, "--holdout", "x > 15"]) == 2
    assert "looks at other rows" in capsys.readouterr().err


def test_the_sum_over_lags_needs_no_matrix_of_rows_by_rows() -> None:
    pull = np.random.default_rng(0).normal(size=(60, 3))
    lags = np.abs(np.subtract.outer(np.arange(60), np.arange(60)))
    for rho in (0.0, 0.4, 0.97):
        assert _over_lags(pull, rho) == pytest.approx(pull.T @ (rho**lags) @ pull, rel=1e-12, abs=1e-12)
    assert _over_lags(np.ones((200_000, 2)), 0.5).shape == (2, 2)  # 320 GB as a matrix


def test_a_coefficient_without_its_exponent_is_no_number() -> None:
    def item(name: str, unit: str, status: Status) -> Estimate:
        value = 1.0 if status is Status.ok else None
        return Estimate(name=name, unit=unit, value=value, interval=None, others=(), status=status)

    alpha, a = item("alpha", "1", Status.at_bound), item("A", "y n^alpha", Status.ok)
    beta, b = item("beta", "1", Status.ok), item("B", "y d^beta", Status.ok)
    found = {one.name: one for one in without_exponents([alpha, a, beta, b])}
    assert found["A"].value is None
    assert found["A"].reason == "its unit is y n^alpha, and alpha is no number"
    assert found["B"].value == 1.0


def test_columns_that_move_together_are_said() -> None:
    n = np.geomspace(1e8, 1e10, 9)
    y = 2 + n**-0.3
    assert "log n and log d correlate 1.00" in said(y, n=n, d=20 * n)
    assert not said(y, n=n, d=np.array([3, 1, 2] * 3) * 1e9)


def test_mixed_units_percent_among_fractions_and_a_zero_loss_are_said() -> None:
    x = np.geomspace(1, 100, 20)
    assert "two units" in said(x, x=np.array([0.5, 1.5, 72.0, 7e9] * 5))
    assert "percent among fractions" in said(np.array([0.3, 0.4] * 5 + [35.0, 44.0] * 5), x=x)
    assert "1 - y of a percentage" in said(1 - np.linspace(20, 90, 20), x=x)
    assert "1 of 20 rows have --y of 0" in said(np.append(np.linspace(3, 2, 19), 0.0), x=x)
    assert not said(np.linspace(3, 2, 20), x=x)


def test_small_errors_are_not_written_as_zeros() -> None:
    from analysis.laws.rendering import _off

    assert [_off(value, "+") for value in (0.01234, -2.5e-8, 0.0)] == ["+0.0123", "-2.5e-08", "+0.0000"]
