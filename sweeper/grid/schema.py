"""The Hydra schema: names and types that every file under `conf/` must respect.

It is derived from the dataclasses of `sweeper.spec.run`, so no setting is declared twice.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, get_type_hints

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.resolvers.oc import env

from sweeper.grid.constraints import GridRules
from sweeper.grid.project import own_conf
from sweeper.host.errors import ConfigError
from sweeper.host.secret_shape import is_secret
from sweeper.spec.agent import Agent
from sweeper.spec.bounds import Count, Name, Seed, Text, validated
from sweeper.spec.cluster import Cluster, Logging
from sweeper.spec.data import Curriculum, Data, DataScale, DomainMix
from sweeper.spec.model import Model
from sweeper.spec.reward import Reward
from sweeper.spec.training import Algorithm, Evaluation, Training


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFamily:
    """A ladder of models with the axes that grids take from it, in Hydra's sweep grammar."""

    name: Name
    models: Text
    data_scales: Text
    data_sizes: Text  # unique problems, each seen once
    domain_scale: Text  # of studies that compare domains: as many problems as the smallest has
    min_data_epochs: Text  # how often each problem of one domain is seen at a fixed number of samples
    reuse_sizes: Text  # unique problems for tau = 1, 2, 5, 20, 25, 50, 100 at a fixed number of samples; tied to ...
    reuse_recipes: Text  # ... how they are chosen
    reference: Text  # models that studies of something else than size are made with, comma-separated
    lora_ranks: Text  # 0: every parameter; tied to ...
    lora_alphas: Text  # ... and ...
    lora_lrs: Text
    mini_batch: Count  # prompts per update where policy losses are compared: several updates per batch, or all are one
    rollout_batches: Text  # prompts per step with 4, 8, 16 and 32 responses each: the same number of samples per step
    rollout_steps: Text  # budgets of that comparison: steps of as many samples each


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything `conf/config.yaml` may set."""

    model_family: ModelFamily
    model: Model
    data: Data
    data_scale: DataScale
    domain_mix: DomainMix
    curriculum: Curriculum
    algorithm: Algorithm
    training: Training
    agent: Agent = field(default_factory=Agent)
    eval: Evaluation
    reward: Reward = field(default_factory=Reward)
    cluster: Cluster
    logging: Logging
    verl: dict[str, Any]
    grid: GridRules = field(default_factory=GridRules)
    data_root: Text | None = None
    seed: Seed = 0
    results_dir: Text = "results"


def thawed(kind: type) -> DictConfig:
    """A structured config of a frozen dataclass whose nodes Hydra may still merge into.

    OmegaConf marks nodes of frozen dataclasses read-only, and Hydra's composition then refuses every YAML file.
    """
    node: DictConfig = OmegaConf.structured(kind)
    OmegaConf.set_readonly(node, None)
    hints = get_type_hints(kind)
    for item in fields(kind):
        hint = hints[item.name]
        if is_dataclass(hint) and isinstance(hint, type):
            node._set_item_impl(item.name, thawed(hint))
        elif not OmegaConf.is_missing(node, item.name) and OmegaConf.is_config(node[item.name]):
            OmegaConf.set_readonly(node[item.name], None)
            OmegaConf.set_struct(node[item.name], False)  # a mapping that may be given: its keys are the user's
    return node


class _ProjectFirst(SearchPathPlugin):
    """Hydra reads the user's project before the package."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        own = own_conf()
        if own is not None:
            search_path.prepend("project", f"file://{own}")


def setting(config: Mapping[str, Any], key: str) -> Any:
    """A setting that is no part of a run (a field of `Config`), from a composed config.

    Raises:
        ConfigError: it is empty, or otherwise out of its bounds.
    """
    return validated(_HINTS[key], key, config[key])


_HINTS = get_type_hints(Config, include_extras=True)


@cache
def register() -> None:
    """Make Hydra's composition find the schema and the user's project; once a process, since it takes long."""
    node = thawed(Config)
    OmegaConf.set_struct(node.cluster.sbatch, False)  # checked in sweeper.launch.slurm.options
    ConfigStore.instance().store(name="schema", node=node)
    Plugins.instance().register(_ProjectFirst)
    OmegaConf.register_new_resolver("oc.env", _variable, replace=True)


def _variable(name: str, default: Any = ...) -> str | None:
    """OmegaConf's `oc.env`, but for secrets: what it reads is written down with the configuration."""
    if is_secret(name, os.environ.get(name)):
        raise ConfigError(f"${{oc.env:{name}}} would write a secret down; programs read {name} where they run")
    value: str | None = env(name) if default is ... else env(name, default)
    return value
