"""What this machine, or a cluster (cluster=slurm), lacks for a sweep, and how to fix it.

Exit code 1: something is wrong.
"""

import argparse
from dataclasses import asdict

from sweeper.cli.verb import EXIT_FAILED, add_json, add_overrides, answer
from sweeper.host.printed_table import Room


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_overrides(parser, example="cluster=slurm model_family=qwen2.5")
    parser.add_argument("--job", action="store_true", help="on SLURM, also look from inside a job of each shape")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.grid.expand import expand
    from sweeper.oversight.check import Verdict
    from sweeper.oversight.doctor import examine, text
    from sweeper.plan.plan import spec_from

    grid = expand(options.overrides, multirun=options.multirun or None)
    specs = [spec_from(point.config) for point in grid.points]
    checks = list(examine(specs, grid.results_dir, job=options.job))
    code = answer(options, lambda: [asdict(check) for check in checks], lambda: text(checks, Room.of_screen()))
    return EXIT_FAILED if any(check.verdict is Verdict.wrong for check in checks) else code
