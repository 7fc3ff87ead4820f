"""The choice of next measurements: the formula by hand, and against random choice on published points."""

import numpy as np
import pytest

from analysis.laws.catalogue import CHINCHILLA, KN_LOGLINEAR, POWER
from analysis.laws.design import choose
from analysis.laws.fitting import fit
from analysis.laws.losses import LOG_L2
from analysis.laws.resampling import bootstrap
from analysis.laws.sample import Floats, LawError, Sample
from tests.analysis.laws.outside import needs_data, points
from tests.analysis.laws.synthetic import curve, kn_sample


def at(*x: float) -> Sample:
    return Sample(columns={"x": np.array(x)}, y=np.ones(len(x)))


def line(x: Floats, seed: int = 0) -> Sample:
    return curve(2 * x**-0.1 * np.exp(np.random.default_rng(seed).normal(0, 0.01, len(x))), x)


def variance_by_hand(measured: Floats, target: float) -> float:
    """g (J'J)^-1 g' of ln y = a - alpha ln x, with J and g written out."""
    design = np.column_stack([np.ones(len(measured)), -np.log(measured)])
    g = np.array([1.0, -np.log(target)])
    return float(g @ np.linalg.inv(design.T @ design) @ g)


def test_the_variances_are_those_of_least_squares_with_the_picks_measured() -> None:
    x = np.array([1e2, 2e2, 4e2, 8e2])
    law = fit(POWER, line(x), loss=LOG_L2)
    found = choose(law, law.coordinates[None, :], at(3e2, 5e3), at(1e5), [1.0, 1.0], budget=2.0)
    assert found.variance[0] == pytest.approx(variance_by_hand(x, 1e5), rel=1e-6)
    assert [pick.candidate for pick in found.picks] == [1, 0]  # the far one tells more about the slope
    for number, measured in enumerate(([*x, 5e3], [*x, 5e3, 3e2])):
        assert found.picks[number].variance[0] == pytest.approx(variance_by_hand(np.array(measured), 1e5), rel=1e-6)


def test_the_price_counts_and_the_budget_holds() -> None:
    law = fit(POWER, line(np.array([1e2, 2e2, 4e2, 8e2])), loss=LOG_L2)
    here = law.coordinates[None, :]
    cheap = choose(law, here, at(3e3, 5e3), at(1e5), [1.0, 100.0], budget=100.5)
    assert [pick.candidate for pick in cheap.picks] == [0]  # and then the other is out of reach
    assert choose(law, here, at(3e3), at(1e5), [2.0], budget=1.0).picks == ()


def test_units_and_the_order_of_candidates_change_no_choice() -> None:
    rng = np.random.default_rng(1)
    x, asked = np.geomspace(1e2, 1e3, 8), np.geomspace(2e2, 2e4, 12)
    costs, order = asked / 1e3, rng.permutation(12)
    picked = []
    for scale, index in ((1.0, np.arange(12)), (1e12, np.arange(12)), (1.0, order)):
        law = fit(POWER, line(x * scale), loss=LOG_L2)
        draws = bootstrap(law, draws=50).solver_coordinates
        found = choose(law, draws, at(*asked[index] * scale), at(1e5 * scale), costs[index], budget=10.0)
        picked.append([float(asked[index][pick.candidate]) for pick in found.picks])
    assert picked[0] == picked[1] == picked[2]


def test_a_law_with_a_level_for_every_size_is_refused() -> None:
    law = fit(KN_LOGLINEAR, kn_sample(0.003))
    with pytest.raises(LawError, match="take power or chinchilla"):
        choose(law, law.coordinates[None, :], law.sample, law.sample, [1.0] * law.sample.n_rows, budget=1.0)


def rmse(rows: Sample, chosen: Floats, targets: Sample) -> float:
    law = fit(CHINCHILLA, rows.take(np.sort(chosen.astype(np.intp))), loss=LOG_L2)
    return float(np.sqrt(np.mean((law.predict(targets) - targets.y) ** 2)))


@needs_data
def test_on_published_runs_it_beats_random_choice_at_two_percent_of_the_budget() -> None:
    """Chinchilla's points: from eight of the cheapest fifth, predict the runs above 8e20 FLOPs."""
    table = points("chinchilla/svg_extracted_data.csv").sort_values("loss").iloc[:240]
    n, cost = table["Model Size"].to_numpy(), table["Training FLOP"].to_numpy()
    rows = Sample(columns={"n": n, "d": cost / (6 * n)}, y=table["loss"].to_numpy())
    pool = np.flatnonzero(cost <= 8e20)
    targets, budget = rows.take(cost > 8e20), 0.02 * float(cost[pool].sum())
    errors: dict[str, list[float]] = {"chosen": [], "random": [], "filled": []}
    for repeat in range(12):
        rng = np.random.default_rng(repeat)
        cheapest = pool[np.argsort(cost[pool])][: len(pool) // 5]
        start = rng.choice(cheapest, 8, replace=False)
        rest = np.setdiff1d(pool, start)
        law = fit(CHINCHILLA, rows.take(np.sort(start)), loss=LOG_L2)
        draws = bootstrap(law, draws=60).solver_coordinates
        design = choose(law, draws, rows.take(rest), targets, cost[rest], budget=budget)
        order = rng.permutation(rest)
        spent = np.cumsum(cost[order])
        filled, left = [], budget
        for row in order:  # whatever still fits: a stronger peer, which favours cheap runs
            if cost[row] <= left:
                filled.append(row)
                left -= cost[row]
        for name, picked in (
            ("chosen", rest[[pick.candidate for pick in design.picks]]),
            ("random", order[spent <= budget]),
            ("filled", np.array(filled)),
        ):
            errors[name].append(rmse(rows, np.concatenate([start, picked]), targets))
    mean, middle = ({name: float(of(values)) for name, values in errors.items()} for of in (np.mean, np.median))
    assert mean["chosen"] <= 0.8 * mean["random"]
    # In the median it is 13 to 18% over forty repeats (docs/laws.md): twelve, as here, overstate it.
    assert middle["chosen"] <= min(0.8 * middle["random"], middle["filled"])
