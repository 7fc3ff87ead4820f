"""Intervals hold the truth as often as they say, and say so where they cannot."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from analysis.laws.catalogue import CHINCHILLA, KN_LOGLINEAR, POWER, POWER_FLOOR, SIGMOID
from analysis.laws.estimate import Status
from analysis.laws.fitting import Weights, fit
from analysis.laws.form import Form
from analysis.laws.inference import LOWER_BOUND, Inference, infer
from analysis.laws.losses import L2, LOG_L2, Loss, parse_loss
from analysis.laws.resampling import Unit, bootstrap
from analysis.laws.sample import Floats, Sample
from tests.analysis.known import ends, known
from tests.analysis.laws.synthetic import K_MAX, N0, X, ar1, curve, kn_loss, kn_sample, power_floor, sigmoid

SIMULATIONS = 200
BAND = (0.92, 0.98)  # where 95% coverage lies in 200 simulations, binomially
FAR = 2e5  # four times the last x
LONG = np.geomspace(1e3, 5e4, 100)


def coverage(
    form: Form,
    make: Callable[[np.random.Generator], Sample],
    truth: Mapping[str, float],
    *,
    far: tuple[Sample, float] | None = None,
    loss: Loss = L2,
) -> tuple[dict[str, float], list[Inference]]:
    """Share of simulations whose interval holds the truth, by parameter and for `far`, a prediction."""
    hits = dict.fromkeys([*truth, *(["prediction"] if far else [])], 0)
    found = []
    for seed in range(SIMULATIONS):
        inference = infer(fit(form, make(np.random.default_rng(seed)), loss=loss), draws=0)
        found.append(inference)
        for item in inference.estimates:
            if item.name in truth and item.interval is not None:
                low = -np.inf if item.interval.low is None else item.interval.low
                high = np.inf if item.interval.high is None else item.interval.high
                hits[item.name] += low <= truth[item.name] <= high
        if far:
            low_band, high_band = inference.band(far[0])
            hits["prediction"] += bool(low_band[0] <= far[1] <= high_band[0])
    return {name: count / SIMULATIONS for name, count in hits.items()}, found


def at(x: float) -> Sample:
    return curve(np.zeros(1), np.array([x]))


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("form", "truth", "law"),
    [
        (SIGMOID, {"A": 0.645, "B": 1.7, "C_mid": 8000, "R0": 0.2}, sigmoid),
        (POWER_FLOOR, {"L_inf": 0.3, "A": 5, "alpha": 0.35}, power_floor),
    ],
    ids=["sigmoid", "power_floor"],
)
def test_profile_intervals_cover_parameters_and_a_prediction_far_out(
    form: Form, truth: dict[str, float], law: Callable[[Floats], Floats]
) -> None:
    def make(rng: np.random.Generator) -> Sample:
        return curve(law(X) + rng.normal(0, 0.005, len(X)))

    shares, found = coverage(form, make, truth, far=(at(FAR), float(law(np.array([FAR]))[0])))
    assert all(BAND[0] <= share <= BAND[1] for share in shares.values()), shares
    centre = np.array([[item.fit.natural[name] for name in truth] for item in found])
    bias = centre.mean(axis=0) - list(truth.values())
    assert np.all(np.abs(bias) < 0.25 * centre.std(axis=0))


@pytest.mark.nightly
def test_the_slope_law_covers_its_parameters_and_a_prediction() -> None:
    far = Sample(columns={"x": np.array([FAR]), "n": np.array([32.0])}, y=np.zeros(1), group=("32",))
    truth = float(kn_loss(np.array([32.0]), np.array([FAR]), np.array([0.25]))[0])
    shares, _ = coverage(
        KN_LOGLINEAR,
        lambda rng: kn_sample(0.005, seed=int(rng.integers(1 << 30))),
        {"K_max": K_MAX, "N0": N0},
        far=(far, truth),
    )
    assert all(BAND[0] <= share <= BAND[1] for share in shares.values()), shares


def correlated(rng: np.random.Generator, runs: int, *, named: bool = True) -> Sample:
    noise = np.concatenate([ar1(rng, len(LONG), 0.8, 0.02) for _ in range(runs)])
    x = np.tile(LONG, runs)
    run = tuple(str(i) for i in range(runs) for _ in LONG) if named else None
    return curve(2 * x**-0.1 * np.exp(noise), x, run)


@pytest.mark.nightly
@pytest.mark.parametrize("runs", [3, 5])
def test_correlated_checkpoints_do_not_fool_the_default_interval(runs: int) -> None:
    far = (at(FAR), 2 * FAR**-0.1)
    shares, found = coverage(POWER, lambda rng: correlated(rng, runs), {"alpha": 0.1}, far=far, loss=LOG_L2)
    assert all(share >= BAND[0] for share in shares.values()), shares
    assert "jackknife over runs" in found[0].method


@pytest.mark.nightly
def test_pooled_least_squares_fails_where_the_default_passes() -> None:
    shares, _ = coverage(POWER, lambda rng: correlated(rng, 3, named=False), {"alpha": 0.1}, loss=LOG_L2)
    assert shares["alpha"] < 0.65


@pytest.mark.nightly
def test_one_run_gets_an_ar1_interval_with_its_label() -> None:
    shares, found = coverage(POWER, lambda rng: correlated(rng, 1), {"alpha": 0.1}, loss=LOG_L2)
    assert shares["alpha"] >= 0.88  # with 100 rows of one run the correlation itself is a guess
    assert all(LOWER_BOUND in item.flags and "AR(1)" in item.method for item in found)
    named = [item.interval.method for one in found for item in one.estimates if item.interval]
    assert named
    assert all("lower bound on uncertainty" in method for method in named)


@pytest.mark.nightly
def test_known_unequal_noise_is_covered_with_weights_and_estimated_better() -> None:
    sd = np.geomspace(0.02, 0.002, len(X))

    def make(rng: np.random.Generator, *, weighted: bool = True) -> Sample:
        y = power_floor(X) + rng.normal(0, sd)
        return Sample(columns={"x": X}, y=y, sd=sd if weighted else None)

    shares, found = coverage(POWER_FLOOR, make, {"L_inf": 0.3, "alpha": 0.35})
    assert all(BAND[0] <= share <= BAND[1] for share in shares.values()), shares
    weighted = [item.fit.natural["L_inf"] for item in found]
    plain = [
        fit(POWER_FLOOR, make(np.random.default_rng(i), weighted=False)).natural["L_inf"] for i in range(SIMULATIONS)
    ]
    assert np.std(weighted) < 0.7 * np.std(plain)


@pytest.mark.nightly
def test_outliers_move_huber_and_absolute_deviations_less_than_squares() -> None:
    middle = float(np.log(LONG).mean())
    off: dict[str, list[float]] = {}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        noise = rng.normal(0, 0.01, len(LONG))
        noise[rng.choice(len(LONG), 5, replace=False)] += 0.1  # 5% of rows, 10 standard deviations
        sample = curve(2 * LONG**-0.1 * np.exp(noise), LONG)
        for loss in (LOG_L2, parse_loss("huber:0.01"), parse_loss("lad")):
            found = fit(POWER, sample, loss=loss).natural
            level = found["ln_A"] - found["alpha"] * middle
            off.setdefault(loss.name, []).append(level - (float(np.log(2)) - 0.1 * middle))
    bias = {name: abs(float(np.mean(values))) for name, values in off.items()}
    error = {name: float(np.std(values)) for name, values in off.items()}
    assert bias["log-l2"] > 4 * error["log-l2"]
    assert bias["lad"] < error["lad"]
    assert bias["huber:0.01"] < error["huber:0.01"]


@pytest.mark.nightly
def test_a_ceiling_beyond_the_data_is_covered_and_never_a_bare_number() -> None:
    short = np.geomspace(300, 6000, 40)  # up to .75 C_mid
    shares, found = coverage(SIGMOID, lambda rng: curve(sigmoid(short) + rng.normal(0, 0.006, 40), short), {"A": 0.645})
    assert shares["A"] >= BAND[0]
    ceilings = [item for one in found for item in one.estimates if item.name == "A"]
    assert all(item.value is None and item.status is not Status.ok and item.reason for item in ceilings)


def test_a_parameter_at_its_bound_is_said_to_be_so() -> None:
    inference = infer(fit(POWER_FLOOR, curve(5 * X**-0.35 * (1 + 0.01 * np.sin(np.arange(len(X)))))), draws=0)
    steeper = infer(fit(POWER_FLOOR, curve(0.9 - 0.05 * np.log(X / 1e3))), draws=0)  # a line in log x has no floor
    floor = next(item for item in steeper.estimates if item.name == "L_inf")
    assert (floor.status, floor.value) == (Status.at_bound, None)
    assert any(flag.startswith("L_inf: at bound") for flag in steeper.flags)
    assert next(item for item in inference.estimates if item.name == "alpha").status is Status.ok


@pytest.mark.parametrize("loss", [L2, parse_loss("huber:1e-3")], ids=lambda item: item.name)
def test_the_exponent_of_a_term_that_is_not_there_is_not_a_number(loss: Loss) -> None:
    rng = np.random.default_rng(0)
    n, d = (item.ravel() for item in np.meshgrid(np.geomspace(1e8, 1e10, 6), np.geomspace(1e9, 1e11, 6)))
    sample = Sample(columns={"n": n, "d": d}, y=1.8 + 2000 * d**-0.37 + 1e-3 * np.log(n) + rng.normal(0, 1e-3, 36))
    inference = infer(fit(CHINCHILLA, sample, loss=loss), draws=100)
    by_name = {item.name: item for item in inference.estimates}
    assert (by_name["A"].status, by_name["A"].value) == (Status.at_bound, None)
    assert (by_name["alpha"].status, by_name["alpha"].value) == (Status.not_identified, None)
    assert by_name["beta"].value == pytest.approx(0.37, abs=0.05)


def test_an_interval_that_ends_nowhere_goes_with_no_number() -> None:
    rng = np.random.default_rng(3)
    inference = infer(fit(SIGMOID, curve(0.4 + 0.02 * np.log(X / 1e3) + rng.normal(0, 0.01, len(X)))), draws=0)
    for item in inference.estimates:
        assert item.interval is not None
        assert item.value is None or None not in (item.interval.low, item.interval.high)


def test_names_of_runs_mean_nothing() -> None:
    sample = kn_sample(0.005, runs=3, shift=0.01)
    names = {"0": "z", "1": "a", "2": "m"}
    renamed = replace(sample, run=tuple(names[name] for name in sample.run or ()))
    ours, theirs = infer(fit(KN_LOGLINEAR, sample), draws=0), infer(fit(KN_LOGLINEAR, renamed), draws=0)
    for one, other in zip(ours.estimates, theirs.estimates, strict=True):
        expected = (known(one.value), *ends(one.interval))
        assert (other.value, *ends(other.interval)) == pytest.approx(expected, rel=1e-8)


def test_copied_rows_of_runs_change_no_digit() -> None:
    sample = kn_sample(0.005, runs=3, shift=0.01)
    copied = sample.take(np.tile(np.arange(sample.n_rows), 3))
    ours, theirs = infer(fit(KN_LOGLINEAR, sample), draws=200), infer(fit(KN_LOGLINEAR, copied), draws=200)
    assert theirs.estimates == ours.estimates
    assert any(flag.startswith("720 rows repeat") for flag in theirs.flags)


def test_near_copies_of_checkpoints_do_not_shrink_the_interval_over_runs() -> None:
    sample = kn_sample(0.005, runs=3, shift=0.01)
    twice = sample.take(np.tile(np.arange(sample.n_rows), 2))
    near = Sample(columns=twice.columns, y=twice.y + 1e-9 * np.arange(twice.n_rows), group=twice.group, run=twice.run)
    widths = []
    for item in (sample, near):
        found = infer(fit(KN_LOGLINEAR, item, weights=Weights.per_group), draws=200).estimates[1]
        widths += [high - low for low, high in map(ends, (found.interval, *found.others[-1:]))]
    assert widths[2:] == pytest.approx(widths[:2], rel=0.02)


def test_runs_that_differ_widen_the_interval_that_checkpoints_cannot_see() -> None:
    same, different = kn_sample(0.003, runs=3), kn_sample(0.003, runs=3, shift=0.02)
    widths = []
    for sample in (same, different):
        low, high = ends(infer(fit(KN_LOGLINEAR, sample), draws=0).estimates[2].interval)
        widths.append(high - low)
    assert widths[1] > 3 * widths[0]


def test_the_bootstrap_draws_whole_sizes_when_each_has_one_run() -> None:
    law = fit(KN_LOGLINEAR, kn_sample(0.003), weights=Weights.per_group)
    draws = bootstrap(law, draws=300)
    assert (draws.unit, draws.n_units) == (Unit.group, 4)
    absent = np.isnan(draws.coordinates[:, 2])
    assert 0.1 < absent.mean() < 0.6  # a size is left out of (3/4)^4 = 32% of draws
    assert len(draws.coordinates) < 300  # draws with fewer than three sizes are lost


def test_with_enough_sizes_runs_are_drawn_and_then_sizes() -> None:
    parts = [kn_sample(0.003, seed=i, runs=2) for i in range(2)]
    names = tuple(f"{float(label) * 4:g}" for label in parts[1].group or ())
    sample = Sample(
        columns={
            "x": np.concatenate([part.columns["x"] for part in parts]),
            "n": np.concatenate([parts[0].columns["n"], parts[1].columns["n"] * 4]),
        },
        y=np.concatenate([part.y for part in parts]),
        group=(*(parts[0].group or ()), *names),
        run=(*(parts[0].run or ()), *(parts[1].run or ())),
    )
    slope = infer(fit(KN_LOGLINEAR, sample, weights=Weights.per_group), draws=200).estimates[1]
    assert [item.method for item in slope.others][1:] == ["bootstrap over 16 runs", "bootstrap over 8 groups"]


def test_a_loss_without_likelihood_is_bootstrapped() -> None:
    rng = np.random.default_rng(0)
    inference = infer(
        fit(POWER, curve(2 * X**-0.1 * np.exp(rng.laplace(0, 0.01, len(X)))), loss=parse_loss("lad")), draws=300
    )
    alpha = next(item for item in inference.estimates if item.name == "alpha")
    low, high = ends(alpha.interval)
    assert known(alpha.interval).method == "bootstrap over 40 rows"
    assert low < 0.1 < high


def test_one_run_under_absolute_deviations_has_no_interval_and_says_so() -> None:
    inference = infer(fit(POWER, curve(2 * X**-0.1 + 1e-3 * np.sin(X), run=("0",) * len(X)), loss=parse_loss("lad")))
    assert all(item.interval is None for item in inference.estimates)
    assert any(flag.startswith("no interval: one run cannot be resampled") for flag in inference.flags)


def test_the_same_rows_give_the_same_intervals() -> None:
    sample = kn_sample(0.003, runs=2)
    once, again = (infer(fit(KN_LOGLINEAR, sample), draws=100) for _ in range(2))
    assert once.estimates == again.estimates
