"""A command that the nodes of a job run together: the first calls, the others answer (`job.answering`).

They share no more than a folder, as for Ray (`training.ray_nodes`).
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rewards.bounded_file import read_json
from sweeper.host.files import write_atomic


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One command that is called for; `name` differs between calls."""

    name: str
    command: list[str]
    env: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How the first node of a job has the others work beside it.

    Attributes:
        path: Of a file in the folder that all share, the job's own; there while a command runs on the first node.
        nodes: How many nodes the job has, the first among them.
    """

    path: Path
    nodes: int

    @contextmanager
    def out(self, command: Sequence[str], env: Mapping[str, str]) -> Iterator[None]:
        """For the time of the block, the other nodes run a command, to which each adds `--node=<its rank>`."""
        told = {"name": secrets.token_hex(8), "command": list(command), "env": dict(env)}
        write_atomic(self.path, json.dumps(told), is_private=True)
        try:
            yield
        finally:
            self.path.unlink(missing_ok=True)

    def heard(self) -> Called | None:
        """What is called for now; None: nothing."""
        try:
            return Called(**read_json(self.path))
        except (OSError, ValueError):  # none, or it goes away this moment
            return None
