"""Specs for tests, composed from the real `conf/`."""

from functools import cache
from pathlib import Path

from sweeper.grid.expand import expand
from sweeper.plan.plan import Plan, make_plan, spec_from
from sweeper.spec.run import RunSpec


@cache
def spec(*overrides: str) -> RunSpec:
    return spec_from(expand(overrides, multirun=False).points[0].config)


def plan(results_dir: Path, *overrides: str) -> Plan:
    return make_plan(expand(overrides, multirun=True), results_dir)
