"""A page in the browser: runs, live curves, logs, samples, reports.

It is read-only and listens on this machine alone; `ssh -L` reaches it from another. The address that it prints holds a
token, without which nobody is answered.
"""

import argparse
from typing import Annotated

from sweeper.cli.verb import EXIT_OK, add_results, results_folder
from sweeper.spec.bounds import Name, argument, between

PORT = 8123


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("grid", nargs="?", type=argument(Name), help="show the runs of this grid at first")
    parser.add_argument(
        "--port",
        type=argument(Annotated[int, between(0, 65535)]),
        default=PORT,
        metavar="N",
        help=f"default: {PORT}; the next where it is in use; 0: any that is free",
    )


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.dashboard.serving import serve
    from sweeper.rows.grid_file import Membership

    results_dir = results_folder(options)
    grid = None if options.grid is None else Membership.read(results_dir, options.grid).name
    serve(results_dir, port=options.port, grid=grid)
    return EXIT_OK
