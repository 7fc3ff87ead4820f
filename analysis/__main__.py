"""`python -m analysis`; see `analysis.cli`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # `python -m` looks for modules in the current folder first: a `rewards.py` there would be taken for ours.
    if not sys.flags.safe_path and sys.path[0] != str(Path(__file__).parents[1]):
        del sys.path[0]
    from rewards.program import run_main

    sys.exit(run_main("analysis.cli", sys.argv[1:]))
