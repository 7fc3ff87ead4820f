"""`python -m data_prep prepare` and `annotate`: verbs that take the settings of a run.

`data_prep` knows nothing of models, grids and configs: `sweeper` executes them in a child process.
"""

import argparse
import signal
import subprocess
import sys

_HELP = {
    "prepare": "make the files that a run with these settings trains and is measured on",
    "annotate": "measure a model's pass rate on every problem",
}
_MODULES = {"prepare": "sweeper.cli.prepare_data", "annotate": "sweeper.cli.annotate"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the verbs."""
    for verb, text in _HELP.items():
        parser = subparsers.add_parser(verb, help=text, add_help=False, prefix_chars="\0")
        parser.add_argument("arguments", nargs="*")
        parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Executes the verb."""
    code = "import sys; from rewards.program import run_main; sys.exit(run_main(sys.argv[1], sys.argv[2:]))"
    with subprocess.Popen([sys.executable, "-c", code, _MODULES[arguments.verb], *arguments.arguments]) as child:
        # Ctrl-C reaches the child as well, which says what it has to say.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return child.wait()
        finally:
            signal.signal(signal.SIGINT, before)
