"""The forms on offer. `docs/laws.md` has the same list with units and sources."""

from collections.abc import Callable

import numpy as np

from analysis.laws.form import LN10, Columns, Form, Parameter, around, floor_range, share
from analysis.laws.sample import Floats, LawError

ANY = (-np.inf, np.inf)
POSITIVE = (0.0, np.inf)


# --- products of powers: ln y is linear in ln of each column


def _product(name: str, equation: str, source: str, exponents: dict[str, str]) -> Form:
    """Of the columns with these names of exponents, which are positive where y falls; ln_A is ln y where all are 1."""

    def basis(theta: Floats, columns: Columns) -> Floats:
        level = _ones(theta, columns) / LN10
        return np.stack([level, *(-level * columns.log_ratio(role) for role in exponents)], axis=-1)

    def slopes(theta: Floats, _beta: Floats, columns: Columns) -> Floats:
        return np.empty((len(theta), len(columns.group), 0))

    def shift(_theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
        moved = beta.copy()
        for place, role in enumerate(exponents, 1):
            moved[:, 0] += sign * beta[:, place] * np.log(columns.reference[role])
        return moved

    return Form(
        name=name,
        equation=equation,
        source=source,
        roles=tuple(exponents),
        log10=True,
        theta=(),
        beta=(Parameter("ln_A", "ln y", ANY), *(Parameter(symbol, "1", ANY) for symbol in exponents.values())),
        basis=basis,
        slopes=slopes,
        shift=shift,
    )


def _ones(theta: Floats, columns: Columns) -> Floats:
    return np.ones((len(theta), len(columns.group)))


POWER = _product(
    "power",
    "ln y = ln_A - alpha ln x",
    "plain power law y = A x^-alpha; with x = compute and y = N* the exponent of Hoffmann approach 1 is -alpha",
    {"x": "alpha"},
)
POWER_ND = _product(
    "power_nd",
    "ln y = ln_A - alpha ln N - beta ln D",
    "plain power law in size and data, y = A N^-alpha D^-beta: no floor, one slope in data",
    {"n": "alpha", "d": "beta"},
)
POWER_NDX = _product(
    "power_ndx",
    "ln y = ln_A - alpha ln N - beta ln D - gamma ln x",
    "plain product of powers in size, data (or turns) and compute",
    {"n": "alpha", "d": "beta", "x": "gamma"},
)


# --- a floor and a power of each column


def _sum(
    name: str, equation: str, source: str, floor: Parameter, terms: dict[str, tuple[Parameter, Parameter]]
) -> Form:
    """Of a floor and, by column, a power with its exponent and its coefficient (the term where the column is 1)."""

    def basis(theta: Floats, columns: Columns) -> Floats:
        powers = [columns.power(role, theta[:, j]) for j, role in enumerate(terms)]
        return np.stack([_ones(theta, columns), *powers], axis=-1)

    def slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
        each = [
            -beta[:, j + 1 : j + 2] * columns.power(role, theta[:, j]) * columns.log_ratio(role)
            for j, role in enumerate(terms)
        ]
        return np.stack(each, axis=-1)

    return Form(
        name=name,
        equation=equation,
        source=source,
        roles=tuple(terms),
        log10=False,
        theta=tuple(exponent for exponent, _ in terms.values()),
        beta=(floor, *(coefficient for _, coefficient in terms.values())),
        basis=basis,
        slopes=slopes,
        shift=_rescaled(*((j + 1, j, role) for j, role in enumerate(terms))),
    )


def _rescaled(*powers: tuple[int, int, str]) -> Callable[[Floats, Floats, Columns, int], Floats]:
    """The shift of terms that are powers: (linear parameter, its exponent in theta, role) of each."""

    def shift(theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
        moved = beta.copy()
        for coefficient, exponent, role in powers:
            moved[:, coefficient] *= np.exp(sign * theta[:, exponent] * np.log(columns.reference[role]))
        return moved

    return shift


POWER_FLOOR = _sum(
    "power_floor",
    "y = L_inf + A x^-alpha",
    "power law with an irreducible part; arXiv 2010.14701 and later",
    Parameter("L_inf", "y", floor_range),
    {"x": (Parameter("alpha", "1", (1e-3, 5.0)), Parameter("A", "y x^alpha", ANY))},
)
CHINCHILLA = _sum(
    "chinchilla",
    "y = E + A / N^alpha + B / D^beta",
    "Hoffmann et al. 2203.15556, approach 3; refitted by Besiroglu et al. 2404.10102",
    Parameter("E", "y", POSITIVE),
    {
        "n": (Parameter("alpha", "1", (0.01, 3.0)), Parameter("A", "y n^alpha", POSITIVE)),
        "d": (Parameter("beta", "1", (0.01, 3.0)), Parameter("B", "y d^beta", POSITIVE)),
    },
)


# --- a rise from R0 at x = 0 to A at infinite x


def _rise(
    name: str,
    equation: str,
    source: str,
    theta: tuple[Parameter, ...],
    risen: Callable[[Floats, Floats], tuple[Floats, list[Floats]]],
) -> Form:
    """By a share of the way and its slopes by theta (draws x rows) at some theta and x."""

    def basis(theta: Floats, columns: Columns) -> Floats:
        s, _ = risen(theta, columns.values["x"])
        return np.stack([1.0 - s, s], axis=-1)

    def slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
        _, each = risen(theta, columns.values["x"])
        return np.asarray((beta[:, 1] - beta[:, 0])[:, None, None] * np.stack(each, axis=-1))

    return Form(
        name=name,
        equation=equation,
        source=source,
        roles=("x",),
        log10=False,
        theta=theta,
        beta=(Parameter("R0", "y", share), Parameter("A", "y", share, limit=True)),
        basis=basis,
        slopes=slopes,
        shift=lambda _theta, beta, _columns, _sign: beta,
    )


def _logistic(theta: Floats, x: Floats) -> tuple[Floats, list[Floats]]:
    distance = np.log(x) - np.log(theta[:, :1])
    s = 0.5 * (1.0 + np.tanh(0.5 * theta[:, 1:2] * distance))  # no overflow at either end
    return s, [-s * (1.0 - s) * theta[:, 1:2] / theta[:, :1], s * (1.0 - s) * distance]


def _saturating(theta: Floats, x: Floats) -> tuple[Floats, list[Floats]]:
    left = np.exp(-x / theta[:, :1])
    return 1.0 - left, [-left * x / theta[:, :1] ** 2]


SIGMOID = _rise(
    "sigmoid",
    "y = R0 + (A - R0) / (1 + (C_mid / x)^B)",
    "ScaleRL, arXiv 2510.13786, x = compute, y = pass rate",
    (Parameter("C_mid", "x", around("x", 0.01, 100.0), log=True), Parameter("B", "1", (0.05, 20.0))),
    _logistic,
)
EXP_SATURATION = _rise(
    "exp_saturation",
    "y = A - (A - R0) exp(-x / x0)",
    "exponential saturation, the form arXiv 2507.18014 ends with",
    (Parameter("x0", "x", around("x", 0.1, 1000.0), log=True),),
    _saturating,
)


# --- log-linear with a slope that saturates in model size: N0 is the size at half of K_max


def _kn_basis(theta: Floats, columns: Columns) -> Floats:
    k = 1.0 / (1.0 + theta[:, :1] / columns.values["n"])
    return (-k * (columns.log_ratio("x") / LN10))[..., None]


def _kn_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    k = 1.0 / (1.0 + theta[:, :1] / columns.values["n"])
    # d k / d ln N0 = -k (1 - k); the solver's coordinate is ln N0, so the slope here is per N0.
    return (beta[:, :1] * k * (1 - k) * (columns.log_ratio("x") / LN10) / theta[:, :1])[..., None]


def _kn_shift(theta: Floats, beta: Floats, columns: Columns, sign: int) -> Floats:
    sizes = np.array([columns.values["n"][columns.group == i][0] for i in range(columns.n_groups)])
    moved = beta.copy()
    moved[:, 1:] += sign * beta[:, :1] / (1.0 + theta[:, :1] / sizes) * np.log10(columns.reference["x"])
    return moved


KN_LOGLINEAR = Form(
    name="kn_loglinear",
    equation="log10 L = -k(N) log10 x + E(N),  k(N) = K_max / (1 + N0 / N)",
    source="arXiv 2509.25300, x = compute (FLOPs) or data (samples); N = the numeric group",
    roles=("x", "n"),
    log10=True,
    theta=(Parameter("N0", "n", around("n", 0.01, 100.0), log=True),),
    beta=(Parameter("K_max", "1", (0.0, 2.0)),),
    basis=_kn_basis,
    slopes=_kn_slopes,
    shift=_kn_shift,
    level_per_group=True,
)


# --- data reuse: after r repeats a further one adds 1/e of a new sample


def _effective(theta: Floats, columns: Columns) -> tuple[Floats, Floats]:
    """(D_eff over the reference of `unique`, its derivative by r): draws x rows."""
    r, repeats = theta[:, :1], columns.values["tau"] - 1.0
    e = np.exp(-repeats / r)
    unique = columns.values["unique"] / columns.reference["unique"]
    return unique * (1.0 + r * (1.0 - e)), unique * (1.0 - e - e * repeats / r)


def _reuse_basis(theta: Floats, columns: Columns) -> Floats:
    effective, _ = _effective(theta, columns)
    return np.stack([_ones(theta, columns), effective ** -theta[:, 1:2]], axis=-1)


def _reuse_slopes(theta: Floats, beta: Floats, columns: Columns) -> Floats:
    effective, by_r = _effective(theta, columns)
    part = beta[:, 1:2] * effective ** -theta[:, 1:2]
    return np.stack([-theta[:, 1:2] * part / effective * by_r, -part * np.log(effective)], axis=-1)


DATA_REUSE = Form(
    name="data_reuse",
    equation="y = E + B D_eff^-beta,  D_eff = U (1 + r (1 - exp(-(tau - 1) / r)))",
    source="Muennighoff et al. 2305.16264; U unique samples, each seen tau times",
    roles=("unique", "tau"),
    log10=False,
    theta=(Parameter("r", "repetitions", (0.01, 1e4), log=True), Parameter("beta", "1", (0.01, 3.0))),
    beta=(Parameter("E", "y", floor_range), Parameter("B", "y unique^beta", POSITIVE)),
    basis=_reuse_basis,
    slopes=_reuse_slopes,
    shift=_rescaled((1, 1, "unique")),
)


FORMS = {
    form.name: form
    for form in (KN_LOGLINEAR, SIGMOID, POWER_FLOOR, CHINCHILLA, EXP_SATURATION, POWER, POWER_ND, POWER_NDX, DATA_REUSE)
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
