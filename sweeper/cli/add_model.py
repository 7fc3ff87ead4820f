"""`sweeper add-model`: the configuration of a new model, from its `config.json`."""

import argparse
from pathlib import Path

from sweeper.cli.arguments import Verbs, add_json
from sweeper.cli.output import EXIT_OK, print_json
from sweeper.host.errors import ConfigError


def add_parser(verbs: Verbs) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "add-model",
        help="write the configuration of a new model from its config.json",
        description="Write conf/model/NAME.yaml for a model, from its config.json.",
    )
    parser.add_argument("model", help="a folder in Hugging Face's format, or a hub id")
    parser.add_argument(
        "--family", default="qwen2.5", help="the model family whose training settings it gets (default: qwen2.5)"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    import conf
    from sweeper.grid.expand import expand
    from sweeper.inputs.add_model import find, model_file
    from sweeper.plan.plan import spec_from

    family = expand([f"model_family={options.family}"], multirun=False).points[0].config["model_family"]["name"]
    name = Path(options.model).name.lower()
    path = Path(conf.__file__).parent / "model" / f"{name}.yaml"
    if path.exists():
        raise ConfigError(f"{path} is there already; edit it, or remove it first")
    path.write_text(model_file(find(options.model), name=name, family=family))
    try:
        spec = spec_from(expand([f"model={name}", f"model_family={options.family}"], multirun=False).points[0].config)
    except ConfigError:
        path.unlink()
        raise
    if options.json:
        print_json("add-model", {"name": name, "path": str(path), "n_params": spec.model.architecture.n_params})
    else:
        print(f"{path}: {spec.model.architecture.n_params:,} parameters")
        print(f"whether it fits: python -m sweeper plan model={name} model_family={options.family} cluster=slurm")
    return EXIT_OK
