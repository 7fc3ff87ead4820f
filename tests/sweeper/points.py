"""Specs for tests, composed from the real `conf/`."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from sweeper.grid.expand import Grid, expand
from sweeper.plan.plan import Plan, make_plan, spec_from
from sweeper.spec.run import RunSpec


def over(settings: Sequence[str], stronger: Sequence[str]) -> tuple[str, ...]:
    """Overrides with others in the place of those of the same key: a key that is there twice is refused."""
    keys = {item.partition("=")[0] for item in stronger}
    return (*(item for item in settings if item.partition("=")[0] not in keys), *stronger)


@cache
def spec(*overrides: str) -> RunSpec:
    return spec_from(expand(overrides, multirun=False).points[0].config)


def grid_of(*overrides: str) -> Grid:
    """A grid, expanded once for all tests of a process: Hydra takes seconds for a large one."""
    return _grid_of(tuple(sorted(overrides)))  # keys differ, so their order does not matter


@cache
def _grid_of(overrides: tuple[str, ...]) -> Grid:
    return expand(overrides, multirun=True)


def plan(results_dir: Path, *overrides: str) -> Plan:
    """A plan whose grid is expanded once for all tests of a process: what it says of files is planned anew."""
    return make_plan(_grid_of(overrides), results_dir)
