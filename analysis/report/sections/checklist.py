"""How the numbers of a report were made: definitions, estimators, exclusions, versions, digests.

The items follow the reporting checklist of (Mis)fitting (arXiv:2502.18969): hypothesis, set-up, data, fitting.
"""

from collections.abc import Iterable, Sequence
from importlib.metadata import version

import pandas as pd

from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section
from analysis.estimates.numerals import short
from analysis.estimates.points import disagreement
from analysis.laws.catalogue import KN_LOGLINEAR, ZOO
from analysis.report.evidence import Evidence
from analysis.row_laws import power_law
from analysis.runs.checkpoints import FEWEST_STEPS
from analysis.runs.selection import Run, Selection, points_of

READERS = ("numpy", "scipy", "pandas", "vl-convert-python")


def section(evidence: Evidence) -> Section:
    """One table of statements."""
    selection, runs = evidence.selection, evidence.runs
    parts = {
        "hypothesis": _hypothesis(),
        "set-up": _set_up(runs),
        "data": _data(selection, runs),
        "fitting": _fitting(evidence),
        "provenance": _provenance(selection, runs),
    }
    table = frame_table(
        pd.DataFrame(
            [{"part": part, "item": item, "statement": said} for part in parts for item, said in parts[part].items()]
        ),
        name="checklist",
        caption="After the checklist of (Mis)fitting, arXiv:2502.18969: hypothesis, set-up, data, fitting.",
        fold=0,
    )
    return Section(anchor="provenance", title="How these numbers were made", tables=(table,))


def _hypothesis() -> dict[str, str]:
    return {
        "Form, whole runs": "error = 1 - pass@1 = A x^-alpha, no floor, no saturation; one exponent for all runs of "
        "a subset.",
        "Form, learning curves": f"{KN_LOGLINEAR.equation}; L = 1 - validation accuracy. Compared on held-out "
        f"checkpoints with {', '.join(form.name.replace('_', ' ') for form in ZOO)}, each curve by itself.",
        "Variables": "Model size, training compute, responses trained on; everything else is held equal or is a "
        "series.",
    }


def _set_up(runs: Sequence[Run]) -> dict[str, str]:
    rows = [run.row for run in runs]
    models = {f"{row.model} ({short(row.n_params_non_embedding)})" for row in rows}
    return {
        "Models": _listed(models),
        "Algorithms": _listed({row.algorithm for row in rows}),
        "Training data": f"scales {_listed({row.data_scale for row in rows})}; domain mixes "
        f"{_listed({row.domain_mix for row in rows})}",
        "Curriculum": _listed({row.curriculum for row in rows if row.curriculum}),
        "Steps": _listed({row.steps for row in rows if row.steps is not None}),
        "Hyper-parameters": "As frozen in each run's spec.json. Of them a row holds the KL term, LoRA rank and "
        "rollouts: whether they were tuned for each size is not known to this page.",
    }


def _data(selection: Selection, runs: Sequence[Run]) -> dict[str, str]:
    rows = [run.row for run in runs]
    samples = {score.n_samples for row in rows for score in row.trained}
    problems = {score.n_problems for row in rows for score in row.trained if score.domain == "all"}
    seeds = sorted({row.seed for row in rows})
    per_point = sorted({len(point.runs) for point in points_of(runs)})
    accountings = _listed({row.flops.accounting for row in rows if row.flops})
    return {
        "Model size N": "Parameters of all layers and the final norm, without embedding and output matrix.",
        "Data D": "Responses generated for training (prompts x answers per prompt).",
        "Compute C": "Model FLOPs of generation, log-probabilities, reference, actor, critic and supervised "
        f"fine-tuning; evaluation is not included. Accounting: {accountings}. Within a run fine-tuning comes before "
        "step 1, the rest in proportion to the tokens of the steps.",
        "pass@k": "Unbiased estimator of Chen et al. 2021 (arXiv:2107.03374, eq. 1), 1 - C(n-c, k)/C(n, k), mean "
        f"over problems, from {_listed(samples)} samples per problem on {_listed(problems)} problems; never verl's "
        "best@k, which draws with replacement.",
        "Checkpoints": "pass@k: the last one of each run, no selection on the test problems. Learning curves: verl's "
        "own validation set, every validation after step 0.",
        "Seeds": f"Training seeds {_listed(seeds)}; {_listed(per_point)} per configuration.",
        "Exclusions": exclusions(selection),
        "Checks": _checks(runs),
    }


def _fitting(evidence: Evidence) -> dict[str, str]:
    held = sum(point.held_out for point in evidence.checkpoints)
    return {
        "Loss and weights": "Whole runs: least squares of log error, each run the same weight. Learning curves: "
        "least squares of the error, each size the same total weight.",
        "Optimiser": "Variable projection from a grid of starts, refined by Levenberg-Marquardt; no randomness.",
        "Bounds": "K_max in [0, 2], N0 from 0.01 to 100 times the sizes; a value at a bound is said to be so, not "
        "printed.",
        "Held out": f"Learning curves: the last quarter of the steps of each size with {FEWEST_STEPS} validations or "
        f"more ({held} of {len(evidence.checkpoints)} checkpoints), and each size in turn; no parameter sees them. "
        "Whole runs: the largest size, beside the error of the next smaller one. One size is one comparison.",
        "Intervals, pass@k": "Of a mean the delta method on the logit scale, of a gain a difference paired over "
        "problems, both with Student's t. They cover the choice of problems, the sampling of answers and, where "
        "there are several seeds, the runs (two-way random effects); of one seed they do not say what another would "
        "change.",
        "Intervals, whole runs": "Jackknife over configurations (seeds of one stay together) with Student's t. It "
        "covers the scatter between configurations, neither the choice of problems nor what runs from one base model "
        f"share; leaving sizes out shows part of the latter. Not fitted with fewer than {power_law.MIN_LEVELS} "
        "distinct x.",
        "Intervals, learning curves": "Several seeds in every size: jackknife over runs. One seed: profile "
        "likelihood with AR(1) residuals, a lower bound on the uncertainty.",
        "Goodness of fit": "Held-out error beside the last value. R2 is not shown: it is near 1 whatever the law is "
        "worth.",
        "Multiple comparisons": "Intervals are for one comparison each. With many configurations some intervals miss "
        "their truth; the best of many looks better than it is.",
    }


def _provenance(selection: Selection, runs: Sequence[Run]) -> dict[str, str]:
    found = [run.row.provenance for run in runs if run.row.provenance]
    versions: dict[str, set[str]] = {}
    for name, said in (pair for item in found for pair in item.versions.items()):
        versions.setdefault(name, set()).add(said)
    return {
        "Versions": "; ".join(f"{name} {_listed(items)}" for name, items in sorted(versions.items())) or "not recorded",
        "Code": _listed(
            f"{item.git_commit}{' with uncommitted changes' if item.git_dirty else ''}"
            for item in found
            if item.git_commit
        ),
        "Devices": _listed(f"{item.n_devices} x {item.device_name} ({item.device})" for item in found),
        "Training data": _listed(item.data_digest for item in found if item.data_digest),
        "Base models": _listed(item.model_digest for item in found if item.model_digest),
        "Rows": f"digest {selection.digest} of every row and counts file read",
        "This page": ", ".join(f"{name} {version(name)}" for name in READERS),
    }


def exclusions(selection: Selection) -> str:
    """Runs that are in no figure, with the reason."""
    parts = []
    if selection.failed:
        parts.append(f"failed: {_listed(run.row.run_id for run in selection.failed)}")
    if selection.missing:
        parts.append(f"no row yet: {_listed(selection.missing)}")
    if selection.damaged:
        parts.append(f"damaged files: {_listed(selection.damaged)}")
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


def _listed(values: Iterable[object]) -> str:
    """Distinct values in order, numbers as numbers."""
    distinct = set(values)
    numbers = sorted(value for value in distinct if isinstance(value, int | float))
    words = sorted(str(value) for value in distinct if not isinstance(value, int | float))
    return ", ".join([*(f"{number:g}" for number in numbers), *words]) or "not recorded"
