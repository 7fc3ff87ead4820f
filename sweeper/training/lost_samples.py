"""Training samples that verl went on without: generating or scoring them failed.

verl trains the step with what is left of the group, pads the batch with samples of no weight and says so in its log
alone (`verl/trainer/ppo/padding_utils.py`, v0.9).
"""

import re
from collections.abc import Iterable
from pathlib import Path

from rewards.bounded_file import MIB, open_regular

_PADDED = re.compile(rb"Upsampled batch from (\d+) to (\d+) with \d+ synthetic padding samples")


def lost_samples(logs: Iterable[Path]) -> int:
    """How many, over the logs of a run's attempts; a step that two attempts made counts in both."""
    lost = 0
    for path in logs:
        if path.exists():
            with open_regular(path) as file:
                while part := file.readline(MIB):
                    found = _PADDED.search(part)
                    lost += int(found[2]) - int(found[1]) if found else 0
    return lost
