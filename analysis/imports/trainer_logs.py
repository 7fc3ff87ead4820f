"""Logs of transformers' Trainer and of TRL: `log_history` of trainer_state.json, and the dictionaries they print."""

import ast
import re
from pathlib import Path
from typing import Any

from analysis.imports.history import MOST_BYTES, History, Records, counted, runs
from rewards.bounded_file import lines, parsed, read_text

KIND = "trainer log"
_PRINTED = re.compile(r"\{'[\w/]+': [^{}]*\}")


def read_state(path: Path) -> list[History]:
    """`trainer_state.json`: its `log_history` by step; empty: it is none."""
    if path.suffix != ".json":
        return []
    try:
        state = parsed(read_text(path, MOST_BYTES, encoding="utf-8-sig"))
    except ValueError:
        return []
    if not isinstance(state, dict) or not isinstance(state.get("log_history"), list):
        return []
    entries = [
        entry for entry in state["log_history"] if isinstance(entry, dict) and isinstance(entry.get("step"), int)
    ]
    left = len(state["log_history"]) - len(entries)
    said = {"lines": f"{left} entries of log_history have no step and were left out"} if left else {}
    most, done = state.get("max_steps"), state.get("global_step")
    whole = isinstance(most, int) and isinstance(done, int) and most > 0 and done >= most
    records = counted((entry["step"], {key: entry[key] for key in entry if key != "step"}) for entry in entries)
    folder = path.parent.parent if path.parent.name.startswith("checkpoint-") else path.parent
    name = folder.name if path.stem == "trainer_state" and folder.name else path.stem
    return runs(records, one=True, name=name, kind=KIND, said=said, finished=True if whole else None)


def read_printed(path: Path) -> list[History]:
    """`{'loss': 0.1, 'reward': 0.7, …}` anywhere in a log's lines; empty: there are not two of them with a number."""
    records: Records = []
    unread = 0
    for line in lines(path, at_most=MOST_BYTES):
        for text in _PRINTED.findall(line.decode(errors="replace")):
            values = _values(text)
            if not values or not {"loss", "epoch", "reward"} & values.keys():
                unread += 1
            elif "train_runtime" not in values:
                records.append((len(records) + 1, values))
    if len(records) < 2:
        return []
    said = {"order": f"the log states no step: its {len(records)} entries are numbered in order, whatever lies between"}
    if unread:
        said["lines"] = f"{unread} dictionaries are no entries of a log and were left out"
    return [History.of(counted(records), name=path.stem, kind=KIND, said=said)]


def _values(text: str) -> dict[str, Any]:
    try:
        found = ast.literal_eval(text.replace(": nan", ": None").replace(": inf", ": None"))
        return {key: float(value) if isinstance(value, str) else value for key, value in found.items()}
    except (ValueError, SyntaxError, TypeError, AttributeError, MemoryError, RecursionError):
        return {}
