"""Forms of two variables: compute or data with model size, size with data, data with reuse."""

import numpy as np

from analysis.laws.basis import no_slopes, ones, power, rescaled
from analysis.laws.form import LN10, Columns, Form, Link, Parameter, around, fixed_bounds, floor_range
from analysis.laws.sample import Floats

# --- log-linear with a slope that saturates in model size


def _saturation(theta: Floats, columns: Columns) -> Floats:
    return np.asarray(1.0 / (1.0 + theta[:, :1] / columns.values["n"][None, :]), dtype=np.float64)


def _kn_basis(theta: Floats, columns: Columns) -> Floats:
    return (-_saturation(theta, columns) * (columns.log_ratio("x") / LN10))[..., None]


def _kn_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    k = _saturation(theta, columns)
    # d k / d ln N0 = -k (1 - k); the solver's coordinate is ln N0, so the slope here is per N0.
    by_scale = beta[:, :1] * k * (1 - k) * (columns.log_ratio("x") / LN10) / theta[:, :1]
    return by_scale[..., None]


def _kn_shift(theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
    sizes = np.array([columns.values["n"][columns.group == i][0] for i in range(columns.n_groups)])
    k = beta[:, :1] / (1.0 + theta[:, :1] / sizes[None, :])
    moved = beta.copy()
    moved[:, 1:] += sign * k * np.log10(columns.reference["x"])
    return moved


KN_LOGLINEAR = Form(
    name="kn_loglinear",
    equation="log10 L = -k(N) log10 x + E(N),  k(N) = K_max / (1 + N0 / N)",
    source="arXiv 2509.25300, x = compute (FLOPs) or data (samples); N = the numeric group",
    roles=("x", "n"),
    link=Link.log10,
    theta=(
        Parameter(
            name="N0",
            unit="n",
            meaning="model size at half of K_max",
            bounds=around("n", 0.01, 100.0),
            log=True,
        ),
    ),
    beta=(
        Parameter(name="K_max", unit="1", meaning="slope of an infinitely large model", bounds=fixed_bounds(0.0, 2.0)),
    ),
    basis=_kn_basis,
    slopes=_kn_slopes,
    shift=_kn_shift,
    level_per_group=True,
)

# --- plain power law in size and data


def _plane_basis(theta: Floats, columns: Columns) -> Floats:
    level = ones(theta, columns) / LN10
    return np.stack([level, -level * columns.log_ratio("n"), -level * columns.log_ratio("d")], axis=-1)


def _plane_shift(_theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
    moved = beta.copy()
    for place, role in ((1, "n"), (2, "d")):
        moved[:, 0] += sign * beta[:, place] * np.log(columns.reference[role])
    return moved


ANY = fixed_bounds(-np.inf, np.inf)
POWER_ND = Form(
    name="power_nd",
    equation="ln y = ln_A - alpha ln N - beta ln D",
    source="plain power law in size and data, y = A N^-alpha D^-beta: no floor, one slope in data",
    roles=("n", "d"),
    link=Link.log10,
    theta=(),
    beta=(
        Parameter(name="ln_A", unit="ln y", meaning="ln y at N = D = 1", bounds=ANY),
        Parameter(name="alpha", unit="1", meaning="exponent of size, positive where y falls", bounds=ANY),
        Parameter(name="beta", unit="1", meaning="exponent of data, positive where y falls", bounds=ANY),
    ),
    basis=_plane_basis,
    slopes=no_slopes,
    shift=_plane_shift,
)

# --- Chinchilla


def _chinchilla_basis(theta: Floats, columns: Columns) -> Floats:
    return np.stack([ones(theta, columns), power(columns, "n", theta[:, 0]), power(columns, "d", theta[:, 1])], axis=-1)


def _chinchilla_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    by_alpha = -beta[:, 1:2] * power(columns, "n", theta[:, 0]) * columns.log_ratio("n")
    by_beta = -beta[:, 2:3] * power(columns, "d", theta[:, 1]) * columns.log_ratio("d")
    return np.stack([by_alpha, by_beta], axis=-1)


POSITIVE = fixed_bounds(0.0, np.inf)
CHINCHILLA = Form(
    name="chinchilla",
    equation="y = E + A / N^alpha + B / D^beta",
    source="Hoffmann et al. 2203.15556, approach 3; refitted by Besiroglu et al. 2404.10102",
    roles=("n", "d"),
    link=Link.identity,
    theta=(
        Parameter(name="alpha", unit="1", meaning="exponent of size", bounds=fixed_bounds(0.01, 3.0)),
        Parameter(name="beta", unit="1", meaning="exponent of data", bounds=fixed_bounds(0.01, 3.0)),
    ),
    beta=(
        Parameter(name="E", unit="y", meaning="irreducible loss", bounds=POSITIVE),
        Parameter(name="A", unit="y n^alpha", meaning="coefficient of size", bounds=POSITIVE),
        Parameter(name="B", unit="y d^beta", meaning="coefficient of data", bounds=POSITIVE),
    ),
    basis=_chinchilla_basis,
    slopes=_chinchilla_slopes,
    shift=rescaled((1, 0, "n"), (2, 1, "d")),
)

# --- data reuse


def _effective(theta: Floats, columns: Columns) -> tuple[Floats, Floats]:
    """(D_eff over the reference of `unique`, its derivative by r): draws x rows."""
    r, repeats = theta[:, :1], columns.values["tau"][None, :] - 1.0
    e = np.exp(-repeats / r)
    unique = columns.ratio("unique")[None, :]
    return unique * (1.0 + r * (1.0 - e)), unique * (1.0 - e - e * repeats / r)


def _reuse_basis(theta: Floats, columns: Columns) -> Floats:
    effective, _ = _effective(theta, columns)
    return np.stack([ones(theta, columns), effective ** -theta[:, 1:2]], axis=-1)


def _reuse_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    effective, by_r = _effective(theta, columns)
    part = beta[:, 1:2] * effective ** -theta[:, 1:2]
    return np.stack([-theta[:, 1:2] * part / effective * by_r, -part * np.log(effective)], axis=-1)


DATA_REUSE = Form(
    name="data_reuse",
    equation="y = E + B D_eff^-beta,  D_eff = U (1 + r (1 - exp(-(tau - 1) / r)))",
    source="Muennighoff et al. 2305.16264; U unique samples, each seen tau times",
    roles=("unique", "tau"),
    link=Link.identity,
    theta=(
        Parameter(
            name="r",
            unit="repetitions",
            meaning="repeats after which a further one adds 1/e of a new sample",
            bounds=fixed_bounds(0.01, 1e4),
            log=True,
        ),
        Parameter(name="beta", unit="1", meaning="exponent of data", bounds=fixed_bounds(0.01, 3.0)),
    ),
    beta=(
        Parameter(name="E", unit="y", meaning="irreducible loss", bounds=floor_range),
        Parameter(name="B", unit="y unique^beta", meaning="coefficient of data", bounds=POSITIVE),
    ),
    basis=_reuse_basis,
    slopes=_reuse_slopes,
    shift=rescaled((1, 1, "unique")),
)
