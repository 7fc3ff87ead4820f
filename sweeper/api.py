"""What `import sweeper` gives: a results folder as data frames.

    import sweeper

    frame = sweeper.results("model_scale")

Each function reads the files of a results folder (`results_dir`, by default `results` in the current folder) anew and
writes nothing; `report` alone makes a file. What was not measured is missing (NaN, None or pandas.NA), never 0.
"""

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from sweeper.cli.results import rows_of
from sweeper.cli.verb import results_folder
from sweeper.host.errors import ConfigError, DamagedError
from sweeper.oversight.report import render
from sweeper.rows import table
from sweeper.rows.agent_columns import did
from sweeper.rows.curve import read_curve
from sweeper.rows.curve_point import NUMBERS, CurvePoint, signals
from sweeper.rows.grid_file import Membership, grids, matching
from sweeper.rows.money import costs_of
from sweeper.rows.row import read_row, row_path
from sweeper.rows.sample import VERDICTS, Origin, Sample, Wanted
from sweeper.runs.folder import RunDir, find_run, known_runs
from sweeper.runs.samples import counts, kept_samples

_MEASURED = tuple(name for name in NUMBERS if name not in ("step", "val_pass1"))


def results(grid: str | None = None, *, results_dir: str | Path = "results") -> pd.DataFrame:
    """The results table.

    Args:
        grid: A grid's name; None: every run of the folder.
        results_dir: Root of the results.

    Returns:
        One row per run, in the order of the ids, with the columns of `sweeper results --json`: among them `run_id`,
        `status`, `model`, `n_params` (weights), `n_unique` (problems), `steps`, `flops`, `gpu_seconds`, `total_s`
        (seconds), `base_pass@k` and `pass@k` (0 to 1), `gain` (their difference at k = 1), and one for each setting in
        which the runs differ. Damaged rows are left out, with a warning that names the file.

    Raises:
        ConfigError: there is no such folder or grid.
    """
    _require_text(grid=grid)
    folder, damaged = _folder(results_dir), list[DamagedError]()
    rows = rows_of(folder, grid=grid, damaged=damaged)
    for error in damaged:
        warnings.warn(f"left out: {error}", stacklevel=2)
    found = table.records(rows, costs_of(folder, rows))
    return pd.DataFrame(found, columns=table.columns(found))


def curves(run_or_grid: str | None = None, *, results_dir: str | Path = "results") -> pd.DataFrame:
    """Training curves, tidy: one row per run, step and metric that was measured.

    Args:
        run_or_grid: A grid's name, or the start or end of a run's id; None: every run of the folder.
        results_dir: Root of the results.

    Returns:
        The columns `run_id`, `step` (from 0: the validation before training), `metric` and `value`. Metrics: `reward`
        (mean of the step's rollouts), `val_accuracy` (mean of a validation, 0 to 1), `response_length` (tokens,
        mean), `entropy` and `kl` (nats per token), `tokens` (of the step's batch), `seconds` (wall time of the step),
        `tokens_per_s`, `truncated` (share of responses at the longest length), `clip_share` (of tokens),
        `grad_norm`, `probs_diff` (mean difference of rollout's and actor's probability of a token), `late_verdicts`
        (share of the step's verdicts that a limit of time or an outage decided), `groups_without_signal` (share of the
        step's groups whose rewards are all alike), `groups_all_right` (those of them that are right),
        `discarded_groups` (by dynamic sampling, per step); of an agent's rollouts also
        `turns`, `calls`, `used_a_tool`, `ended_answered` and the like, as in the columns of `results`. Runs that are
        training are read as far as they are.

    Raises:
        ConfigError: there is no such folder.
        RunFailedError: it names no grid and no run, or several runs.
        DamagedError: a row is not what was written.
    """
    _require_text(run_or_grid=run_or_grid)
    records = [
        (run_dir.run_id, point.step, metric, float(value))
        for run_dir in _runs(_folder(results_dir), run_or_grid)
        for point in _curve(run_dir)
        for metric, value in _measured(point).items()
        if value is not None
    ]
    return pd.DataFrame(records, columns=["run_id", "step", "metric", "value"])


def samples(
    run: str,
    *,
    step: int | None = None,
    base: bool = False,
    verdict: str | None = None,
    problem: str | None = None,
    source: str | None = None,
    search: str | None = None,
    results_dir: str | Path = "results",
) -> pd.DataFrame:
    """What a model wrote.

    Args:
        run: The start or end of a run's id.
        step: Of the validation of this training step; None: of the evaluation, where there is one, else of the last
            validation.
        base: Of the model before RL.
        verdict: Only of this one: `correct`, `wrong`, `no_answer`, `truncated`, `timeout` or `error`; of an agent also
            how a trajectory ended unfinished (`turn_limit`, ...).
        problem: Only of the problem whose name starts or ends so.
        source: Only of this domain, or of data sources that start so.
        search: Only with these words in prompt, response or an answer.
        results_dir: Root of the results.

    Returns:
        One row per kept sample, with the fields of `sweeper.rows.sample.Sample` as columns.

    Raises:
        ConfigError: there is no such folder or verdict, or both `step` and `base` are given.
        RunFailedError: there is no such run.
        ResultsError: it has no such samples; says which there are.
    """
    _require_text(problem=problem, source=source, search=search)
    if step is not None and (isinstance(step, bool) or not isinstance(step, int)):
        raise ConfigError(f"step={step!r} is not a whole number: give the step of a validation, such as 20")
    if verdict is not None and verdict not in VERDICTS:
        raise ConfigError(f"verdict={verdict!r}: there are {', '.join(VERDICTS)}")
    if base and step is not None:
        raise ConfigError(f"step={step} is of a validation, base=True of the model before RL: give one of them")
    kept = kept_samples(_run(results_dir, run), Origin.base if base else None, step)
    wanted = Wanted(verdict=verdict, problem=problem, source=source, text=search)
    names = [field.name for field in fields(Sample)]
    found = [sample.as_dict() for sample in wanted.among(kept)]
    for error in kept.damaged:
        warnings.warn(str(error), stacklevel=2)
    return pd.DataFrame(found, columns=names)


def problems(run: str, *, results_dir: str | Path = "results") -> pd.DataFrame:
    """Per-problem counts behind a run's pass@k, beside its base model's.

    Args:
        run: The start or end of a run's id.
        results_dir: Root of the results.

    Returns:
        One row per problem: `problem_id`, `data_source`, `domain`, `difficulty` (level that the source states), `n` and
        `c` (samples, correct ones), `base_n` and `base_c` (missing where the base model was not measured on it).

    Raises:
        ConfigError: there is no such folder.
        RunFailedError: there is no such run.
        ResultsError: a file of counts is not what was written.
    """
    run_dir = _run(results_dir, run)
    before = {item.problem_id: item for item in counts(run_dir, Origin.base)}
    records = []
    for item in counts(run_dir, Origin.evaluation):
        base = before.get(item.problem_id)
        about = (item.problem_id, item.data_source, item.domain, item.difficulty, item.n, item.c)
        records.append((*about, *((base.n, base.c) if base else (None, None))))
    names = ["problem_id", "data_source", "domain", "difficulty", "n", "c", "base_n", "base_c"]
    kinds = {"difficulty": "Float64", "n": "Int64", "c": "Int64", "base_n": "Int64", "base_c": "Int64"}
    return pd.DataFrame(records, columns=names).astype(kinds)


def report(grid: str | None = None, *, results_dir: str | Path = "results", out: str | Path | None = None) -> Path:
    """Render the report, in a process of its own (seconds).

    Args:
        grid: A grid's name; None: every run of the folder.
        results_dir: Root of the results.
        out: The HTML file; None: `reports/<grid or "all">.html` below the results.

    Returns:
        The HTML file; its tables as CSV and JSON lie beside it.

    Raises:
        ConfigError: there is no such folder.
        SweeperError: it could not be rendered; says why.
    """
    _require_text(grid=grid)
    return render(_folder(results_dir), grid, None if out is None else Path(out).absolute()).page


def _require_text(**given: object) -> None:
    """Require of names that they are text, or None.

    Raises:
        ConfigError: one is not; says what is wanted.
    """
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise ConfigError(f"{name}={value!r} is not text: give a name, such as {name}='{value}'")


def _run(results_dir: str | Path, run: str) -> RunDir:
    if not isinstance(run, str):
        raise ConfigError(f"run={run!r} is not text: give the start or end of a run's id")
    return find_run(_folder(results_dir), run)


def _folder(results_dir: str | Path) -> Path:
    if not isinstance(results_dir, str | Path):
        raise ConfigError(f"results_dir={results_dir!r} is no folder: give its path")
    return results_folder(argparse.Namespace(results=Path(results_dir)))


def _runs(results_dir: Path, which: str | None) -> list[RunDir]:
    if which is None:
        return [RunDir(results_dir=results_dir, run_id=run_id) for run_id in known_runs(results_dir)]
    if matching(results_dir, which):
        members = Membership.read(results_dir, which).members
        return [RunDir(results_dir=results_dir, run_id=member.run_id) for member in members]
    return [find_run(results_dir, which, grids(results_dir))]


def _measured(point: CurvePoint) -> dict[str, float | None]:
    acted = did(point.trajectories) if point.trajectories else {}
    late = {"late_verdicts": point.verdicts.share} if point.verdicts else {}
    told = {"val_accuracy": point.val_pass1} | {name: getattr(point, name) for name in _MEASURED}
    return told | signals(asdict(point)) | late | acted


def _curve(run_dir: RunDir) -> Iterator[CurvePoint]:
    path = row_path(run_dir.results_dir, run_dir.run_id)
    yield from read_row(path).curve if path.exists() else read_curve(item.metrics for item in run_dir.attempts())
