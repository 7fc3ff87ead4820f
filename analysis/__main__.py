"""`python -m analysis`; see `analysis.cli`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # `python -m` looks for modules in the current folder first: a `rewards.py` there would be taken for ours.
    if Path.cwd() != Path(__file__).parents[1] and not sys.flags.safe_path:
        del sys.path[0]
    from analysis.cli import main

    sys.exit(main(sys.argv[1:]))
