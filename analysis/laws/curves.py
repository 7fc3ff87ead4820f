"""Forms of one variable x: what a single run, or runs of one size, can be described by."""

import numpy as np

from analysis.laws.basis import no_shift, no_slopes, ones, power, rescaled
from analysis.laws.form import LN10, Columns, Form, Link, Parameter, around, fixed_bounds, floor_range, share
from analysis.laws.sample import Floats

# --- plain power law


def _line_basis(theta: Floats, columns: Columns) -> Floats:
    level = ones(theta, columns)
    return np.stack([level / LN10, -level * (columns.log_ratio("x") / LN10)], axis=-1)


def _line_shift(_theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
    moved = beta.copy()
    moved[:, 0] += sign * beta[:, 1] * np.log(columns.reference["x"])
    return moved


POWER = Form(
    name="power",
    equation="ln y = ln_A - alpha ln x",
    source="plain power law y = A x^-alpha; with x = compute and y = N* the exponent of Hoffmann approach 1 is -alpha",
    roles=("x",),
    link=Link.log10,
    theta=(),
    beta=(
        Parameter(name="ln_A", unit="ln y", meaning="ln y at x = 1", bounds=fixed_bounds(-np.inf, np.inf)),
        Parameter(
            name="alpha", unit="1", meaning="exponent, positive where y falls", bounds=fixed_bounds(-np.inf, np.inf)
        ),
    ),
    basis=_line_basis,
    slopes=no_slopes,
    shift=_line_shift,
)

# --- power law with floor


def _floor_basis(theta: Floats, columns: Columns) -> Floats:
    return np.stack([ones(theta, columns), power(columns, "x", theta[:, 0])], axis=-1)


def _floor_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    return np.asarray(-beta[:, 1:2] * power(columns, "x", theta[:, 0]) * columns.log_ratio("x"))[..., None]


POWER_FLOOR = Form(
    name="power_floor",
    equation="y = L_inf + A x^-alpha",
    source="power law with an irreducible part; arXiv 2010.14701 and later",
    roles=("x",),
    link=Link.identity,
    theta=(Parameter(name="alpha", unit="1", meaning="exponent", bounds=fixed_bounds(1e-3, 5.0)),),
    beta=(
        Parameter(name="L_inf", unit="y", meaning="value at infinite x", bounds=floor_range),
        Parameter(name="A", unit="y x^alpha", meaning="reducible part at x = 1", bounds=fixed_bounds(-np.inf, np.inf)),
    ),
    basis=_floor_basis,
    slopes=_floor_slopes,
    shift=rescaled((1, 0, "x")),
)

# --- sigmoid in compute


def _logistic(theta: Floats, columns: Columns) -> Floats:
    """1 / (1 + (C_mid / x)^B)."""
    z = theta[:, 1:2] * (columns.log_ratio("x") + np.log(columns.reference["x"]) - np.log(theta[:, :1]))
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)), dtype=np.float64)  # no overflow at either end


def _sigmoid_basis(theta: Floats, columns: Columns) -> Floats:
    s = _logistic(theta, columns)
    return np.stack([1.0 - s, s], axis=-1)


def _sigmoid_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    s = _logistic(theta, columns)
    rise = (beta[:, 1:2] - beta[:, :1]) * s * (1.0 - s)
    distance = columns.log_ratio("x") + np.log(columns.reference["x"]) - np.log(theta[:, :1])
    return np.stack([-rise * theta[:, 1:2] / theta[:, :1], rise * distance], axis=-1)


SIGMOID = Form(
    name="sigmoid",
    equation="y = R0 + (A - R0) / (1 + (C_mid / x)^B)",
    source="ScaleRL, arXiv 2510.13786, x = compute, y = pass rate",
    roles=("x",),
    link=Link.identity,
    theta=(
        Parameter(
            name="C_mid",
            unit="x",
            meaning="x at half of the rise",
            bounds=around("x", 0.01, 100.0),
            log=True,
        ),
        Parameter(name="B", unit="1", meaning="steepness", bounds=fixed_bounds(0.05, 20.0)),
    ),
    beta=(
        Parameter(name="R0", unit="y", meaning="value at x = 0", bounds=share),
        Parameter(name="A", unit="y", meaning="ceiling, value at infinite x", bounds=share, limit=True),
    ),
    basis=_sigmoid_basis,
    slopes=_sigmoid_slopes,
    shift=no_shift,
)

# --- exponential saturation


def _decay(theta: Floats, columns: Columns) -> Floats:
    return np.asarray(np.exp(-columns.values["x"][None, :] / theta[:, :1]), dtype=np.float64)


def _decay_basis(theta: Floats, columns: Columns) -> Floats:
    e = _decay(theta, columns)
    return np.stack([e, 1.0 - e], axis=-1)


def _decay_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    e = _decay(theta, columns)
    return np.asarray((beta[:, :1] - beta[:, 1:2]) * e * columns.values["x"] / theta[:, :1] ** 2)[..., None]


EXP_SATURATION = Form(
    name="exp_saturation",
    equation="y = A - (A - R0) exp(-x / x0)",
    source="exponential saturation, the form arXiv 2507.18014 ends with",
    roles=("x",),
    link=Link.identity,
    theta=(
        Parameter(
            name="x0",
            unit="x",
            meaning="x after which the distance to A is down to 1/e",
            bounds=around("x", 0.1, 1000.0),
            log=True,
        ),
    ),
    beta=(
        Parameter(name="R0", unit="y", meaning="value at x = 0", bounds=share),
        Parameter(name="A", unit="y", meaning="value at infinite x", bounds=share, limit=True),
    ),
    basis=_decay_basis,
    slopes=_decay_slopes,
    shift=no_shift,
)
