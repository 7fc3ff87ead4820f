"""`python -m data_prep prepare`: the files of a run's data, as the run itself makes or finds them."""

import argparse
from collections.abc import Sequence

from data_prep.files.manifest import read_manifest
from rewards.program import EXIT_OK, Parser, guarded
from sweeper.grid.expand import expand, results_dir_of
from sweeper.host.files import open_results
from sweeper.inputs.data import prepared
from sweeper.inputs.models import folder_at_hand
from sweeper.plan.plan import spec_from


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m data_prep prepare",
        description="Make the training, validation and evaluation files of a run below results_dir, where the run "
        "finds them; says how many rows each has, and what was dropped and why.",
    )
    parser.add_argument(
        "overrides", nargs="*", help="as for a run: data_root=FOLDER domain_mix=math data_scale.n_unique=4096"
    )
    return parser


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    return guarded(lambda: _run(_parser().parse_args(arguments)))


def _run(options: argparse.Namespace) -> int:
    config = expand(options.overrides, multirun=False).points[0].config
    spec, results_dir = spec_from(config), results_dir_of(config)
    open_results(results_dir)
    data = prepared(spec, results_dir, tokenizer=folder_at_hand(spec.model, results_dir))
    manifest = read_manifest(data.manifest)
    for split, about in manifest["files"].items():
        shares = ", ".join(f"{domain} {count}" for domain, count in about["by_domain"].items())
        print(f"{split}: {about['rows']} rows ({shares})")
    for kind in ("dropped", "notes"):
        for step, count in manifest.get(kind, {}).items():
            print(f"{kind}: {count} {step}")
    print(f"in {data.manifest.parent}")
    return EXIT_OK
