"""Scores answers in a process of its own, with another isolation of programs: run by `rewards.audit.second_scorer`.

Reads a JSON object per line from stdin, the parameters of `rewards.compute_score`, and prints the outcome of each.
"""

import json
import sys
from collections.abc import Sequence

from rewards.route.router import ScoreItem, score_batch


def main(limits: Sequence[str]) -> None:
    """Args: limits: Of programs, as `rewards.compute_score` takes them."""
    items = [ScoreItem(**json.loads(line)) for line in sys.stdin]
    for found in score_batch(items, limits=limits):
        print(found["outcome"])


if __name__ == "__main__":
    main(sys.argv[1:])
