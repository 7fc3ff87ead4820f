"""The rows of a report with their per-problem counts, and how runs group into series and points.

A series is what one colour shows: the algorithm, data scale or domain mix, whichever varies. A point is one
configuration (`group_id`) on one set of problems, with one or more seeds.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from analysis.runs.counts import Counts, Floats, read_hashed
from analysis.runs.hyperparameters import HYPERPARAMETERS, agent, goes_with_algorithm, other_settings
from rewards.bounded_file import JSON_BYTES, read_bytes
from sweeper.host.errors import DamagedError, ResultsError
from sweeper.rows.differences import between_rows
from sweeper.rows.grid_file import Membership, tell_others
from sweeper.rows.row import (
    ResultRow,
    Status,
    base_problems_path,
    problems_after_path,
    problems_path,
    read_rows,
    row_path,
)
from sweeper.spec.agent import NONE

SEPARATOR = " · "  # between the fields of a series' label
ALL_RUNS = "all runs"  # the label of a group that holds them all
USUAL = 0.6  # share of the runs from which a value goes without saying


@dataclass(frozen=True, kw_only=True)
class Run:
    """A row with the counts it was computed from; None where a counts file is not there."""

    row: ResultRow
    trained: Counts | None
    base: Counts | None
    along: Mapping[int, Counts] = field(default_factory=dict)  # by step before the last

    @property
    def paired(self) -> bool:
        """Whether base and trained model answered the same problems."""
        return self.trained is not None and self.base is not None and self.trained.problem_ids == self.base.problem_ids

    def pass1(self, *, base: bool = False) -> float | None:
        """pass@1 over the whole suite."""
        score = self.row.score(base=base)
        return score.at(1) if score else None


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a report is about: runs that have a row, and ids of a grid's runs that have none."""

    record: Membership | None  # of the grid; None: every row there is
    runs: tuple[Run, ...]
    missing: tuple[str, ...]
    digest: str  # of every file read
    damaged: tuple[str, ...] = ()  # what is wrong with files of rows and counts, of whatever run

    @property
    def completed(self) -> tuple[Run, ...]:
        """Runs with a result."""
        return tuple(run for run in self.runs if run.row.status is Status.completed)

    @property
    def failed(self) -> tuple[Run, ...]:
        """Runs that ended without a result."""
        return tuple(run for run in self.runs if run.row.status is Status.failed)


@dataclass(frozen=True, kw_only=True)
class Point:
    """The replicates (seeds) of one configuration on one set of problems."""

    series: str
    runs: tuple[Run, ...]

    @property
    def row(self) -> ResultRow:
        """Row of the first seed, for what the seeds share."""
        return self.runs[0].row

    @property
    def size(self) -> int:
        """Parameters without embedding and head."""
        return self.row.n_params_non_embedding

    @cached_property
    def paired(self) -> bool:
        """Whether base and trained model of every seed answered the same problems."""
        return all(run.paired for run in self.runs)

    @property
    def problem_ids(self) -> tuple[str, ...]:
        """The problems of the trained model's counts; empty without counts."""
        return self.runs[0].trained.problem_ids if self.runs[0].trained else ()

    def matrix(self, k: int, *, base: bool = False, domain: str = "all", step: int | None = None) -> Floats | None:
        """pass@k, seeds x problems; None where a seed has no counts, or those of other problems.

        Of the trained model, of the base model, or after a `step` before the last.
        """
        counts = [run.along.get(step) if step is not None else run.base if base else run.trained for run in self.runs]
        known = [item for item in counts if item is not None]
        if len(known) < len(counts) or len({item.problem_ids for item in known}) != 1:
            return None
        return np.stack([item.pass_at(k, domain) for item in known])


def select(results_dir: Path, grid: str | None = None) -> Selection:
    """Read the rows of a grid, or all rows; of a grid launched in several ways stderr says which it is.

    Raises:
        ConfigError: an unknown grid, or one launched in several ways of which none has its name.
        ResultsError: no folder, no row, or a file that is not what it should be.
    """
    if not (results_dir / "rows").is_dir():
        raise ResultsError(f"{results_dir} holds no rows/ folder: is --results the folder that the sweep wrote to?")
    record = None if grid is None else Membership.read(results_dir, grid)
    if record is not None:
        tell_others(results_dir, record.name)
    members = None if record is None else [member.run_id for member in record.members]
    hasher = hashlib.sha256()
    runs = []
    damaged: list[DamagedError] = []
    for row in read_rows(results_dir, damaged):
        if members is not None and row.run_id not in members:
            continue
        hasher.update(read_bytes(row_path(results_dir, row.run_id), JSON_BYTES))
        paths = (path(results_dir, row.run_id) for path in (problems_path, base_problems_path))
        try:
            trained, base = (read_hashed(path, hasher) for path in paths)
            along = {one.step: _after(results_dir, row, one.step, hasher) for one in row.along if one.scores}
        except ResultsError as error:
            damaged.append(DamagedError(f"run {row.run_id}: {error}"))
            continue
        known = {step: counts for step, counts in along.items() if counts is not None}
        runs.append(Run(row=row, trained=trained, base=base, along=known))
    if not runs and damaged:
        raise damaged[0]
    for broken in damaged:
        print(f"left out: {broken}", file=sys.stderr)
    if not runs:
        raise ResultsError(
            f"{results_dir / 'rows'} holds no row of {grid or 'any run'} yet; see: python -m sweeper status"
        )
    there = {run.row.run_id for run in runs}
    absent = [run_id for run_id in members or () if run_id not in there]
    missing = tuple(run_id for run_id in absent if not row_path(results_dir, run_id).exists())  # the rest are damaged
    own = between_rows([run.row for run in runs])
    places = {run.row.run_id: tuple(item.place(i) for item in own) for i, run in enumerate(runs)}
    runs.sort(key=lambda run: (*_order(run), places[run.row.run_id], run.row.seed, run.row.run_id))
    return Selection(
        record=record,
        runs=tuple(runs),
        missing=missing,
        digest=hasher.hexdigest()[:16],
        damaged=tuple(map(str, damaged)),
    )


def _after(results_dir: Path, row: ResultRow, step: int, hasher: "hashlib._Hash") -> Counts | None:
    return read_hashed(problems_after_path(results_dir, row.run_id, step), hasher)


def series_of(runs: Iterable[Run]) -> dict[str, str]:
    """Label of each run's series by run id: what varies of algorithm, data, mix, order, SFT share and settings.

    A value that most runs have is left out, except of the data and the agent: beside many GRPO runs "n512" is GRPO,
    "ppo · n512" is not.
    """
    rows = [run.row for run in runs]
    parts = _parts(rows)
    varying = [name for name, values in parts.items() if len(set(values)) > 1]
    usual = {name: _usual(parts[name]) for name in varying if name not in ("data", "agent")}
    labels = {}
    for i, row in enumerate(rows):
        shown = [parts[name][i] for name in varying if parts[name][i] != usual.get(name, "")]
        labels[row.run_id] = SEPARATOR.join(shown) or parts["data"][i]
    return labels


def points_of(runs: Sequence[Run], labels: Mapping[str, str] | None = None) -> list[Point]:
    """Runs grouped into configurations, smallest model and least data first.

    Seeds that were measured on different problems stay apart: their problems cannot be averaged. `labels` are those of
    `series_of`, of these runs or of more.
    """
    labels = labels or series_of(runs)
    groups: dict[tuple[str, tuple[str, ...]], list[Run]] = {}
    for run in runs:
        ids = run.trained.problem_ids if run.trained else ()
        groups.setdefault((run.row.group_id, ids), []).append(run)
    return [Point(series=labels[members[0].row.run_id], runs=tuple(members)) for members in groups.values()]


def varying_fields(rows: Sequence[ResultRow]) -> list[str]:
    """What tells series apart, in words, or the data where nothing varies."""
    return [name for name, values in _parts(rows).items() if len(set(values)) > 1] or ["data"]


def _parts(rows: Sequence[ResultRow]) -> dict[str, list[str]]:
    """The parts of a series' label, one value a row; empty where there is nothing to say."""
    totals: dict[str, set[int]] = {}
    for row in rows:
        totals.setdefault(row.data_scale, set()).add((row.n_unique or 0) + (row.n_sft or 0))
    return {
        "algorithm": [row.algorithm for row in rows],
        "data": [
            row.data_scale if len(totals[row.data_scale]) == 1 else f"{row.data_scale} {row.n_unique}" for row in rows
        ],
        "domain mix": [row.domain_mix for row in rows],
        "order": [(row.curriculum or "").replace("_", " ") for row in rows],
        "agent": ["no agent" if agent(row) == NONE else agent(row) for row in rows],
        "SFT share": [_sft_share(row) for row in rows],
        **{
            name: [said(row) or "" for row in rows]
            for name, said in HYPERPARAMETERS.items()
            if not goes_with_algorithm(rows, said)
        },
        **{name: [said(row) for row in rows] for name, said in other_settings(rows).items()},
    }


def _sft_share(row: ResultRow) -> str:
    total = (row.n_sft or 0) + (row.n_unique or 0)
    return f"SFT {(row.n_sft or 0) / total:.0%}" if row.n_sft and total else ""


def _usual(values: Sequence[str]) -> str | None:
    """The value of most rows, if there is one."""
    value = max(dict.fromkeys(values), key=list(values).count)
    return value if list(values).count(value) >= USUAL * len(values) else None


def _order(run: Run) -> tuple[int, str, float, str, str, tuple[float, ...]]:
    row = run.row
    scale = float("inf") if row.n_unique is None else float(row.n_unique)
    settings = tuple(value or 0 for value in (row.kl_loss_coef, row.kl_reward_coef, row.lora_rank, row.rollout_n))
    return (row.n_params_non_embedding, row.model, scale, row.algorithm, row.domain_mix, settings)
