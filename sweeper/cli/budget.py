"""What a launch may cost: a budget, and a question above a threshold."""

import sys
from typing import TYPE_CHECKING

from sweeper.host import amounts
from sweeper.host.errors import ConfigError

if TYPE_CHECKING:
    from sweeper.plan.plan import Plan


def hold_to_budget(plan: "Plan", budget: float | None) -> None:
    """Hold a plan to a budget in GPU-hours: that of the command line, else (None) that of the grid file, if it has one.

    Raises:
        ConfigError: it takes more, or its price is not known.
    """
    key = "--budget-gpu-hours"
    if budget is None:
        key, budget = "grid.budget_gpu_hours", plan.budget_gpu_hours
    if budget is None or not plan.to_run:
        return
    hours = plan.totals.gpu_hours
    if hours is None:
        raise ConfigError(
            f"{key}={budget:g}: {plan.totals.unpriced} of {plan.totals.runs} runs have no estimate (see "
            "above); set cluster.gpu_type to a known one, or measure a run first. Nothing was started"
        )
    if hours > budget:
        raise ConfigError(
            f"{key}={budget:g}, but the plan takes an estimated {amounts.hours(hours)}; run fewer points, or raise "
            "the budget. Nothing was started"
        )


def confirm(hours: float | None, threshold: float | None) -> None:
    """Ask before a start that costs more than the cluster's threshold, both in GPU-hours; None: of unknown price.

    Raises:
        ConfigError: the answer is no, or nobody can be asked.
    """
    if threshold is None or (hours is not None and hours <= threshold):
        return
    price = "an unknown number of" if hours is None else f"an estimated {amounts.hours(hours)}"
    if not sys.stdin.isatty():
        raise ConfigError(
            f"this takes {price} GPU-hours, and more than cluster.confirm_gpu_hours={threshold:g} needs a yes: add "
            "--yes. Nothing was started"
        )
    if input(f"This takes {price} GPU-hours. Start? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ConfigError("not confirmed; nothing was started")
