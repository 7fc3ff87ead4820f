"""Per-problem counts as the analysis holds them: by column, ordered by problem."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.passk.estimator import pass_at_k_values
from rewards.bounded_file import read_bytes
from sweeper.host.errors import ConfigError, ResultsError
from sweeper.host.json_lines import MOST_BYTES
from sweeper.rows.counts import read_lines, trajectories_of
from sweeper.rows.trajectories import Trajectories
from sweeper.spec.bounds import validated

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Samples drawn (`n`) and correct (`c`) of each problem, ordered by problem id."""

    problem_ids: tuple[str, ...]
    domains: tuple[str, ...]
    n: tuple[int, ...]
    c: tuple[int, ...]
    difficulties: tuple[float | None, ...] = field(default=(), compare=False)  # these: none where no line has them
    response_tokens: tuple[int | None, ...] = field(default=(), compare=False)  # of all n samples together
    trajectories: tuple[Trajectories | None, ...] = field(default=(), compare=False)  # of an agent

    def pass_at(self, k: int, domain: str = "all") -> Floats:
        """pass@k of every problem of a domain; NaN where k > n."""
        values = _pass_at(self, k)
        return values if domain == "all" else values[_in_domain(self, domain)]


@lru_cache(maxsize=8192)
def _pass_at(counts: Counts, k: int) -> Floats:
    values = pass_at_k_values(np.array(counts.n), np.array(counts.c), k)
    values.flags.writeable = False
    return values


@lru_cache(maxsize=8192)
def _in_domain(counts: Counts, domain: str) -> NDArray[np.bool_]:
    return np.array([name == domain for name in counts.domains], dtype=np.bool_)


def read_hashed(path: Path, hasher: "hashlib._Hash") -> Counts | None:
    """A file of counts, which goes into the digest; None where it is not there.

    Raises:
        ResultsError: it is not what it should be.
    """
    if not path.exists():
        return None
    lines = read_lines(path, "domain")
    hasher.update(read_bytes(path, MOST_BYTES))
    found = sorted(lines, key=lambda line: str(line["problem_id"]))
    ids = tuple(line["problem_id"] for line in found)
    if len(set(ids)) != len(ids):
        raise ResultsError(f"{path} counts a problem twice: problem ids must be unique")
    return Counts(
        problem_ids=ids,
        domains=tuple(str(line["domain"]) for line in found),
        n=tuple(line["n"] for line in found),
        c=tuple(line["c"] for line in found),
        difficulties=_column(found, "difficulty", float | None, path),
        response_tokens=_column(found, "response_tokens", int | None, path),
        trajectories=_trajectories(found, path),
    )


def _trajectories(lines: Sequence[Mapping[str, Any]], path: Path) -> tuple[Trajectories | None, ...]:
    """As `ProblemCount.of` reads them; empty where no line has them."""
    if not any(line.get("trajectories") for line in lines):
        return ()
    try:
        return tuple(
            trajectories_of(told, line["n"], line["c"]) if (told := line.get("trajectories")) else None
            for line in lines
        )
    except ValueError as error:
        raise ResultsError(f"{path} is not a file of per-problem counts: {error}") from error


def _column(lines: Sequence[Mapping[str, Any]], key: str, kind: Any, path: Path) -> tuple[Any, ...]:
    """What each line says of it; empty where none does.

    Raises:
        ResultsError: a value is not of its kind.
    """
    values = [line.get(key) for line in lines]
    if all(value is None for value in values):
        return ()
    try:
        return tuple(validated(tuple[kind, ...], key, values))
    except ConfigError as error:
        raise ResultsError(f"{path} is not a file of per-problem counts: {error}") from error
