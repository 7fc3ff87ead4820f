"""Which runs are compared with which."""

import pytest

from analysis.questions.strata import arms, configurations, strata
from analysis.runs.selection import series_of
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


SWEEPS = [
    (
        [{"kl_loss_coef": value, "kl_reward_coef": 0.0} for value in (0.0, 0.001, 0.01, 0.04)],
        ["no KL", "KL loss 0.001", "KL loss 0.01", "KL loss 0.04"],
    ),
    ([{"lora_rank": rank} for rank in (0, 8, 32)], ["no LoRA", "LoRA rank 8", "LoRA rank 32"]),
    ([{"rollout_n": n} for n in (4, 8, 16, 32)], ["4 rollouts", "8 rollouts", "16 rollouts", "32 rollouts"]),
    ([{"settings": {"training.actor_lr": lr}} for lr in (1e-4, 3e-4)], ["lr 1e-4", "lr 3e-4"]),
    (
        [{"settings": {"verl.actor_rollout_ref.rollout.top_k": k} if k else {}} for k in (None, 5, 7)],
        ["top_k unset", "top_k 5", "top_k 7"],
    ),
    (
        [{"settings": {"data.root": f"/data/{name}", "data.digest": name}} for name in ("guru", "own")],
        ["data guru", "data own"],
    ),
    (  # tied settings are said once
        [{"lora_rank": rank, "settings": {"algorithm.lora.alpha": 2 * rank}} for rank in (4, 8)],
        ["LoRA rank 4", "LoRA rank 8"],
    ),
]


@pytest.mark.parametrize(
    ("rows", "names"), SWEEPS, ids=["kl", "lora_rank", "rollout_n", "lr", "verl key", "data root", "tied"]
)
def test_arms_of_a_setting_are_named_by_it(rows: list[dict[str, float]], names: list[str]):
    made = selection([Planted(row=row, seed=seed) for row in rows for seed in range(2)])
    assert [arm.label for arm in configurations(made.completed)] == [f"m-1, {name}" for name in names]
    assert sorted(set(series_of(made.completed).values())) == sorted(names)
    assert sorted(stratum.label for stratum in strata(made.completed, free=["model"])) == sorted(names)


def test_a_setting_that_most_runs_share_goes_unsaid():
    made = selection([Planted(row={"rollout_n": n}, seed=seed) for n, seed in ((8, 0), (8, 1), (16, 0))])
    assert set(series_of(made.completed).values()) == {"n1024", "16 rollouts"}


def test_an_algorithm_brings_its_own_kl_term_and_is_still_compared():
    own = {"grpo": {"kl_loss_coef": 0.0, "kl_reward_coef": 0.0}, "rpp": {"kl_loss_coef": 0.0, "kl_reward_coef": 0.001}}
    made = selection([Planted(algorithm=name, row=row) for name, row in own.items()])
    (stratum,) = strata(made.completed, free=["algorithm"])
    assert {run.row.algorithm for run in stratum.runs} == {"grpo", "rpp"}
    assert set(series_of(made.completed).values()) == {"grpo", "rpp"}
    other = Planted(row={"kl_loss_coef": 0.01, "kl_reward_coef": 0.0})
    seeds = [Planted(row=own["grpo"], seed=seed) for seed in (1, 2)]
    more = selection([*(Planted(algorithm=name, row=row) for name, row in own.items()), *seeds, other])
    assert sorted(stratum.label for stratum in strata(more.completed, free=["algorithm"])) == [
        "KL loss 0.01",
        "usual KL",
    ]


def test_rows_without_these_settings_have_arms_as_before():
    made = selection([Planted(n_unique=n) for n in (64, 512)])
    assert [arm.label for arm in configurations(made.completed)] == ["m-1, 64 problems", "m-1, 512 problems"]
