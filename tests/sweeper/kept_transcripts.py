"""Turns for the kept samples of a run, as an evaluation of an agent writes them."""

import json
from pathlib import Path
from typing import Any

from sweeper.rows.counts import samples_path
from sweeper.runs.folder import RunDir
from tests.sweeper.kept_run import HOSTILE

ANSWER = "The answer is 3901."


def with_turns(run: RunDir, *, left_out: int = 0) -> Path:
    """Every kept sample of the evaluation gets a call, an observation, which is hostile, and an answer."""
    path = samples_path(run.path / "counts.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        for said in line["verdicts"]:
            said["turns"], said["turns_left_out"] = turns(), left_out
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def turns() -> list[dict[str, Any]]:
    call = '<tool_call>{"name": "calculator"}</tool_call>'
    return [
        {"role": "assistant", "text": call, "tokens": 11, "trained": True, "left_out": 0},
        {"role": "tool", "text": f"3901 {HOSTILE}", "tokens": 7, "trained": False, "left_out": 0},
        {"role": "assistant", "text": ANSWER, "tokens": 5, "trained": True, "left_out": 3},
    ]
