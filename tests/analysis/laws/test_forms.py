"""Every form: exact recovery, derivatives, invariance, and what it refuses."""

import numpy as np
import pytest

from analysis.laws.catalogue import FORMS, KN_LOGLINEAR, POWER, SIGMOID, form_named
from analysis.laws.fitting import Weights, fit
from analysis.laws.losses import L2, LOG_L2, Loss, parse_loss
from analysis.laws.problem import bind
from analysis.laws.sample import Floats, LawError, Sample
from tests.analysis.laws.synthetic import K_MAX, LEVELS, N0, SIZES, X, curve, exp_saturation, kn_sample, power_floor
from tests.analysis.laws.synthetic import sigmoid as sigmoid_curve

LOSSES = [L2, LOG_L2, parse_loss("huber:1e-3"), parse_loss("lad")]


def chinchilla() -> Sample:
    n, d = (item.ravel() for item in np.meshgrid(np.geomspace(1e8, 1e10, 6), np.geomspace(1e9, 1e11, 6)))
    return Sample(columns={"n": n, "d": d}, y=1.8 + 480 * n**-0.35 + 2000 * d**-0.37)


def plane() -> Sample:
    n, d = (item.ravel() for item in np.meshgrid(np.geomspace(1e4, 1e6, 4), np.geomspace(64, 4096, 4)))
    return Sample(columns={"n": n, "d": d}, y=3 * n**-0.1 * d**-0.05)


def space() -> Sample:
    n, d, x = (item.ravel() for item in np.meshgrid(np.geomspace(1e4, 1e6, 4), (1.0, 2, 4), np.geomspace(1e9, 1e12, 3)))
    return Sample(columns={"n": n, "d": d, "x": x}, y=3 * n**-0.1 * d**-0.3 * x**-0.02)


def reuse() -> Sample:
    unique, tau = (item.ravel() for item in np.meshgrid(np.geomspace(100, 1e4, 6), [1.0, 2, 4, 8, 16, 32, 64]))
    effective = unique * (1 + 10 * (1 - np.exp(-(tau - 1) / 10)))
    return Sample(columns={"unique": unique, "tau": tau}, y=0.4 + 2 * effective**-0.4)


def samples() -> dict[str, tuple[Sample, dict[str, float]]]:
    """A noiseless sample of each form with the parameters behind it."""
    levels = {f"E[{size:g}]": level for size, level in zip(SIZES, LEVELS, strict=True)}
    return {
        "kn_loglinear": (kn_sample(), {"K_max": K_MAX, "N0": N0} | levels),
        "sigmoid": (curve(sigmoid_curve(X)), {"A": 0.645, "B": 1.7, "C_mid": 8000, "R0": 0.2}),
        "power_floor": (curve(power_floor(X)), {"L_inf": 0.3, "A": 5, "alpha": 0.35}),
        "exp_saturation": (curve(exp_saturation(X)), {"A": 0.6, "R0": 0.2, "x0": 12000}),
        "power": (curve(2 * X**-0.1), {"ln_A": float(np.log(2)), "alpha": 0.1}),
        "chinchilla": (chinchilla(), {"E": 1.8, "A": 480, "B": 2000, "alpha": 0.35, "beta": 0.37}),
        "power_nd": (plane(), {"ln_A": float(np.log(3)), "alpha": 0.1, "beta": 0.05}),
        "power_ndx": (space(), {"ln_A": float(np.log(3)), "alpha": 0.1, "beta": 0.3, "gamma": 0.02}),
        "data_reuse": (reuse(), {"E": 0.4, "B": 2, "beta": 0.4, "r": 10}),
    }


def test_every_form_of_the_catalogue_has_a_sample_here() -> None:
    assert set(samples()) == set(FORMS)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda item: item.name)
@pytest.mark.parametrize("name", FORMS)
def test_a_curve_without_noise_gives_its_parameters_back(name: str, loss: Loss) -> None:
    sample, truth = samples()[name]
    assert fit(FORMS[name], sample, loss=loss).natural == pytest.approx(truth, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_derivatives_are_those_of_finite_differences(name: str, log: bool) -> None:
    sample, _ = samples()[name]
    problem = bind(FORMS[name], sample, LOG_L2 if log else L2)
    here = fit(FORMS[name], sample).coordinates * 1.01 + 0.001
    step = 1e-6 * np.maximum(np.abs(here), 1e-2)
    _, slopes = problem.linearise(here[None, :], sample.y)
    ups, _ = problem.linearise(here + np.diag(step), sample.y)
    downs, _ = problem.linearise(here - np.diag(step), sample.y)
    expected = ((downs - ups) / (2 * step[:, None])).T
    assert slopes[0] == pytest.approx(expected, rel=1e-5, abs=1e-7 * float(np.abs(expected).max()))


@pytest.mark.parametrize("name", FORMS)
def test_natural_coordinates_and_back_are_the_same_point(name: str) -> None:
    law = fit(FORMS[name], samples()[name][0])
    there = law.problem.without_reference(law.coordinates[None, :])
    assert law.problem.with_reference(there)[0] == pytest.approx(law.coordinates, rel=1e-9, abs=1e-12)


def noisy(sample: Sample, scale: float = 0.003) -> Floats:
    return np.asarray(sample.y + np.random.default_rng(5).normal(0, scale, sample.n_rows))


@pytest.mark.parametrize("name", FORMS)
def test_the_order_of_rows_changes_no_bit(name: str) -> None:
    clean, _ = samples()[name]
    sample = Sample(columns=clean.columns, y=noisy(clean), group=clean.group)
    shuffled = sample.take(np.random.default_rng(1).permutation(sample.n_rows))
    assert fit(FORMS[name], shuffled).natural == fit(FORMS[name], sample).natural


def test_units_of_compute_change_nothing_but_the_units() -> None:
    sample = kn_sample(noise=0.003)
    other = Sample(
        columns={"x": sample.columns["x"] * 1e18, "n": sample.columns["n"] * 1e9}, y=sample.y, group=sample.group
    )
    here, there = fit(KN_LOGLINEAR, sample), fit(KN_LOGLINEAR, other)
    assert there.natural["K_max"] == pytest.approx(here.natural["K_max"], rel=1e-8)
    assert there.natural["N0"] == pytest.approx(here.natural["N0"] * 1e9, rel=1e-8)
    assert there.objective == pytest.approx(here.objective, rel=1e-10)
    clean = samples()["power_floor"][0]
    floor = curve(noisy(clean))
    far = Sample(columns={"x": X * 1e18}, y=floor.y)
    ours, theirs = fit(FORMS["power_floor"], floor).natural, fit(FORMS["power_floor"], far).natural
    assert [theirs["alpha"], theirs["L_inf"]] == pytest.approx([ours["alpha"], ours["L_inf"]], rel=1e-8)


def test_equal_weight_a_group_ignores_how_many_rows_a_group_has() -> None:
    sample = kn_sample(noise=0.01, seed=3)
    crowded = sample.group_codes == 0
    more = [np.concatenate([values, np.repeat(values[crowded], 20)]) for values in sample.columns.values()]
    jitter = 1 + 1e-12 * np.arange(1, 1 + 20 * int(crowded.sum()))  # rows that only repeat would be left out
    many = Sample(
        columns=dict(zip(sample.columns, more, strict=True)),
        y=np.concatenate([sample.y, np.repeat(sample.y[crowded], 20) * jitter]),
        group=(*sample.group, *(["0.5"] * len(jitter))) if sample.group else None,
    )
    plain = fit(KN_LOGLINEAR, sample, weights=Weights.per_group).natural
    assert fit(KN_LOGLINEAR, many, weights=Weights.per_group).natural["K_max"] == pytest.approx(
        plain["K_max"], rel=1e-5
    )
    assert fit(KN_LOGLINEAR, many).natural["K_max"] != pytest.approx(plain["K_max"], rel=1e-3)


def test_a_parameter_can_be_held() -> None:
    law = fit(SIGMOID, curve(noisy(curve(sigmoid_curve(X)))), fixed={"A": 0.7, "C_mid": 9000})
    assert (law.natural["A"], law.n_free) == (0.7, 2)
    assert law.natural["C_mid"] == pytest.approx(9000)


def test_the_solver_is_no_worse_than_many_starts_of_scipy() -> None:
    from scipy.optimize import least_squares

    y = noisy(curve(sigmoid_curve(X)), 0.02)
    best = np.inf
    for start in np.random.default_rng(0).uniform([0.1, 6, 0.5, 0.3], [0.3, 12, 4, 0.9], (20, 4)):

        def residual(p: Floats) -> Floats:
            return p[0] + (p[3] - p[0]) / (1 + np.exp(p[2] * (p[1] - np.log(X)))) - y

        done = least_squares(residual, start, bounds=([0, 0, 0.05, 0], [1, 15.4, 20, 1]))
        best = min(best, 2 * done.cost)
    assert fit(SIGMOID, curve(y)).objective <= best * (1 + 1e-9)


@pytest.mark.parametrize(
    ("sample", "form", "message"),
    [
        (curve(2 * X**-0.1, X - X[0]), POWER, "1 of 40 rows have a --x that is not a positive number"),
        (curve(X - 2e4), POWER, "whose logarithm does not exist"),
        (curve(np.array([1.0, 2.0]), X[:2]), SIGMOID, "2 training rows for 4 parameters of sigmoid"),
        (curve(np.where(X > 2e3, np.nan, 0.5)), SIGMOID, "have no finite --y"),
    ],
)
def test_rows_that_carry_no_law_are_refused_with_the_cure(sample: Sample, form: object, message: str) -> None:
    with pytest.raises(LawError, match=message):
        fit(form, sample)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["huber", "huber:0", "huber:-1", "huber:x", "l3", "lad:1e-3"])
def test_an_unknown_loss_is_refused(text: str) -> None:
    with pytest.raises(LawError, match="use l2, log-l2, lad or huber:DELTA"):
        parse_loss(text)


def test_an_unknown_law_is_answered_with_the_list() -> None:
    with pytest.raises(LawError, match="use one of kn_loglinear, sigmoid"):
        form_named("linear")
