"""The forms on offer. `docs/laws.md` has the same list with what each is good for."""

import numpy as np

from analysis.laws.form import LN10, Columns, Form, Link, Parameter, around, fixed_bounds, floor_range, share
from analysis.laws.sample import Floats, LawError


def _power(columns: Columns, role: str, exponent: Floats) -> Floats:
    """(x / reference)^-exponent: draws x rows."""
    return np.asarray(np.exp(-exponent[:, None] * columns.log_ratio(role)[None, :]), dtype=np.float64)


def _ones(theta: Floats, columns: Columns) -> Floats:
    return np.ones((len(theta), len(columns.group)))


def _no_slopes(theta: Floats, _beta: Floats, columns: Columns) -> Floats:
    return np.empty((len(theta), len(columns.group), 0))


def _no_shift(_theta: Floats, beta: Floats, _columns: Columns, _sign: int) -> Floats:
    return beta


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

# --- plain power law


def _line_basis(theta: Floats, columns: Columns) -> Floats:
    ones = _ones(theta, columns)
    return np.stack([ones / LN10, -ones * (columns.log_ratio("x") / LN10)], axis=-1)


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
    slopes=_no_slopes,
    shift=_line_shift,
)

# --- power law with floor


def _floor_basis(theta: Floats, columns: Columns) -> Floats:
    return np.stack([_ones(theta, columns), _power(columns, "x", theta[:, 0])], axis=-1)


def _floor_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    return np.asarray(-beta[:, 1:2] * _power(columns, "x", theta[:, 0]) * columns.log_ratio("x"))[..., None]


def _floor_shift(theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
    moved = beta.copy()
    moved[:, 1] *= np.exp(sign * theta[:, 0] * np.log(columns.reference["x"]))
    return moved


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
    shift=_floor_shift,
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
    shift=_no_shift,
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
    shift=_no_shift,
)

# --- Chinchilla


def _chinchilla_basis(theta: Floats, columns: Columns) -> Floats:
    return np.stack(
        [_ones(theta, columns), _power(columns, "n", theta[:, 0]), _power(columns, "d", theta[:, 1])], axis=-1
    )


def _chinchilla_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    by_alpha = -beta[:, 1:2] * _power(columns, "n", theta[:, 0]) * columns.log_ratio("n")
    by_beta = -beta[:, 2:3] * _power(columns, "d", theta[:, 1]) * columns.log_ratio("d")
    return np.stack([by_alpha, by_beta], axis=-1)


def _chinchilla_shift(theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
    moved = beta.copy()
    moved[:, 1] *= np.exp(sign * theta[:, 0] * np.log(columns.reference["n"]))
    moved[:, 2] *= np.exp(sign * theta[:, 1] * np.log(columns.reference["d"]))
    return moved


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
    shift=_chinchilla_shift,
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
    return np.stack([_ones(theta, columns), effective ** -theta[:, 1:2]], axis=-1)


def _reuse_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    effective, by_r = _effective(theta, columns)
    part = beta[:, 1:2] * effective ** -theta[:, 1:2]
    return np.stack([-theta[:, 1:2] * part / effective * by_r, -part * np.log(effective)], axis=-1)


def _reuse_shift(theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
    moved = beta.copy()
    moved[:, 1] *= np.exp(sign * theta[:, 1] * np.log(columns.reference["unique"]))
    return moved


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
    shift=_reuse_shift,
)

FORMS = {
    form.name: form for form in (KN_LOGLINEAR, SIGMOID, POWER_FLOOR, CHINCHILLA, EXP_SATURATION, POWER, DATA_REUSE)
}
# Of one curve: what ranking compares. The log-linear law of one curve is the plain power law.
ZOO = (POWER, POWER_FLOOR, SIGMOID, EXP_SATURATION)


def form_named(name: str) -> Form:
    """A form of the catalogue.

    Raises:
        LawError: there is none of this name.
    """
    if name not in FORMS:
        raise LawError(f"--law is {name!r} - use one of {', '.join(FORMS)}")
    return FORMS[name]
