"""Training samples that verl went on without: generating or scoring them failed.

verl trains the step with what is left of the group, pads the batch with samples of no weight and says so in its log
alone (`verl/trainer/ppo/padding_utils.py`, v0.9). The sampler of an agent's run counts them itself and logs them as a
metric (`sweeper.training.agent_sampler`), which padding up to a smaller multiple does not hide.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from rewards.bounded_file import MIB, open_regular
from sweeper.host.json_lines import json_lines
from sweeper.rows.trajectory_metrics import LOST

_PADDED = re.compile(rb"Upsampled batch from (\d+) to (\d+) with \d+ synthetic padding samples")


class _Attempt(Protocol):
    @property
    def log(self) -> Path: ...

    @property
    def metrics(self) -> Path: ...


def lost_samples(attempts: Iterable[_Attempt]) -> int:
    """How many, over a run's attempts; a step that two attempts made counts in both."""
    return sum(_lost(attempt) for attempt in attempts)


def _lost(attempt: _Attempt) -> int:
    counted = []
    if attempt.metrics.exists():
        steps = (record["data"] for _, record in json_lines(attempt.metrics, skip_damaged=True))
        counted = [int(data[LOST]) for data in steps if LOST in data]
    return sum(counted) if counted else _padded(attempt.log)


def _padded(log: Path) -> int:
    lost = 0
    if log.exists():
        with open_regular(log) as file:
            while part := file.readline(MIB):
                found = _PADDED.search(part)
                lost += int(found[2]) - int(found[1]) if found else 0
    return lost
