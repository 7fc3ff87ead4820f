"""Pieces that several forms share."""

from collections.abc import Callable

import numpy as np

from analysis.laws.form import Columns
from analysis.laws.sample import Floats


def power(columns: Columns, role: str, exponent: Floats) -> Floats:
    """(x / reference)^-exponent: draws x rows."""
    return np.asarray(np.exp(-exponent[:, None] * columns.log_ratio(role)[None, :]), dtype=np.float64)


def ones(theta: Floats, columns: Columns) -> Floats:
    """A constant: draws x rows."""
    return np.ones((len(theta), len(columns.group)))


def no_slopes(theta: Floats, _beta: Floats, columns: Columns) -> Floats:
    """Of a form without non-linear parameters."""
    return np.empty((len(theta), len(columns.group), 0))


def rescaled(*powers: tuple[int, int, str]) -> Callable[[Floats, Floats, Columns, int], Floats]:
    """The shift of a form whose terms are powers: (linear parameter, its exponent in theta, role) of each."""

    def shift(theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
        moved = beta.copy()
        for coefficient, exponent, role in powers:
            moved[:, coefficient] *= np.exp(sign * theta[:, exponent] * np.log(columns.reference[role]))
        return moved

    return shift


def no_shift(_theta: Floats, beta: Floats, _columns: Columns, _sign: int) -> Floats:
    """Of a form whose parameters do not depend on references."""
    return beta
