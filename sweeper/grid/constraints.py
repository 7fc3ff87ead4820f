"""What a grid file says about its points beyond its axes: its `grid` block (docs/grids.md).

Each rule must change something: one that names no axis, or a value that no axis can have, is refused.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from sweeper.host.errors import ConfigError
from sweeper.spec.bounds import Name, PositiveOrZero, Word, between

Labels = Mapping[str, str]  # the chosen value of each axis, as written


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRules:
    """The `grid` block of a grid file; part of no run's identity."""

    name: Name | None = None  # of the record and the report; null: after the grid, or the axes, and what is fixed
    questions: tuple[Word, ...] = ()  # names of analysis/questions
    replicates: Annotated[int, between(1, 1_000_000)] | None = None  # seeds per point; null: the one seed of the config
    tie: tuple[list[str], ...] = ()  # axes whose first values belong together, and so on
    exclude: tuple[dict[str, str], ...] = ()  # per line: pattern by axis
    budget_gpu_hours: PositiveOrZero | None = None  # what a launch may take at most, unless --budget-gpu-hours says

    @property
    def changes_points(self) -> bool:
        """Whether the points are not just the product of the axes."""
        return bool(self.replicates or self.tie or self.exclude)


def allowed_by(
    rules: GridRules,
    *,
    axes: Mapping[str, Sequence[str]],
    chosen: Labels,
    options: Callable[[str], Sequence[str]],
) -> Callable[[Labels], bool]:
    """What tells which points of the product of a grid's axes belong to it.

    Args:
        rules: Of the grid file.
        axes: The file's own axes, as written there; tied ones may repeat a value.
        chosen: What the command line fixes to one value; it may fix an axis.
        options: The options of a config group; none for a plain key.

    Raises:
        ConfigError: a rule that cannot be meant so.
    """
    if rules.replicates is not None and "seed" in axes:
        raise ConfigError(f"grid.replicates={rules.replicates} and seed is an axis too; a grid file states one of them")
    tied = [(keys, _rows(keys, axes)) for keys in rules.tie]
    axes = axes if rules.replicates is None else {**axes, "seed": tuple(map(str, range(rules.replicates)))}
    if max(Counter(key for keys in rules.tie for key in keys).values(), default=0) > 1:
        raise ConfigError(f"grid.tie={[list(keys) for keys in rules.tie]} names an axis twice; join the two lists")
    for line in rules.exclude:
        for key, pattern in line.items():
            _check_pattern(key, pattern, axes=axes, chosen=chosen, options=options(key))

    def allows(labels: Labels) -> bool:
        point = {**chosen, **labels}
        if any(tuple(point[key] for key in keys) not in rows for keys, rows in tied):
            return False
        return not any(all(_matches(point[key], pattern) for key, pattern in line.items()) for line in rules.exclude)

    return allows


def _rows(keys: Sequence[str], axes: Mapping[str, Sequence[str]]) -> set[tuple[str, ...]]:
    """The combinations that tied axes have."""
    unknown = [key for key in keys if key not in axes]
    if unknown or len(keys) < 2:
        raise ConfigError(
            f"grid.tie={list(keys)}: tied are two or more axes of this grid ({', '.join(axes)})"
            + (f", and {', '.join(unknown)} is none" if unknown else "")
        )
    lengths = {key: len(axes[key]) for key in keys}
    if len(set(lengths.values())) > 1:
        raise ConfigError(f"grid.tie={list(keys)}: tied axes need as many values each, these have {lengths}")
    rows = list(zip(*(axes[key] for key in keys), strict=True))
    if len(set(rows)) < len(rows):
        raise ConfigError(f"grid.tie={list(keys)}: {next(row for row in rows if rows.count(row) > 1)} is there twice")
    return set(rows)


def _check_pattern(
    key: str, pattern: str, *, axes: Mapping[str, Sequence[str]], chosen: Labels, options: Sequence[str]
) -> None:
    if key not in axes and key not in chosen:
        raise ConfigError(f"grid.exclude names {key}, which is no axis of this grid ({', '.join(axes)})")
    possible = [*axes.get(key, ()), *options]
    for one in pattern.removeprefix("!").split(","):
        if key in axes and not any(_fits(value, one) for value in possible):
            raise ConfigError(
                f"grid.exclude: {key}={one} is never a value of that axis ({', '.join(map(str, axes[key]))}), so the "
                "line would exclude nothing; correct it or take it out"
            )


def _matches(label: str, pattern: str) -> bool:
    found = any(_fits(label, one) for one in pattern.removeprefix("!").split(","))
    return found is not pattern.startswith("!")


def _fits(label: str, pattern: str) -> bool:
    return fnmatchcase(label.lower(), pattern.strip().lower())  # YAML writes true, Python True
