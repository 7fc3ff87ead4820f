"""How the numbers of a report were made: definitions, estimators, exclusions, versions, digests.

The items follow the reporting checklist of (Mis)fitting (arXiv:2502.18969): hypothesis, set-up, data, fitting.
"""

from collections.abc import Iterable, Sequence
from importlib.metadata import version

from analysis import bootstrap, power_law
from analysis.estimates import disagreement
from analysis.frame import Run, Selection, points_of

Item = tuple[str, str]
READERS = ("numpy", "pandas", "matplotlib")


def checklist(selection: Selection) -> list[Item]:
    """(name, statement) of every item, in reading order."""
    runs, rows = selection.completed, [run.row for run in selection.completed]
    provenance = [row.provenance for row in rows if row.provenance]
    samples = {score.n_samples for row in rows for score in row.trained}
    problems = {score.n_problems for row in rows for score in row.trained if score.domain == "all"}
    seeds = sorted({row.seed for row in rows})
    per_point = sorted({len(point.runs) for point in points_of(runs)})
    versions = {
        name: {item.versions[name] for item in provenance if name in item.versions} for name in _names(provenance)
    }
    return [
        (
            "Hypothesis",
            "error = 1 - pass@1 = A x^-alpha, no floor, no saturation; one exponent for all runs of a subset.",
        ),
        ("Model size", "Parameters of all layers and the final norm, without embedding and output matrix."),
        (
            "Training FLOPs",
            "Model FLOPs of generation, log-probabilities, reference, actor and critic; evaluation is not included. "
            f"Accounting: {_listed(row.flops.accounting for row in rows if row.flops)}.",
        ),
        (
            "pass@k",
            "Unbiased estimator of Chen et al. 2021 (arXiv:2107.03374, eq. 1), "
            "1 - C(n-c, k)/C(n, k), mean over problems, from "
            f"{_listed(samples)} samples a problem on {_listed(problems)} problems; never verl's best@k, which "
            "draws with replacement.",
        ),
        (
            "Checkpoint",
            "The last one of each run; no selection on the test problems. Curves show verl's own validation set.",
        ),
        (
            "Intervals",
            f"95% percentile bootstrap over problems, {bootstrap.DRAWS} draws, fixed seed {bootstrap.SEED}; base and "
            "trained model are resampled together (paired). They cover the choice of problems and the sampling of "
            "answers, not training seeds.",
        ),
        (
            "Fit",
            "Least squares of log error on log x, each run with equal weight; interval of alpha: jackknife over "
            "configurations (seeds of one stay together) with Student's t. It "
            "covers the scatter between configurations, neither the choice of problems nor what runs from one base "
            "model share; leaving sizes out shows part of the latter. Not fitted with fewer than "
            f"{power_law.MIN_LEVELS} distinct x. R2 is not shown: it is near 1 whatever the law is worth.",
        ),
        (
            "Held out",
            "The largest size, predicted by a law fitted without it, beside the error of the next smaller size. One "
            "size is one comparison.",
        ),
        ("Seeds", f"Training seeds {_listed(seeds)}; {_listed(per_point)} a configuration."),
        ("Exclusions", exclusions(selection)),
        ("Checks", _checks(runs)),
        (
            "Versions",
            "; ".join(f"{name} {_listed(found)}" for name, found in sorted(versions.items())) or "not recorded",
        ),
        ("Code", _code(rows_commits=[(item.git_commit, item.git_dirty) for item in provenance])),
        (
            "Devices",
            _listed(f"{item.n_devices} x {item.device_name} ({item.device})" for item in provenance),
        ),
        ("Training data", _listed(item.data_digest for item in provenance if item.data_digest)),
        ("Base models", _listed(item.model_digest for item in provenance if item.model_digest)),
        ("Rows", f"digest {selection.digest} of every row and counts file read"),
        ("This report", ", ".join(f"{name} {version(name)}" for name in READERS)),
    ]


def exclusions(selection: Selection) -> str:
    """Runs that are in no figure, with the reason."""
    parts = []
    if selection.failed:
        parts.append(f"failed: {_listed(run.row.run_id for run in selection.failed)}")
    if selection.missing:
        parts.append(f"no row yet: {_listed(selection.missing)}")
    unmeasured = [run.row.run_id for run in selection.completed if run.pass1() is None]
    if unmeasured:
        parts.append(f"completed without pass@1: {_listed(unmeasured)}")
    return "; ".join(parts) or "none"


def _checks(runs: Sequence[Run]) -> str:
    """Whether rows and counts tell the same, and what cannot be paired."""
    parts = [text for run in runs if (text := disagreement(run))]
    without = [run.row.run_id for run in runs if run.pass1() is not None and run.trained is None]
    if without:
        parts.append(f"no per-problem counts, hence no interval: {_listed(without)}")
    unpaired = [run.row.run_id for run in runs if run.trained and run.base and not run.paired]
    if unpaired:
        parts.append(
            f"base and trained model answered different problems, hence no paired interval: {_listed(unpaired)}"
        )
    points = points_of(runs)
    places = [(point.row.model, point.series) for point in points]
    if len(set(places)) < len(places):
        parts.append(
            "some configurations share model and label; they differ in settings that a row does not hold (spec.json)"
        )
    return "; ".join(parts) or "every row's pass@1 is the mean of its per-problem counts"


def _code(rows_commits: Sequence[tuple[str | None, bool | None]]) -> str:
    return _listed(
        f"{commit}{' with uncommitted changes' if dirty else ''}" for commit, dirty in rows_commits if commit
    )


def _names(provenance: Iterable[object]) -> list[str]:
    return sorted({name for item in provenance for name in getattr(item, "versions", {})})


def _listed(values: Iterable[object]) -> str:
    """Distinct values in order, numbers as numbers."""
    distinct = set(values)
    numbers = sorted(value for value in distinct if isinstance(value, int | float))
    words = sorted(str(value) for value in distinct if not isinstance(value, int | float))
    return ", ".join([*(f"{number:g}" for number in numbers), *words]) or "not recorded"
