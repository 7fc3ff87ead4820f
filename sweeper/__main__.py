"""`python -m sweeper`; see `sweeper.cli.main`."""

import sys

from sweeper.cli.main import EXIT_USAGE, main

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("sweeper", "rewards", "data_prep", "analysis", "conf"):
            raise
        print(
            f"{error}: {sys.executable} lacks what the project needs; run: make setup && source .venv/bin/activate",
            file=sys.stderr,
        )
        sys.exit(EXIT_USAGE)
