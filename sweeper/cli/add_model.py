"""Write the configuration of a new model, conf/model/NAME.yaml, from its config.json.

It goes into the project that the current folder is (see init), or into a checkout.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper.cli.verb import add_json, answer
from sweeper.host.errors import ConfigError

if TYPE_CHECKING:
    from sweeper.spec.run import RunSpec


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("model", help="a folder in Hugging Face's format, or a hub id")
    parser.add_argument(
        "--family", default="qwen2.5", help="the model family whose training settings it gets (default: qwen2.5)"
    )
    parser.add_argument("--name", help="how commands and runs call it (default: the last part of MODEL)")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.grid.project import conf_to_write
    from sweeper.inputs.add_model import find, model_file, name_of, settings_of
    from sweeper.plan.fit import first_guess
    from sweeper.spec.model import Resources

    config = _family_config(options.family)
    name = name_of(options.model, options.name)
    path = conf_to_write("add-model", "a model") / "model" / f"{name}.yaml"
    if path.exists():
        raise ConfigError(f"{path} is there already; edit it, or remove it first")
    found = find(options.model)
    values = settings_of(found, name=name, family=config["model_family"]["name"])
    spec = _spec(config, values)
    guess = first_guess(spec)
    if guess is None:
        raise ConfigError(f"add-model {options.model}: no number of {spec.cluster.gpu_type} GPUs holds its training")
    changed = {key: value for key, value in asdict(guess).items() if value != getattr(Resources(), key)}
    changed |= {"hours": guess.hours}
    text = model_file(found, values, guess=changed, gpu=str(spec.cluster.gpu_type))
    _write(path, text, options.family)
    n_params = spec.model.architecture.n_params
    made = {"name": name, "path": str(path), "n_params": n_params, "resources": changed}
    gpus = f"{guess.nodes} x {guess.gpus_per_node} {spec.cluster.gpu_type}"
    lines = (
        f"{path}: {n_params:,} parameters",
        f"first guess: {gpus}, tensor_parallel={guess.tensor_parallel}, hours={guess.hours:g} (model.resources)",
        f"whether it fits: python -m sweeper plan model={name} model_family={options.family} cluster=slurm",
    )
    return answer(options, lambda: made, lambda: "\n".join(lines))


def _family_config(family: str) -> dict[str, Any]:
    """A point of the family on the cluster that a guess is made for."""
    from sweeper.grid.expand import expand, group_options

    known = group_options()["model_family"]
    if family not in known:
        raise ConfigError(f"--family {family}: there is no such model_family; choose one of {', '.join(known)}")
    return expand([f"model_family={family}", "cluster=slurm"], multirun=False).points[0].config


def _spec(config: dict[str, Any], values: dict[str, Any]) -> "RunSpec":
    """A run of the model that `values` describe in place of the config's own."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from sweeper.grid.composition_error import in_one_line
    from sweeper.grid.schema import thawed
    from sweeper.plan.plan import spec_from
    from sweeper.spec.model import Model

    try:
        merged = OmegaConf.merge(thawed(Model), values)
        model = OmegaConf.to_container(merged, resolve=True, enum_to_str=True)
    except OmegaConfBaseException as error:
        raise ConfigError(f"add-model: {in_one_line(error)}") from None
    spec = spec_from(config | {"model": model})
    if spec.cluster.gpu_type is None:
        raise ConfigError("add-model: conf/cluster/slurm.yaml of this project states no gpu_type to guess for")
    return spec


def _write(path: Path, text: str, family: str) -> None:
    """Write the file; it stays only if a run can be composed with it."""
    from sweeper.grid.expand import expand
    from sweeper.host.files import write_atomic
    from sweeper.plan.plan import spec_from

    try:
        write_atomic(path, text)
        try:
            spec_from(expand([f"model={path.stem}", f"model_family={family}"], multirun=False).points[0].config)
        except BaseException:
            path.unlink()
            raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None
