"""`sweeper doctor`: whether a sweep would find what it needs."""

import argparse
from dataclasses import asdict

from sweeper.cli.arguments import Verbs, add_json, add_overrides
from sweeper.cli.output import EXIT_FAILED, EXIT_OK, print_json


def add_parser(verbs: Verbs) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "doctor",
        help="what this machine, or a cluster (cluster=slurm), lacks for a sweep, and how to fix it",
        description="What this machine, or a cluster, lacks for a sweep, and how to fix it. Exit code 1: something is "
        "wrong.",
    )
    add_overrides(parser, example="cluster=slurm model_family=qwen2.5")
    parser.add_argument("--job", action="store_true", help="on SLURM, also look from inside a job of each shape")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.grid.expand import expand
    from sweeper.oversight.check import Verdict
    from sweeper.oversight.doctor import examine, text
    from sweeper.plan.plan import spec_from

    grid = expand(options.overrides, multirun=options.multirun or None)
    specs = [spec_from(point.config) for point in grid.points]
    checks = list(examine(specs, grid.results_dir, job=options.job))
    if options.json:
        print_json("doctor", [asdict(check) for check in checks])
    else:
        print(text(checks))
    return EXIT_FAILED if any(check.verdict is Verdict.wrong for check in checks) else EXIT_OK
