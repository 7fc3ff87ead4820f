"""One process imports verl and judges every case of this file."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from sweeper.plan.verl_check import check_plan
from sweeper.plan.verl_verdict import Asker, accepted
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec

GPU = ("model_family=qwen2.5", "cluster=slurm")
ACCEPTED: dict[str, tuple[str, ...]] = {
    **{name: (f"algorithm={name}",) for name in ("ppo", "grpo", "reinforce_plus_plus")},
    **{f"{name} on cuda": (f"algorithm={name}", *GPU) for name in ("ppo", "grpo", "reinforce_plus_plus")},
    "lora with a kl loss": ("algorithm.lora.rank=8", "algorithm.kl.in_loss=true"),
    "adaptive kl in the reward": ("algorithm.kl.in_reward=true", "algorithm.kl.reward_controller=adaptive"),
    "a verl key": ("+verl.actor_rollout_ref.rollout.top_k=5",),
    "another policy loss": ("algorithm.policy_loss=gspo", "algorithm.ppo_epochs=2"),
    "wandb": ("logging.wandb=true",),
}
REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "an unknown verl key": (("+verl.actor_rollout_ref.rollout.topk=5",), "rollout.topk'. (with verl."),
    "a word for a number": (("+verl.trainer.esi_redundant_time=soon",), "esi_redundant_time"),
    "a number for a switch": (("+verl.trainer.balance_batch=3",), "balance_batch"),
    "an unknown loss aggregation": (("algorithm.loss_agg_mode=tokens",), "tokens"),
    "two micro-batch sizes that exclude each other": (
        (
            "+verl.actor_rollout_ref.actor.use_dynamic_bsz=false",
            "+verl.actor_rollout_ref.actor.ppo_micro_batch_size=4",
            "+verl.actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=4",
        ),
        "micro_batch_size",
    ),
    "a minibatch larger than the batch": (
        ("training.ppo_mini_batch_size=64",),
        "ppo_mini_batch_size=64",
    ),
    "a zero to divide by": (
        (
            "+verl.actor_rollout_ref.actor.use_dynamic_bsz=false",
            "+verl.actor_rollout_ref.actor.ppo_micro_batch_size=0",
        ),
        "by zero (with verl.actor_rollout_ref.actor.use_dynamic_bsz=false",
    ),
    "an unknown advantage estimator": (("algorithm.adv_estimator=gea",), "gea"),
    "an unknown policy loss": (("algorithm.policy_loss=gsop", "algorithm.ppo_epochs=2"), "gsop. Supported modes"),
    "an unknown kl penalty": (("algorithm.kl.in_reward=true", "algorithm.kl.reward_penalty=k7"), "k7"),
}


@pytest.fixture(scope="module")
def cases() -> dict[str, RunSpec]:
    every = ACCEPTED | {name: overrides for name, (overrides, _) in REFUSED.items()}
    return {name: spec(*overrides) for name, overrides in every.items()}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verdicts")


@pytest.fixture(scope="module")
def reasons(cases: Mapping[str, RunSpec], cache: Path) -> dict[str, str]:
    return check_plan(list(cases.values()), cache, Asker())


@pytest.mark.parametrize("name", ACCEPTED)
def test_verl_accepts(name: str, cases: Mapping[str, RunSpec], reasons: Mapping[str, str]) -> None:
    assert cases[name].run_id not in reasons


@pytest.mark.parametrize("name", REFUSED)
def test_verl_refuses_and_says_why(name: str, cases: Mapping[str, RunSpec], reasons: Mapping[str, str]) -> None:
    assert REFUSED[name][1] in reasons.get(cases[name].run_id, "accepted")


def test_an_accepted_shape_is_not_asked_again(
    cases: Mapping[str, RunSpec], reasons: Mapping[str, str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")  # whoever asks, fails
    assert check_plan([cases[name] for name in ACCEPTED], cache, Asker()) == {}
    # Another seed and step size have the same shape.
    assert check_plan([spec("seed=9", "training.actor_lr=0.007")], cache, Asker()) == {}


def test_a_cache_that_cannot_be_written_to_is_done_without(
    tmp_path: Path, reasons: Mapping[str, str], cache: Path
) -> None:
    (tmp_path / "file").touch()
    assert check_plan([spec()], tmp_path / "file" / "cache", Asker()) == {}
    assert 0 < len(list(cache.glob("*.ok"))) <= len(ACCEPTED)  # where it could be: a file a shape


def test_what_is_accepted_lies_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    at_home = accepted()
    assert at_home.is_relative_to(tmp_path / ".cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert accepted() == tmp_path / "elsewhere" / at_home.relative_to(tmp_path / ".cache")


@pytest.mark.parametrize("kind", ["open to all", "another's", "another's link", "a file", "closed"])
def test_what_another_user_may_have_planted_accepts_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in /tmp, where a user without a home has them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    usual, really = accepted(), os.geteuid()
    folder = tmp_path / "rl-scaling-sweeper"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    if kind == "open to all":
        folder.chmod(0o777)
        assert accepted() == usual
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        return
    if kind == "a file":
        folder.rmdir()
        folder.touch()
    elif kind == "closed":
        folder.rmdir()
        folder.symlink_to(folder)  # what says an error when it is asked
    else:
        if kind == "another's link":
            folder.symlink_to(folder.rename(tmp_path / "planted"))
        monkeypatch.setattr(os, "geteuid", lambda: really + 1)
    mine = accepted()
    assert not mine.is_relative_to(tmp_path)
    assert not mine.exists()
    assert mine.relative_to(mine.parents[1]) == usual.relative_to(folder)
    assert stat.S_IMODE(mine.parents[1].stat().st_mode) == 0o700


def test_a_refused_shape_is_asked_again(
    cases: Mapping[str, RunSpec], reasons: Mapping[str, str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(FileNotFoundError):
        check_plan([cases["an unknown verl key"]], cache, Asker())
