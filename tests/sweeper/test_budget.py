"""What a launch may cost: `--budget-gpu-hours`, the question above a threshold, `--yes`."""

import io
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from sweeper.cli.budget import confirm, hold_to_budget
from sweeper.host import amounts
from sweeper.host.errors import ConfigError
from sweeper.plan.plan import Plan
from sweeper.plan.view import plan_text
from tests.sweeper.points import plan

NOWHERE = Path("/nowhere")


@cache
def on_gpus() -> Plan:
    return plan(NOWHERE, "model_family=qwen2.5", "cluster=slurm", "seed=0,1")


@cache
def on_gpus_of_unknown_type() -> Plan:
    return plan(NOWHERE, "model_family=qwen2.5", "cluster=slurm", "cluster.gpu_type=null", "seed=0,1")


@cache
def tiny() -> Plan:
    return plan(NOWHERE, "seed=0,1")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_plan_above_its_budget_is_refused_with_its_price() -> None:
    hours = on_gpus().totals.gpu_hours
    assert hours
    hold_to_budget(on_gpus(), hours + 1)
    with pytest.raises(ConfigError, match=rf"the plan takes an estimated {amounts.hours(hours)}; run fewer points"):
        hold_to_budget(on_gpus(), hours - 1)


def test_a_plan_prints_the_very_price_that_budgets_and_questions_name() -> None:
    hours = on_gpus().totals.gpu_hours
    assert hours
    (said,) = re.findall(r"an estimated ([\d.,]+) GPU-hours are held against budgets", plan_text(on_gpus()))
    with pytest.raises(ConfigError, match=f"the plan takes an estimated {said};"):
        hold_to_budget(on_gpus(), hours / 2)
    with pytest.raises(ConfigError, match=f"this takes an estimated {said} GPU-hours"):
        confirm(hours, hours / 2)


def test_an_unknown_price_is_in_no_budget() -> None:
    with pytest.raises(ConfigError, match=r"2 of 2 runs have no estimate .* set cluster\.gpu_type"):
        hold_to_budget(on_gpus_of_unknown_type(), 1e9)


def test_a_grid_files_budget_holds_unless_the_command_states_another() -> None:
    grid = plan(NOWHERE, "model_family=qwen2.5", "cluster=slurm", "seed=0,1", "grid.budget_gpu_hours=1")
    assert [run.run_id for run in grid.runs] == [run.run_id for run in on_gpus().runs]
    with pytest.raises(ConfigError, match=r"grid\.budget_gpu_hours=1, but the plan takes"):
        hold_to_budget(grid, None)
    hold_to_budget(grid, 1e9)
    hold_to_budget(on_gpus(), None)


def test_runs_without_gpus_take_no_gpu_hours_and_are_never_asked_about() -> None:
    hold_to_budget(tiny(), 0)
    confirm(tiny().totals.gpu_hours, 0)


def test_without_a_threshold_nothing_is_asked() -> None:
    confirm(on_gpus().totals.gpu_hours, None)


@pytest.mark.parametrize("make", [on_gpus, on_gpus_of_unknown_type])
def test_above_the_threshold_a_launch_without_a_terminal_is_told_to_say_yes(make: Callable[[], Plan]) -> None:
    with pytest.raises(ConfigError, match=r"cluster\.confirm_gpu_hours=1 needs a yes: add --yes"):
        confirm(make().totals.gpu_hours, 1)


@pytest.mark.parametrize(("answer", "starts"), [("y\n", True), ("yes\n", True), ("\n", False), ("n\n", False)])
def test_a_terminal_is_asked(answer: str, starts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    if starts:
        confirm(on_gpus().totals.gpu_hours, 1)
    else:
        with pytest.raises(ConfigError, match="not confirmed; nothing was started"):
            confirm(on_gpus().totals.gpu_hours, 1)


def test_the_command_of_the_page_on_planning_plans() -> None:
    page = Path("docs/planning.md").read_text()
    command = re.search(r"^    python -m sweeper plan (.*)$", page, re.MULTILINE)
    assert command is not None
    found = plan(NOWHERE, *command.group(1).split())
    assert found.refused == ()
    assert found.totals.gpu_hours
