"""What a launch and a plan end with."""

from pathlib import Path

import pytest

from sweeper.cli.came_out import came_out, next_command
from sweeper.grid.expand import expand
from sweeper.plan.plan import Plan, make_plan, save_grid
from sweeper.rows.row import write_row
from tests.sweeper.points import spec
from tests.sweeper.rows import row


def plan_of(results: Path, *overrides: str) -> Plan:
    return make_plan(expand([*overrides, f"results_dir={results}"], multirun=None), results)


def test_gains_and_the_best_run_are_told_in_two_lines(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "seed=1,2")
    save_grid(plan, tmp_path)
    rows = [row(run.spec) for run in plan.runs if run.spec is not None]
    first, best = came_out(rows, tmp_path)
    gains = [one.score().at(1) - one.score(base=True).at(1) for one in rows]  # type: ignore[union-attr, operator]
    assert first.startswith(f"pass@1 rose in {sum(gain > 0 for gain in gains)} of 2 runs: {min(gains):+.3f} to ")
    assert best.startswith("best: seed ")
    assert any(f"({one.run_id[-12:-4]})" in best for one in rows)


def test_nothing_is_told_of_runs_that_measured_nothing(tmp_path: Path) -> None:
    from dataclasses import replace

    nothing = replace(row(spec("seed=1")), base=(), trained=())
    assert came_out([nothing], tmp_path) == []
    write_row(tmp_path, nothing)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["seed=0"], "sweeper seed=0,1,2 -m"),
        (["model=tiny-40k,tiny-130k", "seed=5"], "sweeper model=tiny-40k,tiny-130k seed=0,1,2,5 -m"),
        (["seed=0,1,2"], "sweeper ask size --grid by_seed"),
    ],
)
def test_what_to_run_next_is_a_command(overrides: list[str], told: str, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, *overrides)
    assert next_command(plan, overrides, "sweeper").startswith(told)
