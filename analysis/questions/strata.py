"""Runs that differ only in what a question is about: strata within which arms can be compared."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from analysis.estimates.panel import Arm
from analysis.runs.hyperparameters import HYPERPARAMETERS, agent, other_settings
from analysis.runs.selection import ALL_RUNS, Run
from sweeper.rows.row import ResultRow
from sweeper.spec.agent import NONE

FACTORS: dict[str, Callable[[ResultRow], Hashable]] = {  # beside `other_settings`
    "model": lambda row: row.model,
    "algorithm": lambda row: row.algorithm,
    "domain_mix": lambda row: row.domain_mix,
    "curriculum": lambda row: row.curriculum,
    "n_unique": lambda row: row.n_unique,
    "n_sft": lambda row: row.n_sft,
    "reuse": lambda row: None if row.reuse is None else float(f"{row.reuse:.2g}"),
    "steps": lambda row: row.steps,
    "agent": agent,
    **HYPERPARAMETERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Runs with the same value of every factor but the free ones; `label` names the factors that vary over strata."""

    label: str
    runs: tuple[Run, ...]


def strata(runs: Sequence[Run], *, free: Iterable[str]) -> list[Stratum]:
    """Group completed runs by every factor that is not free, in the order of first appearance.

    Where algorithms are compared, each one's usual KL term and rollouts belong to it and agree with the other's usual.
    """
    given, rows = set(free), [run.row for run in runs]
    factors = FACTORS | (_own_settings(rows) if "algorithm" in given else {}) | other_settings(rows)
    held = [name for name in factors if name not in given]
    groups: dict[tuple[Hashable, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(factors[name](run.row) for name in held), []).append(run)
    vary = [i for i in range(len(held)) if len({key[i] for key in groups}) > 1]
    return [
        Stratum(label=", ".join(_said(held[i], key[i]) for i in vary) or ALL_RUNS, runs=tuple(members))
        for key, members in groups.items()
    ]


def arms(
    stratum: Stratum, *, label: Callable[[ResultRow], str], x: Callable[[ResultRow], float | None]
) -> tuple[Arm, ...]:
    """The arms of a stratum in order of x: one a configuration (`group_id`), its seeds together.

    Configurations without an x are left out. Two configurations may share an x: they differ in a setting that rows
    do not hold.
    """
    found = []
    for members in _seeds(stratum.runs):
        place = x(members[0].row)
        if place is not None:
            found.append(Arm(label=label(members[0].row), x=float(place), runs=tuple(members)))
    return tuple(sorted(found, key=lambda arm: (arm.x, arm.label)))


def apart(one: Sequence[Run], other: Sequence[Run], *, free: Iterable[str]) -> list[str]:
    """Factors of which no run of one side has a value of the other's."""
    factors = FACTORS | other_settings([run.row for run in (*one, *other)])
    values = {name: [{of(run.row) for run in side} for side in (one, other)] for name, of in factors.items()}
    return [name for name, (first, second) in values.items() if name not in set(free) and not first & second]


def _seeds(runs: Sequence[Run]) -> list[list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.row.group_id, []).append(run)
    return list(groups.values())


def _own_settings(rows: Sequence[ResultRow]) -> dict[str, Callable[[ResultRow], Hashable]]:
    """KL term and rollouts, "usual" where most runs of the algorithm have the same (of as many: the first)."""

    def own(name: str) -> Callable[[ResultRow], Hashable]:
        said = HYPERPARAMETERS[name]
        found: dict[str, list[str | None]] = {}
        for row in rows:
            found.setdefault(row.algorithm, []).append(said(row))
        usual = {algorithm: max(dict.fromkeys(values), key=values.count) for algorithm, values in found.items()}
        return lambda row: f"usual {name}" if said(row) == usual[row.algorithm] else said(row)

    return {name: own(name) for name in ("KL", "rollouts")}


def _said(name: str, value: Hashable) -> str:
    words = {"n_unique": "problems", "n_sft": "problems of fine-tuning", "steps": "steps"}.get(name)
    if name == "n_sft" and value == 0:
        return "no fine-tuning"
    if name == "agent" and value == NONE:
        return "no agent"
    if name == "reuse" and value is not None:
        return "each seen once" if value == 1 else f"each seen {value:g} times"
    if name == "curriculum" and value is not None:
        return "mixed order" if value == "mixed" else str(value).replace("_", " ")
    if words is None:
        return str(value) if value is not None else f"{name} unknown"
    said = f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else "unknown"
    return f"{said} {words}"


def configurations(runs: Sequence[Run]) -> tuple[Arm, ...]:
    """Every configuration with its seeds, smallest model first; labels hold as many factors as tell them apart."""
    groups = _seeds(runs)
    rows = [members[0].row for members in groups]
    factors = FACTORS | other_settings(rows)
    used: list[str] = []
    for name in factors:
        known = {tuple(factors[other](row) for other in used) for row in rows}
        finer = {tuple(factors[other](row) for other in [*used, name]) for row in rows}
        if len(finer) > len(known) or name == "model":
            used.append(name)
    labels = [", ".join(_said(name, factors[name](row)) for name in used) for row in rows]
    seen: dict[str, int] = {}
    found = []
    for label, members in zip(labels, groups, strict=True):
        seen[label] = seen.get(label, 0) + 1
        own = label if seen[label] == 1 else f"{label} ({seen[label]})"
        found.append(Arm(label=own, x=float(members[0].row.n_params_non_embedding), runs=tuple(members)))
    return tuple(sorted(found, key=lambda arm: arm.x))
