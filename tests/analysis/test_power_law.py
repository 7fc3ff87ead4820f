"""The power-law fit: recovers what was planted, refuses what the data do not determine, never sees what is held out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.row_laws.final import Axis, fit_laws
from analysis.row_laws.power_law import Observation, PowerLaw, count_levels, fit_power_law
from analysis.runs.selection import Run
from tests.analysis.known import known
from tests.analysis.questions.planted import Planted, selection

SIZES = (27e3, 102e3, 400e3, 1.5e6)


def runs(
    *,
    alpha: float = 0.15,
    a: float = 3.0,
    sizes: tuple[float, ...] = SIZES,
    per_size: int = 2,
    noise: float = 0.0,
    seeds: int = 1,
    seed_noise: float = 0.0,
    rng_seed: int = 0,
) -> list[Observation]:
    rng = np.random.default_rng(rng_seed)
    found = []
    for size in sizes:
        for arm in range(per_size):
            shift = rng.normal(0, noise)
            for seed in range(seeds):
                error = a * size**-alpha * np.exp(shift + rng.normal(0, seed_noise))
                name = f"{size:g}-{arm}"
                found.append(Observation(run_id=f"{name}-s{seed}", cluster=name, x=size, rung=size, error=float(error)))
    return found


def fitted(observations: list[Observation]) -> PowerLaw:
    result = fit_power_law(observations)
    assert isinstance(result, PowerLaw), result
    return result


def reason(observations: list[Observation]) -> str:
    result = fit_power_law(observations)
    assert isinstance(result, str)
    return result


@settings(max_examples=30, deadline=None)
@given(alpha=st.floats(0.01, 0.8), a=st.floats(0.1, 50))
def test_a_law_without_noise_is_recovered_exactly(alpha: float, a: float) -> None:
    fit = fitted(runs(alpha=alpha, a=a, per_size=1))
    assert fit.alpha == pytest.approx(alpha, rel=1e-9, abs=1e-12)
    assert fit.predict(5e6) == pytest.approx(a * 5e6**-alpha, rel=1e-9)
    assert known(fit.held_out).law_mae == pytest.approx(0, abs=1e-9)


def coverage(n: int, **truth: object) -> float:
    hits = 0
    for i in range(n):
        fit = fitted(runs(rng_seed=i, alpha=0.15, **truth))  # type: ignore[arg-type]
        hits += known(fit.alpha_low) <= 0.15 <= known(fit.alpha_high)
    return hits / n


def test_the_planted_exponent_lies_in_the_interval_as_often_as_stated_when_there_are_many_runs() -> None:
    sizes = tuple(np.geomspace(1e4, 1e7, 8))
    assert 0.90 <= coverage(200, sizes=sizes, per_size=4, noise=0.05) <= 0.985  # nominal 0.95, binomial band of 200


def test_with_eight_runs_the_interval_covers_as_stated() -> None:
    assert 0.90 <= coverage(200, noise=0.05) <= 0.985


def test_the_band_holds_the_law_and_widens_outwards() -> None:
    fit = fitted(runs(noise=0.05))
    inside, outside = known(fit.band(2e5)), known(fit.band(2e8))
    assert inside[0] < fit.predict(2e5) < inside[1]
    assert outside[1] / outside[0] > inside[1] / inside[0]


def test_two_seeds_with_the_same_error_are_two_runs() -> None:
    some = runs(noise=0.05, seeds=2)
    assert fitted(some).n_runs == 16
    law = fitted([replace(item, error=round(item.error, 1)) for item in some])
    logs = np.log([[item.x, round(item.error, 1)] for item in some])
    assert law.alpha == pytest.approx(-np.polyfit(logs[:, 0], logs[:, 1], 1)[0], rel=1e-9)


def test_replicates_that_share_their_deviation_are_resampled_together() -> None:
    truth = {"sizes": tuple(np.geomspace(1e4, 1e7, 8)), "per_size": 3, "seeds": 4, "noise": 0.05, "seed_noise": 0.01}
    assert 0.89 <= coverage(150, **truth) <= 0.99


def test_copies_of_the_same_runs_do_not_narrow_the_interval() -> None:
    once = runs(noise=0.05)
    copies = [replace(item, run_id=f"{item.run_id}-{i}") for item in once for i in range(5)]
    one, many = fitted(once), fitted(copies)
    assert (many.alpha_low, many.alpha_high) == pytest.approx((one.alpha_low, one.alpha_high), rel=1e-9)


@pytest.mark.parametrize("sizes", [SIZES[:3], (27e3,), (1e5, 1.05e5, 1.08e5, 4e5, 1.6e6)])
def test_fewer_than_four_distinct_sizes_are_refused(sizes: tuple[float, ...]) -> None:
    assert "at least 4 are needed" in reason(runs(sizes=sizes, noise=0.05))


def test_no_run_at_all_is_refused() -> None:
    assert reason([]).startswith("0 distinct values")


def test_an_error_of_zero_is_refused_and_not_dropped() -> None:
    some = runs(noise=0.05)
    some[-1] = replace(some[-1], error=0.0)
    assert "error 0 (pass@1 = 1)" in reason(some)


@pytest.mark.parametrize(("field", "value"), [("x", 0.0), ("x", -1.0), ("x", float("nan")), ("error", float("nan"))])
def test_numbers_without_a_logarithm_are_refused(field: str, value: float) -> None:
    some = runs(noise=0.05)
    some[3] = replace(some[3], x=value) if field == "x" else replace(some[3], error=value)
    assert some[3].run_id in reason(some)


def test_equal_errors_are_refused() -> None:
    assert "all errors are equal (0.4)" in reason([replace(item, error=0.4) for item in runs()])


def test_an_interval_that_contains_zero_is_said_to_show_nothing() -> None:
    unrelated = [replace(item, error=0.4 if i % 2 else 0.6) for i, item in enumerate(runs(per_size=4))]
    fit = fitted(unrelated)
    assert known(fit.alpha_low) <= 0 <= known(fit.alpha_high)
    assert any("contains 0" in warning for warning in fit.warnings)


def test_held_out_runs_do_not_reach_the_law_that_predicts_them() -> None:
    before = runs(noise=0.05)
    after = [replace(item, error=0.999) if item.rung == SIZES[-1] else item for item in before]
    one, two = known(fitted(before).held_out), known(fitted(after).held_out)
    assert (one.alpha, one.predicted, one.last_value) == (two.alpha, two.predicted, two.last_value)
    assert one.law_mae != two.law_mae


def test_the_baseline_is_the_mean_error_of_the_next_smaller_size() -> None:
    some = runs(noise=0.05)
    held = known(fitted(some).held_out)
    assert held.rung == SIZES[-1]
    assert held.last_value == pytest.approx(np.mean([item.error for item in some if item.rung == SIZES[-2]]))
    assert held.n_fitted == 6


def test_equal_errors_below_the_held_out_size_predict_their_common_value() -> None:
    level = [replace(item, error=0.7 if item.rung < SIZES[-1] else 0.4) for item in runs()]
    held = known(fitted(level).held_out)
    assert (held.alpha, held.predicted) == (0.0, pytest.approx(0.7))


def test_runs_of_one_size_have_no_held_out_size() -> None:
    one_size = [replace(item, rung=1.0) for item in runs(noise=0.05)]
    fit = fitted(one_size)
    assert fit.held_out is None
    assert "1 model size" in known(fit.held_out_reason)


def test_the_order_of_the_runs_does_not_matter() -> None:
    some = runs(noise=0.05)
    assert fitted(some) == fitted(some[::-1])


def test_the_unit_of_x_does_not_matter() -> None:
    some = runs(noise=0.05)
    scaled = fitted([replace(item, x=item.x * 1e18) for item in some])
    one = fitted(some)
    assert (scaled.alpha, scaled.alpha_low, scaled.alpha_high) == pytest.approx(
        (one.alpha, one.alpha_low, one.alpha_high), rel=1e-8
    )


def test_values_within_ten_percent_are_one_level() -> None:
    assert count_levels([1.0, 1.05, 1.09, 1.2, 5.0]) == 3
    assert count_levels([]) == 0


def rows_of_series(series: int, sizes: dict[str, int], *, noise: float) -> tuple[Run, ...]:
    """So many series with the very same results at each size."""
    generator = np.random.default_rng(1)
    skill = {model: 0.4 * np.log(size / 1e4) + generator.normal(0, noise) for model, size in sizes.items()}
    found = selection(
        [Planted(model=model, size=sizes[model], skill=skill[model], flops=1e6 * sizes[model]) for model in sizes]
    )
    return tuple(
        Run(
            row=replace(run.row, n_unique=2**n, run_id=f"{run.row.run_id}-{n}", group_id=f"{run.row.group_id}-{n}"),
            trained=run.trained,
            base=run.base,
        )
        for n in range(series)
        for run in found.completed
    )


def test_a_law_over_several_series_of_the_same_models_is_no_narrower_for_the_repetition() -> None:
    sizes = {f"m-{size:g}": int(size) for size in SIZES}
    for axis in Axis:
        once, twice = (
            next(law for law in fit_laws(rows_of_series(n, sizes, noise=0.1)) if law.axis is axis) for n in (1, 2)
        )
        assert isinstance(once.result, PowerLaw)
        assert isinstance(twice.result, PowerLaw)
        assert twice.result.n_runs == 2 * once.result.n_runs
        assert twice.result.n_clusters == once.result.n_clusters == len(sizes)
        assert twice.result.alpha_low == pytest.approx(once.result.alpha_low)
        assert twice.result.alpha_high == pytest.approx(once.result.alpha_high)
        assert "2 series of 4 base models: the interval is over base models" in twice.notes
