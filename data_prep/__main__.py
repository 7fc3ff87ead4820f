"""`python -m data_prep`; see `data_prep.cli`."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # `python -m` looks for modules in the current folder first: a `rewards.py` there would be taken for ours.
    is_foreign = sys.path[0] != str(Path(__file__).parents[1])
    if is_foreign and not sys.flags.safe_path:
        del sys.path[0]
    if is_foreign or sys.flags.safe_path:
        os.environ["PYTHONSAFEPATH"] = "1"  # `prepare` and `annotate` start a child
    from rewards.program import run_main

    sys.exit(run_main("data_prep.cli", sys.argv[1:]))
