"""Which points of a grid to run next for a budget: those that narrow a prediction most for their cost, as commands.

Starts nothing.
"""

import argparse

from sweeper.cli.verb import EXIT_FAILED, add_json, add_overrides, answer
from sweeper.host.printed_table import Room, add_flags
from sweeper.spec.bounds import Positive, argument

LAWS = ("power", "power_nd", "chinchilla")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_overrides(parser, example="+grid=model_scale seed=0,1,2", at_least_one=True)
    hours = "what the points may cost together, in device-hours (without a GPU: hours of CPU processes)"
    parser.add_argument("--budget-gpu-hours", type=argument(Positive), required=True, metavar="N", help=hours)
    goal = "the point to predict (default: the grid's largest model and data), e.g. 'model=tiny-1.4m seed=0'"
    parser.add_argument("--predict", action="append", default=[], metavar="OVERRIDES", help=goal)
    parser.add_argument("--law", choices=LAWS, help="default: power over size, or power_nd where data vary too")
    add_json(parser)
    add_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.plan.suggest import suggest, suggest_text

    found = suggest(options.overrides, budget=options.budget_gpu_hours, predict=options.predict, law=options.law)
    code = answer(options, lambda: found, lambda: suggest_text(found, Room.of_screen(options)))
    return EXIT_FAILED if found["damaged"] else code
