"""`python -m sweeper` and the command `sweeper`; see `sweeper.cli.main`."""

import sys

OURS = ("sweeper", "rewards", "data_prep", "analysis", "conf")


def run() -> int:
    """Run the command line of this process; returns the exit code."""
    try:
        from sweeper.cli.main import main

        return main(sys.argv[1:])
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in OURS:
            raise
        print(
            f"{error}: {sys.executable} lacks what the project needs; run: make setup && source .venv/bin/activate",
            file=sys.stderr,
        )
        return 2


if __name__ == "__main__":
    sys.exit(run())
