"""`sweeper suggest`: which points of a grid to run next."""

import argparse

from sweeper.cli.arguments import Verbs, add_json, add_overrides
from sweeper.cli.output import EXIT_OK, print_json
from sweeper.spec.bounds import Positive, argument

LAWS = ("power", "power_nd", "chinchilla")


def add_parser(verbs: Verbs) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "suggest",
        help="which points of a grid to run next for a budget",
        description="The points of a grid that narrow a prediction most for their cost, as commands. Starts nothing.",
    )
    add_overrides(parser, example="+grid=model_scale seed=0,1,2", at_least_one=True)
    hours = "what the points may cost together, in device-hours (without a GPU: hours of CPU processes)"
    parser.add_argument("--budget-gpu-hours", type=argument(Positive), required=True, metavar="N", help=hours)
    goal = "the point to predict (default: the grid's largest model and data), e.g. 'model=tiny-1.4m seed=0'"
    parser.add_argument("--predict", action="append", default=[], metavar="OVERRIDES", help=goal)
    parser.add_argument("--law", choices=LAWS, help="default: power over size, or power_nd where data vary too")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.grid.expand import expand
    from sweeper.plan.plan import make_plan
    from sweeper.plan.suggest import suggest, suggest_text

    grid = expand(options.overrides, multirun=True)
    results_dir = grid.results_dir
    answer = suggest(
        make_plan(grid, results_dir),
        grid,
        options.overrides,
        results_dir,
        budget=options.budget_gpu_hours,
        predict=options.predict,
        law=options.law,
    )
    if options.json:
        print_json("suggest", answer)
    else:
        print(suggest_text(answer))
    return EXIT_OK
