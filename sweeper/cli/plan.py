"""What would run, what is done, what it costs.

Starts nothing. Where verl is not installed, the plan says that verl has not checked it.
"""

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweeper.cli.budget import hold_to_budget
from sweeper.cli.verb import EXIT_USAGE, add_json, add_overrides, answer, program, say_damaged
from sweeper.host.errors import VerlMissingError
from sweeper.host.printed_table import Room, add_flags
from sweeper.spec.bounds import PositiveOrZero, argument

if TYPE_CHECKING:
    from sweeper.plan.plan import Plan


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_overrides(parser, example="+grid=model_scale cluster=slurm")
    parser.add_argument("--verl", action="store_true", help="also print each run's overrides for verl.trainer.main_ppo")
    parser.add_argument("--budget-gpu-hours", type=argument(PositiveOrZero), metavar="N", help="fail if it takes more")
    add_json(parser)
    add_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.plan.verl_check import NOWHERE, expected_overrides
    from sweeper.plan.view import plan_json, plan_text

    plan, _ = planned(options.overrides, multirun=options.multirun or None, without_verl=True)
    overrides = expected_overrides if options.verl else None

    def text() -> str:
        specs = [run.spec for run in plan.runs if run.spec is not None] if options.verl else []
        known = [f"\n# {NOWHERE} stands for every path; a job counts Ray's CPUs where it runs"] if specs else []
        parts = [[f"\n# {spec.run_id}\npython -m verl.trainer.main_ppo", *expected_overrides(spec)] for spec in specs]
        head = [plan_text(plan, Room.of_screen(options)), *_start(plan, options.overrides), *known]
        return "\n".join([*head, *(" \\\n  ".join(part) for part in parts)])

    code = answer(options, lambda: plan_json(plan, overrides=overrides), text)
    hold_to_budget(plan, options.budget_gpu_hours)
    code = code or say_damaged(plan.damaged, what="what they say is in no state, cost and time of this plan")
    return EXIT_USAGE if plan.refused else code


def _start(plan: "Plan", overrides: Sequence[str]) -> list[str]:
    """The command that starts what is planned; of a plan with nothing to run, the one that looks at it."""
    if plan.refused:
        return []
    if not plan.to_run:
        where = next((f" {word}" for word in overrides if word.startswith("results_dir=")), "")
        return [
            "",
            f"nothing is left to run; look with: {program()} results{f' {plan.grid}' if plan.grid else ''}{where}",
        ]
    many = " -m" if len(plan.runs) > 1 or plan.axes else ""
    return ["", f"start with: {program()} {shlex.join(overrides)}{many}"]


def planned(overrides: Sequence[str], *, multirun: bool | None, without_verl: bool = False) -> "tuple[Plan, Path]":
    """Expand, plan, and let verl refuse what it would not run; returns the plan and the results folder.

    `multirun` is as in `expand`. With `without_verl` there is a plan where verl is missing too, which says so.

    Raises:
        VerlMissingError: verl is missing, and the plan needs it.
        ConfigError: as `expand` and `make_plan`; verl could not be asked.
    """
    from sweeper.plan.verl_verdict import Asker, accepted

    # Importing verl takes longer than everything else here. Where it was never asked it surely will be: begin now.
    known = accepted()
    with Asker(now=not any(known.glob("*.ok"))) as asker:
        from sweeper.grid.expand import expand
        from sweeper.plan.plan import make_plan, refuse
        from sweeper.plan.verl_check import check_plan

        grid = expand(overrides, multirun=multirun)
        results_dir = grid.results_dir
        plan = make_plan(grid, results_dir)
        specs = [run.spec for run in plan.to_run if run.spec is not None]
        try:
            return refuse(plan, check_plan(specs, known, asker)), results_dir
        except VerlMissingError as error:
            if not without_verl:
                raise
            return replace(plan, unchecked=str(error)), results_dir
