"""`python -m rewards`; see `rewards.cli`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # `python -m` looks for modules in the current folder first: a `data_prep.py` there would be taken for ours.
    if not sys.flags.safe_path and sys.path[0] != str(Path(__file__).parents[1]):
        del sys.path[0]
    from rewards.program import run_main

    sys.exit(run_main("rewards.cli", sys.argv[1:]))
