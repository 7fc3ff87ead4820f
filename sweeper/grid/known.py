"""The keys there are: a composed config with any other is refused, with the nearest ones."""

import difflib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import accumulate
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from sweeper.grid.schema import Config, thawed
from sweeper.host.errors import ConfigError
from sweeper.spec.dotted import dotted
from sweeper.spec.model import Resources

# Mappings that take any name, whose values are parts of a class of ours.
_TABLES: dict[str, type] = {"model.vetted": Resources}
_RESOURCES = "model.resources."
# What other trainers, vLLM and SLURM call settings of ours, by the last word.
_ELSEWHERE = {
    "learning_rate": "training.actor_lr",
    "lr": "training.actor_lr",
    "batch_size": "training.train_batch_size",
    "max_steps": "training.total_steps",
    "num_steps": "training.total_steps",
    "num_epochs": "data_scale.epochs",
    "total_epochs": "data_scale.epochs",
    "num_generations": "algorithm.rollout_n",
    "group_size": "algorithm.rollout_n",
    "beta": "algorithm.kl.loss_coef",
    "kl_coef": "algorithm.kl.loss_coef",
    **dict.fromkeys(
        ("tp", "tp_size", "tensor_parallel_size", "tensor_model_parallel_size"), f"{_RESOURCES}tensor_parallel"
    ),
    **dict.fromkeys(("sp", "sp_size", "ulysses_sequence_parallel_size"), f"{_RESOURCES}sequence_parallel"),
    **dict.fromkeys(("gpus", "n_gpus", "n_gpus_per_node"), f"{_RESOURCES}gpus_per_node"),
    **dict.fromkeys(("nnodes", "nodes"), f"{_RESOURCES}nodes"),
    **dict.fromkeys(("time", "walltime"), f"{_RESOURCES}hours"),
    "cpus_per_task": "cluster.cpus_per_gpu",
    "mem": "cluster.memory_gb_per_gpu",
}
# Parts of ours that verl's configuration does not have: what is unknown there is no key of verl's.
_NOT_VERLS = ("cluster", "curriculum", "data_scale", "domain_mix", "eval", "grid", "logging", "model", "training")
_HYDRAS = ("hydra", "hydra.env")  # Hydra adds them to every config, though no class has them


def refuse_unknown(config: DictConfig) -> None:
    """Refuse a composed config that has a key which nothing reads, or lacks one of ours.

    Hydra checks what is overridden; what `+KEY=VALUE` adds it takes as it is.

    Raises:
        ConfigError: with every such key, and what is near the first.
    """
    unknown = list(_unknown(config, ""))
    if unknown:
        more = f" (unknown too: {', '.join(unknown[1:])})" if unknown[1:] else ""
        raise ConfigError(no_such_key(unknown[0]) + more)
    missing = [item.name for item in fields(Config) if item.name not in config]
    if missing:
        raise ConfigError(f"~{missing[0]}: every run needs {missing[0]}; set it to another value instead")


def no_such_key(key: str) -> str:
    """What to say of a key that is not there: those that are like it, and where verl's go."""
    part, _, last = key.rpartition(".")
    known = _known()
    beside = [name for name in known if name.rpartition(".")[0] == part and last in name.rpartition(".")[2]]
    meant = [_ELSEWHERE[last]] if last in _ELSEWHERE else []
    near = list(dict.fromkeys([*meant, *beside, *difflib.get_close_matches(key, known, n=3, cutoff=0.6)]))[:3]
    hint = f"Did you mean {' or '.join(near)}?" if near else "See every key with: python -m sweeper --cfg job"
    if key.startswith("cluster.") and not meant:
        return f"unknown key {key}. {hint} (An option of sbatch is set with cluster.sbatch.{last.replace('_', '-')}=…)"
    if key.partition(".")[0] in _NOT_VERLS:
        return f"unknown key {key}. {hint}"
    return f"unknown key {key}. {hint} (A verl key is set with +verl.{key}=…)"


def is_key(key: str) -> bool:
    """Whether a key of ours has this name."""
    return key in _known()


def _unknown(node: DictConfig, path: str) -> Iterator[str]:
    """Leaves that the class of their mapping does not have; a mapping without a class takes any."""
    kind = _TABLES.get(path.rpartition(".")[0], node._metadata.object_type)
    names = {item.name for item in fields(kind)} if is_dataclass(kind) else None
    for key in node:
        child, name = node._get_node(key), f"{path}.{key!s}".lstrip(".")
        if names is not None and key not in names and name not in _HYDRAS:
            yield from _leaves(child, name)
        elif isinstance(child, DictConfig) and _is_mapping(child):
            yield from _unknown(child, name)


def _leaves(node: Any, name: str) -> Iterator[str]:
    if not _is_mapping(node) or not len(node):
        yield name
        return
    for key in node:
        yield from _leaves(node._get_node(key), f"{name}.{key}")


def _is_mapping(node: Any) -> bool:
    return isinstance(node, DictConfig) and not (node._is_none() or node._is_missing() or node._is_interpolation())


def _known() -> list[str]:
    """Every key of ours, dotted; a part before what it holds."""
    leaves = dotted(cast("dict[str, Any]", OmegaConf.to_container(thawed(Config))))
    return list(dict.fromkeys(name for key in leaves for name in accumulate(key.split("."), "{}.{}".format)))
