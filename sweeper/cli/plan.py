"""`sweeper plan`: what a launch would do, and what it costs."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweeper.cli.arguments import Verbs, add_json, add_overrides
from sweeper.cli.budget import hold_to_budget
from sweeper.cli.output import EXIT_OK, EXIT_USAGE, print_json
from sweeper.host.errors import VerlMissingError
from sweeper.spec.bounds import PositiveOrZero, argument

if TYPE_CHECKING:
    from sweeper.plan.plan import Plan


def add_parser(verbs: Verbs) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "plan",
        help="what would run, what is done, what it costs",
        description="What a launch would do, and what it costs. Starts nothing. Where verl is not installed, the plan "
        "says that verl has not checked it.",
    )
    add_overrides(parser, example="+grid=model_scale cluster=slurm")
    parser.add_argument("--verl", action="store_true", help="also print each run's overrides for verl.trainer.main_ppo")
    parser.add_argument("--budget-gpu-hours", type=argument(PositiveOrZero), metavar="N", help="fail if it takes more")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.plan.verl_check import expected_overrides
    from sweeper.plan.view import plan_json, plan_text

    plan, _ = planned(options.overrides, multirun=options.multirun or None, without_verl=True)
    if options.json:
        print_json("plan", plan_json(plan, overrides=expected_overrides if options.verl else None))
    else:
        print(plan_text(plan))
        for run in plan.runs if options.verl else ():
            if run.spec is not None:
                print(f"\n# {run.run_id}\npython -m verl.trainer.main_ppo \\")
                print(" \\\n".join(f"  {item}" for item in expected_overrides(run.spec)))
    hold_to_budget(plan, options.budget_gpu_hours)
    return EXIT_USAGE if plan.refused else EXIT_OK


def planned(overrides: Sequence[str], *, multirun: bool | None, without_verl: bool = False) -> "tuple[Plan, Path]":
    """Expand, plan, and let verl refuse what it would not run.

    Args:
        overrides: Of the command line.
        multirun: Whether they may describe several runs; None: as they say.
        without_verl: Whether to plan where verl is missing too; the plan then says that it is unchecked.

    Returns:
        The plan, and the results folder.

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
