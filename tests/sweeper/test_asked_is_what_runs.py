"""Random overrides: two different runs never have one id, one run never two, and a row says what verl was told.

What a run is, is taken from verl's own composition of its configuration, and from what prepares its data and model.
"""

import importlib.util
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from sweeper.grid.expand import expand, hydra_session
from sweeper.host.errors import ConfigError
from sweeper.inputs.data import data_spec
from sweeper.inputs.models import model_digest
from sweeper.plan.plan import spec_from
from sweeper.plan.refusals import check
from sweeper.plan.verl_check import expected_overrides
from sweeper.spec.digest import digest_of
from sweeper.spec.run import RunSpec
from sweeper.training.owners import owners

VERLS = Path(str(getattr(importlib.util.find_spec("verl"), "origin", ""))).parent / "trainer" / "config"
VALUES = {  # settings that make runs, each with values that are there anyway, others, and some that cannot be
    "seed": (0, 1),
    "model": ("tiny-40k", "tiny-130k"),
    "model.actor_lr": (0.004, 0.005),
    "model.warm_start.steps": (0, 50),
    "model.warm_start.lr": (3e-3, 1e-3),
    "model.prompt_style": ("model", "base"),
    "data_scale": ("n64", "n128", "n1k"),
    "data_scale.epochs": (None, 2),
    "data.seed": (0, 3),
    "data.screen.n_samples": (0, 4),
    "data.screen.min_pass_rate": (0.0, 0.1),
    "data.sft_share": (0.0, 0.25),
    "data.cleaning.golds": (False, True),
    "domain_mix": ("uniform", "math"),
    "curriculum": ("mixed", "easy_to_hard"),
    "algorithm": ("grpo", "ppo", "reinforce_plus_plus"),
    "algorithm.rollout_n": (1, 4, 8),
    "algorithm.gamma": (1.0, 0.9),
    "algorithm.lam": (1.0, 0.9),
    "algorithm.norm_adv_by_std": (True, False),
    "algorithm.clip_ratio_low": (0.2, 0.1),
    "algorithm.ppo_epochs": (1, 2),
    "algorithm.critic_lr": (None, 1e-4),
    "algorithm.critic_warmup": (0, 2),
    "algorithm.kl.in_loss": (False, True),
    "algorithm.kl.loss_coef": (0.001, 0.04),
    "algorithm.kl.loss_type": ("low_var_kl", "kl"),
    "algorithm.kl.in_reward": (False, True),
    "algorithm.kl.reward_coef": (0.001, 0.04),
    "algorithm.kl.reward_controller": ("fixed", "adaptive"),
    "algorithm.kl.target": (0.1, 0.2),
    "algorithm.lora.rank": (0, 8),
    "algorithm.lora.alpha": (64, 16),
    "training.train_batch_size": (16, 32, 5),
    "training.ppo_mini_batch_size": (8, 16),
    "training.max_response_length": (20, 24),
    "training.total_steps": (None, 3, 20),
    "training.actor_lr": (None, 0.003),
    "training.critic_lr": (1e-3, 1e-4),
    "training.grad_clip": (1.0, 0.5),
    "training.lr_warmup_steps": (0, 2),
    "training.temperature": (1.0, 0.7),
    "training.sft.lr": (1e-5, 1e-3),
    "training.save_freq": (10, 5),
    "eval.val_n": (1, 2),
    "eval.n_samples": (64, 128),
    "logging.wandb": (False, True),
    "model.resources.hours": (1.0, 24.0),
    "cluster.max_parallel": (1, 2),
}
BEYOND = (  # free keys of verl's, keys that are ours, and keys of nobody
    "+verl.actor_rollout_ref.rollout.top_k=5",
    "+verl.trainer={balance_batch: false}",
    "+verl.trainer.balance_batch=false",
    "+verl.actor_rollout_ref.actor.optim.betas=[0.9,0.95]",
    "+verl.actor_rollout_ref.rollout.max_num_batched_tokens=null",
    "+verl.actor_rollout_ref.rollout.n=4",
    "+verl.data.train_batch_size=16",
    "+verl.actor_rollout_ref.actor.kl_loss_coef=0.04",
    "+verl.actor_rollout_ref.actor.optim.lr=0.003",
    "+verl.trainer.total_training_steps=3",
    "+verl.actor_rollout_ref.rollout.response_length=20",
    "+training.lr=0.003",
    "++algorithm.kl.coef=0.04",
    "+total_steps=3",
)


def _written(value: object) -> str:
    return "null" if value is None else str(value)


def drawn(rng: random.Random) -> list[str]:
    """Up to four overrides, none twice."""
    keys = rng.sample([*VALUES], rng.choice((0, 1, 1, 2, 2, 3, 4)))
    own = [f"{key}={_written(rng.choice(VALUES[key]))}" for key in keys]
    return own + ([rng.choice(BEYOND)] if rng.random() < 0.25 else [])


def accepted(rng: random.Random, n: int) -> Iterator[tuple[str, RunSpec]]:
    """Of `n` draws those that can run, and the overrides they came from."""
    with hydra_session():
        for _ in range(n):
            overrides = drawn(rng)
            try:
                (point,) = expand(overrides, multirun=False).points
                spec = spec_from(point.config)
                check(spec, family=point.config["model_family"]["name"])
            except ConfigError:
                continue
            yield " ".join(overrides), spec


def told(specs: list[RunSpec]) -> list[DictConfig]:
    """What verl makes of the overrides of each run: composed as its own program does, once for equal ones."""
    known: dict[str, DictConfig] = {}
    found = []
    with initialize_config_dir(str(VERLS), version_base=None):
        for spec in specs:
            given = [item for item in expected_overrides(spec) if not item.startswith("hydra.")]
            # Which of two runs has the id is the question.
            given = [item for item in given if not item.startswith("trainer.experiment_name=")]
            if (key := digest_of(given)) not in known:
                known[key] = compose("ppo_trainer", overrides=given)
                known[key].reward.reward_model.rollout.name = "none"  # the only value that it must be given and is not
            found.append(known[key])
    return found


NO_SCIENCE = ("logging.", "cluster.", "model.resources.", "training.save_freq")


def unread(config: DictConfig) -> Iterator[tuple[str, list[str]]]:
    """What verl's code does not look at, part by part."""
    algorithm = config.algorithm
    if not config.actor_rollout_ref.actor.use_kl_loss:
        yield "actor_rollout_ref.actor", ["kl_loss_coef", "kl_loss_type"]
    if not algorithm.use_kl_in_reward:
        yield "algorithm", ["kl_penalty", "kl_ctrl"]
    elif algorithm.kl_ctrl.type == "fixed":
        yield "algorithm.kl_ctrl", ["target_kl"]
    of = {"gae": ["norm_adv_by_std_in_grpo"], "grpo": ["gamma", "lam"]}
    yield "algorithm", of.get(algorithm.adv_estimator, ["norm_adv_by_std_in_grpo", "lam"])
    if algorithm.adv_estimator != "gae":  # no critic is made
        yield "critic", list(map(str, config.critic))
        yield "trainer", ["critic_warmup"]


def run_of(spec: RunSpec, config: DictConfig) -> str:
    """What decides the result of a run, as it is carried out."""
    plain = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
    for key, owner in owners().items():
        holder = OmegaConf.select(plain, key.rpartition(".")[0]) if "." in key else plain
        if owner.startswith(NO_SCIENCE) and isinstance(holder, DictConfig):
            holder.pop(key.rpartition(".")[2], None)
    for part, names in unread(plain):
        for name in names:
            OmegaConf.select(plain, part).pop(name)
    sft = spec.training.sft if spec.data.sft_share else None
    screen = spec.data.screen if spec.data.screen.n_samples else None
    around = [data_spec(spec), model_digest(spec.model), spec.eval, sft, screen, spec.seed]
    return digest_of([OmegaConf.to_container(plain), repr(around)])


def row_of(spec: RunSpec) -> dict[str, Any]:
    """What a row says of verl's settings."""
    kl, algorithm, training = spec.algorithm.kl, spec.algorithm, spec.training
    return {
        "trainer.total_training_steps": spec.total_steps,
        "data.train_batch_size": training.train_batch_size,
        "actor_rollout_ref.actor.ppo_mini_batch_size": training.ppo_mini_batch_size,
        "actor_rollout_ref.rollout.n": algorithm.rollout_n,
        "actor_rollout_ref.actor.optim.lr": spec.actor_lr,
        "actor_rollout_ref.actor.optim.clip_grad": training.grad_clip,
        "actor_rollout_ref.actor.use_kl_loss": kl.in_loss,
        "actor_rollout_ref.actor.kl_loss_coef": kl.loss_coef,
        "algorithm.use_kl_in_reward": kl.in_reward,
        "algorithm.kl_ctrl.kl_coef": kl.reward_coef,
        "algorithm.kl_ctrl.type": kl.reward_controller,
        "data.max_prompt_length": training.max_prompt_length,
        "data.max_response_length": training.max_response_length,
        "actor_rollout_ref.rollout.prompt_length": training.max_prompt_length,
        "actor_rollout_ref.rollout.response_length": training.max_response_length,
        "actor_rollout_ref.rollout.temperature": training.temperature,
        "actor_rollout_ref.model.lora_rank": algorithm.lora.rank,
        "algorithm.adv_estimator": algorithm.adv_estimator,
        "data.seed": spec.seed,
    }


@pytest.mark.parametrize(
    ("seed", "n"), [(0, 30), *(pytest.param(seed, 250, marks=pytest.mark.nightly) for seed in range(1, 5))]
)
def test_an_id_is_one_run_and_a_run_one_id_and_the_row_says_what_verl_was_told(seed: int, n: int) -> None:
    found = list(accepted(random.Random(seed), n))
    assert len(found) > n / 4, "too few draws can run to say anything"
    configs = told([spec for _, spec in found])
    of_id: dict[str, tuple[str, str]] = {}
    of_run: dict[str, tuple[str, str]] = {}
    for (overrides, spec), config in zip(found, configs, strict=True):
        said = row_of(spec)
        assert {key: OmegaConf.select(config, key) for key in said} == said, overrides
        run = run_of(spec, config)
        other, before = of_id.setdefault(spec.run_id, (run, overrides))
        assert other == run, f"two runs, one id: {before} | {overrides}"
        known, before = of_run.setdefault(run, (spec.run_id, overrides))
        assert known == spec.run_id, f"one run, two ids: {before} | {overrides}"
    assert len(of_id) < len(found), "no run came up twice"
