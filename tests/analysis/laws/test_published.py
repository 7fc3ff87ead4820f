"""Numbers of papers from the papers' own points, within the tolerances of the study that checked them."""

import numpy as np
import pandas as pd
import pytest

from analysis.laws.catalogue import CHINCHILLA, KN_LOGLINEAR, POWER, SIGMOID
from analysis.laws.fitting import Fit, Weights, fit
from analysis.laws.heldout import evaluate, rehearse, split
from analysis.laws.losses import L2, LOG_L2, Loss, parse_loss
from analysis.laws.sample import Sample
from tests.analysis.laws.outside import needs_data, points
from tests.analysis.laws.synthetic import curve, sigmoid

pytestmark = needs_data


def epoch(loss: Loss) -> dict[str, float]:
    table = points("chinchilla/svg_extracted_data.csv").sort_values("loss").iloc[:-5]
    n, flops = table["Model Size"].to_numpy(), table["Training FLOP"].to_numpy()
    sample = Sample(columns={"n": n, "d": flops / (6 * n)}, y=table["loss"].to_numpy())
    assert sample.n_rows == 240
    return fit(CHINCHILLA, sample, loss=loss).natural


def base_curves(kind: str, rows: str) -> Sample:
    table = points("rl_2509_25300/holdout_curves_base.csv").query(f"x_kind == '{kind}'").query(rows)
    return Sample(
        columns={"x": table["x"].to_numpy(), "n": table["N_B"].to_numpy(dtype=float)},
        y=table["test_loss"].to_numpy(),
        group=tuple(f"{value:g}" for value in table["N_B"]),
    )


def test_huber_on_log_loss_finds_the_best_optimum_of_the_chinchilla_points() -> None:
    found = epoch(parse_loss("huber:1e-3"))
    assert found["A"] == pytest.approx(477.83, rel=1e-3)
    assert found["B"] == pytest.approx(2143.4, rel=2e-3)
    assert found["E"] == pytest.approx(1.81722, rel=3e-4)
    assert found["alpha"] == pytest.approx(0.34731, rel=3e-4)
    assert found["beta"] == pytest.approx(0.36717, rel=3e-4)


def test_absolute_deviations_give_the_published_chinchilla_table() -> None:
    found = epoch(parse_loss("lad"))
    assert [round(found["A"], 2), round(found["B"], 2)] == pytest.approx([482.01, 2085.43], abs=0.011)
    assert found["E"] == pytest.approx(1.8169, abs=1e-4)
    assert found["alpha"] == pytest.approx(0.34781, abs=1e-5)
    assert found["beta"] == pytest.approx(0.36585, abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "rows", "k_max", "n0"),
    [
        ("C", "N_B <= 32", 0.152, 17.4),
        ("D", "N_B <= 32", 0.163, 17.0),
        ("C", "idx < 25", 0.135, 13.1),
        ("D", "idx < 25", 0.135, 11.5),
    ],
)
def test_the_slope_law_of_the_base_models_is_the_published_one(kind: str, rows: str, k_max: float, n0: float) -> None:
    found = fit(KN_LOGLINEAR, base_curves(kind, rows), weights=Weights.per_group).natural
    assert found["K_max"] == pytest.approx(k_max, rel=0.01)
    assert found["N0"] == pytest.approx(n0, rel=0.015)


def test_the_five_published_exponents_of_optimal_size_come_out_to_nine_digits() -> None:
    pairs, expected = points("porian/optimal_pairs.csv"), points("porian/expected.csv")
    assert len(expected) == 5
    for row in expected.itertuples():
        part = pairs[(pairs["config"] == row.config) & pairs["n"].notna()]
        plain = {"columns": {"x": part["flops"].to_numpy(dtype=float)}, "y": part["n"].to_numpy()}
        ols = fit(POWER, Sample(**plain), loss=LOG_L2).natural
        wls = fit(POWER, Sample(**plain, sd=part["n_star_std"].to_numpy()), loss=LOG_L2).natural
        assert [-ols["alpha"], -wls["alpha"]] == pytest.approx([row.ols_exp, row.wls_exp], abs=1e-9)
        assert np.exp([ols["ln_A"], wls["ln_A"]]) == pytest.approx([row.ols_coef, row.wls_coef], rel=1e-7)


def test_every_recipe_of_scalerl_is_recovered_from_its_own_curve() -> None:
    recipes = points("scalerl/table1.csv")
    assert len(recipes) == 10
    for row in recipes.itertuples():
        x = np.geomspace(1500, 50000, 60)
        found = fit(SIGMOID, curve(sigmoid(x, row.A, row.B, row.C_mid_gpu_hours), x)).natural
        assert [found["A"], found["B"], found["C_mid"]] == pytest.approx([row.A, row.B, row.C_mid_gpu_hours], rel=1e-6)


def largest_held_out(kind: str) -> tuple[Fit, Sample]:
    everything = base_curves(kind, "N_B > 0")
    training, held = split(everything, everything.columns["n"] == 72)
    return fit(KN_LOGLINEAR, training, weights=Weights.per_group), held


@pytest.mark.parametrize("kind", ["C", "D"])
def test_the_published_prediction_of_72b_needs_72b_and_the_honest_one_says_what_it_costs(kind: str) -> None:
    law, held = largest_held_out(kind)
    (error,) = evaluate(law, held)
    assert error.level_tuned is not None
    assert error.level_tuned.mae == pytest.approx(0.012, abs=0.001)
    assert error.level_tuned.r2 == pytest.approx(0.92, abs=0.01)
    assert error.trained == 0
    assert error.error.mae > 3 * error.level_tuned.mae
    assert len(rehearse(law)) == 3


def test_what_72b_measured_changes_nothing_that_is_fitted_or_predicted() -> None:
    law, held = largest_held_out("C")
    everything = base_curves("C", "N_B > 0")
    upside_down = Sample(
        columns=everything.columns,
        y=np.where(everything.columns["n"] == 72, 1 - everything.y, everything.y),
        group=everything.group,
    )
    training, _ = split(upside_down, everything.columns["n"] == 72)
    again = fit(KN_LOGLINEAR, training, weights=Weights.per_group)
    assert again.natural == law.natural
    assert np.array_equal(again.predict(held), law.predict(held))


def test_forms_close_in_sample_differ_in_what_they_predict() -> None:
    table: pd.DataFrame = points("rl_2509_25300/holdout_curves_base.csv").query("x_kind == 'C' and N_B == 72")
    x, y = table["x"].to_numpy(), table["test_loss"].to_numpy()
    cut = len(x) // 4
    errors = {}
    for form in (POWER, SIGMOID):
        law = fit(form, curve(y[:cut], x[:cut]), loss=L2)
        inside = 1 - float(np.mean((law.predict(law.sample) - y[:cut]) ** 2) / np.var(y[:cut]))
        errors[form.name] = float(np.mean(np.abs(law.predict(curve(y[cut:], x[cut:])) - y[cut:])))
        assert inside > 0.8
    assert max(errors.values()) > 1.5 * min(errors.values())
