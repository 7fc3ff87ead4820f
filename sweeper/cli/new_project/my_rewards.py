"""An example reward of your own: half of it for writing the answer where it is asked for, half for being right."""

import re
from typing import Any


def score(data_source: str, solution_str: str, ground_truth: str, extra_info: dict[str, Any] | None = None) -> float:
    """The reward of one response, 0 to 1; verl's signature for custom rewards."""
    boxed = re.findall(r"\\boxed\{([^{}]*)\}", solution_str)
    if not boxed:
        return 0.0
    return 1.0 if boxed[-1].strip() == ground_truth.strip() else 0.5
