"""Which runs are compared with which."""

from analysis.questions.strata import arms, configurations, strata
from tests.analysis.questions.planted import Planted, selection


def test_only_runs_that_differ_in_what_is_asked_about_share_a_stratum():
    made = selection([Planted(curriculum=name, n_unique=n) for name in ("mixed", "easy_to_hard") for n in (128, 1024)])
    found = strata(made.completed, free=["curriculum"])
    assert [{run.row.curriculum for run in stratum.runs} for stratum in found] == [{"mixed", "easy_to_hard"}] * 2
    assert all(len({run.row.n_unique for run in stratum.runs}) == 1 for stratum in found)
    assert "128 problems" in found[0].label


def test_seeds_of_a_configuration_are_one_arm():
    made = selection([Planted(seed=seed, n_unique=n) for seed in range(3) for n in (256, 64)])
    found = arms(strata(made.completed, free=["n_unique", "reuse"])[0], label=lambda _: "", x=lambda row: row.n_unique)
    assert [(arm.x, len(arm.runs)) for arm in found] == [(64.0, 3), (256.0, 3)]


def test_configurations_are_told_apart_by_name():
    made = selection([Planted(algorithm=name, model=model) for name in ("ppo", "grpo") for model in ("a", "b")])
    labels = [arm.label for arm in configurations(made.completed)]
    assert sorted(labels) == ["a, grpo", "a, ppo", "b, grpo", "b, ppo"]
