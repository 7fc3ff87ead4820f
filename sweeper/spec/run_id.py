"""The name of a run.

In a module of its own, because whoever looks at runs needs no specification, which takes longer to import than
thousands of runs to read.
"""

from collections.abc import Iterable
from typing import NewType

RunId = NewType("RunId", str)  # readable slug and 12 hex digits: the folder and the row of a run (`RunSpec.run_id`)
SPEC_CURE = "remove it, and the next launch of this run writes it anew"  # of a spec.json that is damaged
_HANDLE = 8  # digits of a handle: of 10,000 runs one pair in a hundred folders shares them


def hash_of(run_id: str) -> str:
    """The hex digits that end a run's id; of an id without them all of it."""
    end = run_id.rpartition("-")[2]
    return end if len(end) == 12 and not end.strip("0123456789abcdef") else run_id


def handles(run_ids: Iterable[str]) -> dict[str, str]:
    """A short name for each run, which every verb accepts: the first digits of its hash, which tell these apart."""
    found = {run_id: hash_of(run_id) for run_id in run_ids}
    hashes = [name for run_id, name in found.items() if name != run_id]
    digits = next((n for n in range(_HANDLE, 12) if len({name[:n] for name in hashes}) == len(hashes)), 12)
    return {run_id: name if name == run_id else name[:digits] for run_id, name in found.items()}
