"""What a law is: an equation that is linear in some of its parameters once the others are fixed.

eta = sum_j beta_j phi_j(columns; theta), and y = eta or y = 10^eta. For fixed theta the beta follow by linear least
squares (variable projection), so a search over starts has as many dimensions as there are theta: none to two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.laws.sample import Floats, Integers

LN10 = float(np.log(10.0))
Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Explanatory variables of some rows, with the reference values the solver divides by."""

    values: Mapping[str, Floats]  # by role
    reference: Mapping[str, float]  # by role; powers are (x / reference)^p, so that their coefficients stay near y
    group: Integers  # index of each row's group among the training groups; -1 for a group not among them
    n_groups: int  # training groups

    def log_ratio(self, role: str) -> Floats:
        """Natural logarithm of values over their reference."""
        return np.asarray(np.log(self.values[role] / self.reference[role]), dtype=np.float64)

    def power(self, role: str, exponent: Floats) -> Floats:
        """(x / reference)^-exponent: draws x rows."""
        return np.asarray(np.exp(-exponent[:, None] * self.log_ratio(role)[None, :]), dtype=np.float64)


class Parameter(NamedTuple):
    """A parameter as it is reported."""

    name: str  # symbol of the source
    unit: str  # of the reported number; `x`, `n`, ... stand for the unit of that column, `y` for that of the response
    bounds: Bounds | Callable[[Columns, Floats], Bounds]  # the range, or how it follows from training columns and y
    log: bool = False  # whether the solver works on its logarithm (a scale: N0, C_mid)
    limit: bool = False  # whether it is the value at infinite x, which data that stop early do not determine


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """An equation with its parameters; pure functions of their arguments."""

    name: str  # on the command line
    equation: str  # as people read it
    source: str  # paper
    roles: tuple[str, ...]  # columns needed, in the order of the command line
    log10: bool  # whether y = 10^eta; else y = eta
    theta: tuple[Parameter, ...]  # non-linear parameters, at most two
    beta: tuple[Parameter, ...]  # linear parameters; with `level_per_group`, E[group] of each group follows
    # (theta draws x n_theta, columns) -> draws x rows x n_beta, without the levels of groups
    basis: Callable[[Floats, Columns], Floats]
    # (theta, beta, columns) -> d eta / d theta, draws x rows x n_theta
    slopes: Callable[[Floats, Floats, Columns], Floats]
    # (theta, beta, columns, sign) -> beta, levels of groups last, with references put in (sign +1) or taken out (-1)
    shift: Callable[[Floats, Floats, Columns, int], Floats]
    level_per_group: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Non-linear, then linear ones, without the levels of groups."""
        return (*self.theta, *self.beta)


def around(role: str, below: float, above: float) -> Callable[[Columns, Floats], Bounds]:
    """From `below` times the smallest to `above` times the largest training value of a column."""
    return lambda columns, _: (float(columns.values[role].min()) * below, float(columns.values[role].max()) * above)


def share(_columns: Columns, y: Floats) -> Bounds:
    """[0, 1] if all responses are shares, else unbounded."""
    return (0.0, 1.0) if np.all((y >= 0) & (y <= 1)) else (-np.inf, np.inf)


def floor_range(_columns: Columns, y: Floats) -> Bounds:
    """A limit of a loss: not below 0; not above 1 if all responses are shares."""
    return (0.0, 1.0) if np.all((y >= 0) & (y <= 1)) else (0.0 if np.all(y >= 0) else -np.inf, np.inf)
