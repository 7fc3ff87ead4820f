"""The objects that verl makes of our overrides and then computes with, made by verl's own code.

`PPOTrainer._setup`, `ActorRolloutRefWorker.init_model` and the supervised trainer's builders run as they are, to where
they would start processes or load weights: in the place of a worker is one that keeps what it is given. Nothing here
needs a GPU, and what verl changes on the way (it overwrites the critic's budgets) is seen.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import verl
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from transformers import AutoConfig
from verl.single_controller.ray.base import ResourcePoolManager
from verl.trainer import sft_trainer
from verl.trainer.ppo.reward import get_custom_reward_fn
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.trainer.ppo.v1 import trainer_base
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
from verl.utils.config import omega_conf_to_dataclass
from verl.workers.config import model as model_module
from verl.workers.engine_workers import ActorRolloutRefWorker

Objects = dict[str, Any]
_CONFIGS = Path(verl.__path__[0]) / "trainer" / "config"
_PARSER = OverridesParser.create()
_ROWS = range(1 << 16)  # in the place of a data set


class _ReachedError(Exception):
    """What would follow starts processes."""


class _Kept:
    """In the place of a worker: keeps its configuration."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.engine = SimpleNamespace(get_data_parallel_rank=lambda: 0, get_data_parallel_size=lambda: 1)

    def reset(self) -> None:
        pass

    def set_loss_fn(self, loss_fn: Any) -> None:
        pass

    def get_dispatch_collect(self) -> dict[str, Any]:
        return {}


class _Last(_Kept):
    def reset(self) -> None:
        raise _ReachedError


class _NoPools(ResourcePoolManager):  # type: ignore[misc]  # verl has no types
    def create_resource_pool(self) -> None:
        self.resource_pool_dict = {name: name for name in self.resource_pool_spec}


class _Trainer(PPOTrainerSync):  # type: ignore[misc]
    """verl's trainer without its start."""

    def __init__(self, config: DictConfig) -> None:
        self.config, self.trainer_mode, self.parameter_sync_step = config, config.trainer.v1.trainer_mode, 1
        self.use_critic, self.use_reference_policy = need_critic(config), need_reference_policy(config)
        self.tokenizer = self.processor = None

    def _init_tokenizer(self) -> None:
        pass

    _init_dump_executor = _init_tokenizer


@contextmanager
def session() -> Iterator[None]:
    """For the time of the block a model's tokenizer and configuration are read once: they are what takes long."""
    names = ("hf_tokenizer", "hf_processor", "get_generation_config")
    once = {name: cache(getattr(model_module, name)) for name in names}
    read = cache(AutoConfig.from_pretrained)
    once["AutoConfig"] = SimpleNamespace(from_pretrained=lambda *args, **kwargs: deepcopy(read(*args, **kwargs)))
    with patch.multiple(model_module, **once):
        yield


def composed(name: str, overrides: Sequence[str]) -> DictConfig:
    """verl's configuration with our overrides, those of Hydra itself and ours for trackers left out.

    Composing takes most of the time, so it is done once, and Hydra's own code puts the overrides into a copy.
    """
    config = deepcopy(by_hydra(name, ()))
    ConfigLoaderImpl._apply_overrides_to_config(_PARSER.parse_overrides(list(told(overrides))), config)
    return config


@cache
def by_hydra(name: str, overrides: tuple[str, ...]) -> DictConfig:
    with initialize_config_dir(str(_CONFIGS), version_base=None):
        return compose(name, overrides=list(overrides))


def told(overrides: Sequence[str]) -> tuple[str, ...]:
    return tuple(item for item in overrides if not item.startswith(("hydra.", "+sweeper=")))


def of_rl(config: DictConfig) -> Objects:
    """By name: what `verl.trainer.main_ppo` computes with; None for a part that the run does not have."""
    config = deepcopy(config)
    OmegaConf.resolve(config)  # as verl's task runner does
    seen: list[Any] = []
    workers: dict[str, Any] = {}

    def convert(*args: Any, **kwargs: Any) -> Any:
        seen.append(omega_conf_to_dataclass(*args, **kwargs))
        return seen[-1]

    def stop(class_dict: dict[str, Any]) -> None:
        workers.update(class_dict)
        raise _ReachedError

    trainer = _Trainer(config)
    changed = {
        "omega_conf_to_dataclass": convert,
        "create_colocated_worker_cls": stop,
        "create_rl_dataset": lambda *_, **__: _ROWS,
        "ResourcePoolManager": _NoPools,
    }
    with patch.multiple(trainer_base, **changed):
        _until_reached(trainer._setup)
    role = next(name for name in workers if name.startswith("actor_rollout"))
    critic = workers["critic"].kwargs["config"] if "critic" in workers else None
    worker = _worker(workers[role].kwargs["config"], role)
    reward = get_custom_reward_fn(config)
    assert reward is not None
    return {
        "config": config,
        "trainer": trainer,
        "pools": trainer.resource_pool_manager.resource_pool_spec,
        "actor": worker.actor.config,
        "actor_loss": worker.loss_fn.keywords["config"],
        "ref": worker.ref.config if hasattr(worker, "ref") else None,
        "rollout": omega_conf_to_dataclass(config.actor_rollout_ref.rollout),
        "critic": critic,
        "critic_loss": seen[0] if critic else None,
        "reward": SimpleNamespace(function=reward.args[0], kwargs=reward.args[1]),
    }


def _worker(config: DictConfig, role: str) -> Any:
    """verl's hybrid worker after it has made its reference model and its actor."""
    worker = SimpleNamespace(
        config=deepcopy(config),
        role=role,
        actor_worker_cls=_Last,
        ref_worker_cls=_Kept,
        distillation_enabled=False,
        _omega_profiler_config=config.actor.profiler,
        set_dispatch_collect=lambda **_: None,
    )
    _until_reached(lambda: ActorRolloutRefWorker.init_model(worker))
    return worker


def of_sft(config: DictConfig) -> Objects:
    """By name: what `verl.trainer.sft_trainer` computes with."""
    config = deepcopy(config)
    trainer = SimpleNamespace(config=config, train_dataset=_ROWS, val_dataset=None)
    trainer._validate_profiler_interval = lambda: None
    maker = sft_trainer.SFTTrainer
    with patch.object(sft_trainer, "TrainingWorker", _Kept):
        for step in (maker._build_config, maker._build_engine, maker._build_dataloader, maker._init_engine):
            step(trainer)
    return {"config": config, "trainer": trainer, "worker": trainer.training_client.config}


def _until_reached(step: Any) -> None:
    try:
        step()
    except _ReachedError:
        return
    raise AssertionError("verl went on where it starts processes")
