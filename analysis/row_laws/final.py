"""Which laws a set of runs is asked for: the error against model size, and against training FLOPs."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from analysis.estimates.numerals import short
from analysis.row_laws.power_law import Observation, PowerLaw, count_levels, fit_power_law
from analysis.runs.selection import ALL_RUNS, Run, series_of
from sweeper.rows.flops import axis_note
from sweeper.rows.row import ResultRow

CONFOUNDED = 0.95  # |correlation| of log size and log FLOPs from which their laws say the same


class Axis(StrEnum):
    """What the error is a function of."""

    size = "non-embedding parameters"
    flops = "training FLOPs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One asked-for law with its answer."""

    axis: Axis
    subset: str  # "all runs" or a series
    observations: tuple[Observation, ...]
    result: PowerLaw | str  # or why there is none
    notes: tuple[str, ...]
    repeats_size: bool = False  # whether it is of FLOPs that move together with size: no evidence beside that law

    @property
    def ladder(self) -> str:
        """What the held-out runs have the largest of: models, or compute where there is one model."""
        by_x = self.axis is Axis.flops and all(item.rung == item.x for item in self.observations)
        return "compute" if by_x else "size"


def fit_laws(runs: Sequence[Run]) -> list[Law]:
    """Laws of 1 - pass@1 against size and FLOPs, of all runs and of each series when there are several.

    A run without the number an axis needs is left out and named in the law's notes.
    """
    labels = series_of(runs)
    names = list(dict.fromkeys(labels.values()))
    subsets = {ALL_RUNS: list(runs)}
    if len(names) > 1:
        subsets |= {name: [run for run in runs if labels[run.row.run_id] == name] for name in names}
    laws = []
    for axis in Axis:
        for name, members in subsets.items():
            law = _law(axis, name, members)
            if axis is Axis.size or count_levels([item.x for item in law.observations]) > 1:
                laws.append(law)
    return laws


def cluster_of(row: ResultRow, *, by_model: bool) -> str:
    """What runs share that are no independent points of a law: their base model, or their configuration.

    Series of one base model (amounts of data, algorithms) start from the same weights and answer the same problems:
    where a law goes over several models, repeating the series must not narrow its interval.

    Args:
        row: Of the run.
        by_model: Whether the law goes over several sizes.
    """
    return f"model {row.model}" if by_model else row.group_id


def _law(axis: Axis, subset: str, runs: Sequence[Run]) -> Law:
    observations, left_out = [], []
    sizes = {run.row.n_params_non_embedding for run in runs}
    for run in runs:
        row, pass1 = run.row, run.pass1()
        x = float(row.n_params_non_embedding) if axis is Axis.size else row.flops.total if row.flops else None
        if pass1 is None or x is None:
            left_out.append(row.run_id)
            continue
        rung = float(row.n_params_non_embedding) if len(sizes) > 1 else x
        cluster = cluster_of(row, by_model=len(sizes) > 1)
        observations.append(Observation(run_id=row.run_id, cluster=cluster, x=x, rung=rung, error=1 - pass1))
    result = fit_power_law(observations)
    notes = []
    series = len(set(series_of(runs).values()))
    if isinstance(result, PowerLaw) and len(sizes) > 1 and series > 1:
        notes.append(f"{series} series of {result.n_clusters} base models: the interval is over base models")
    if left_out:
        missing = "pass@1" if axis is Axis.size else "pass@1 or training FLOPs"
        notes.append(f"left out, because {missing} was not measured: {', '.join(left_out)}")
    if axis is Axis.flops and observations:
        notes.append(axis_note({run.row.flops.accounting for run in runs if run.row.flops}))
    repeats_size = False
    if axis is Axis.flops and isinstance(result, PowerLaw) and len(sizes) > 1:
        correlation = float(np.corrcoef(np.log([[item.x, item.rung] for item in observations]).T)[0, 1])
        repeats_size = abs(correlation) >= CONFOUNDED
        if repeats_size:
            notes.append(
                f"log FLOPs and log size are correlated {correlation:.3f} in these runs: this law repeats the one "
                "against size and is no separate evidence"
            )
    return Law(
        axis=axis,
        subset=subset,
        observations=tuple(observations),
        result=result,
        notes=tuple(notes),
        repeats_size=repeats_size,
    )


def law_text(law: Law) -> str:
    """A law as a paragraph of plain lines; the held-out check never without its baseline."""
    fit = law.result
    lines = [f"error (1 - pass@1) against {law.axis}, {law.subset}, {len(law.observations)} runs"]
    if isinstance(fit, str):
        lines.append(f"  not fitted: {fit}")
    else:
        ends = "(no interval)" if fit.alpha_low is None else f"[{fit.alpha_low:.3f}, {fit.alpha_high:.3f}]"
        lines += [
            f"  error = {math.exp(fit.log_a):.4g} x^-{fit.alpha:.3f}, x from {fit.x_min:.3g} to {fit.x_max:.3g}",
            f"  alpha = {fit.alpha:.3f} {ends}; leaving each size out: {fit.jackknife_low:.3f} to "
            f"{fit.jackknife_high:.3f}",
        ]
        if held := fit.held_out:
            verdict = "closer" if held.law_mae < held.last_value_mae else "no closer"
            lines.append(
                f"  held out: at the largest {law.ladder} ({short(held.rung)}) the law fitted without it is off by "
                f"{held.law_mae:.3f} (predicted {held.predicted:.3f}, measured {held.observed:.3f}), the error of the "
                f"next smaller one by {held.last_value_mae:.3f}: the law is {verdict} than the last value"
            )
        else:
            lines.append(f"  held out: none ({fit.held_out_reason})")
        lines += [f"  warning: {item}" for item in fit.warnings]
    return "\n".join([*lines, *(f"  note: {note}" for note in law.notes)])


def law_json(law: Law) -> dict[str, Any]:
    """A law as JSON values."""
    value: dict[str, Any] = {"axis": law.axis.name, "x": str(law.axis), "subset": law.subset, "notes": list(law.notes)}
    value["runs"] = [asdict(item) for item in law.observations]
    if isinstance(law.result, str):
        return value | {"fit": None, "not_fitted": law.result}
    fit = asdict(law.result)
    return value | {"fit": fit | {"a": math.exp(law.result.log_a)}, "not_fitted": None}
