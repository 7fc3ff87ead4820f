"""`python -m data_prep annotate`: a model's own pass rate on every problem.

Measuring needs the run's model, engine and settings, which `data_prep` knows nothing of: a child process does it.
"""

import argparse
import subprocess
import sys


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the verb `annotate`."""
    parser = subparsers.add_parser(
        "annotate", help="measure a model's pass rate on every problem", add_help=False, prefix_chars="\0"
    )
    parser.add_argument("arguments", nargs="*")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Executes the verb."""
    return subprocess.run([sys.executable, "-m", "sweeper.cli.annotate", *arguments.arguments]).returncode
