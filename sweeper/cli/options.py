"""`sweeper options`: the groups of `conf/` and what may be chosen."""

import argparse

from sweeper.cli.arguments import Verbs, add_json
from sweeper.cli.output import EXIT_OK, print_json


def add_parser(verbs: Verbs) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "options",
        help="every configuration group and its options; every grid and its question",
        description="Every configuration group and its options; every grid and its question.",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.grid.expand import grid_titles, group_options

    found, titles = group_options(), grid_titles()
    if options.json:
        print_json("options", found | {"grid_titles": titles})
    else:
        width = max(map(len, found))
        print("\n".join(f"{group:<{width}}  {' '.join(names)}" for group, names in found.items() if group != "grid"))
        width = max(map(len, titles))
        print("\nGrids (+grid=NAME -m):")
        print("\n".join(f"  {name:<{width}}  {title}" for name, title in titles.items()))
    return EXIT_OK
