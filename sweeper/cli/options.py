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
    from sweeper.grid.project import own_files, project, replaced

    found, titles, yours = group_options(), grid_titles(), list(own_files())
    if options.json:
        own = {"folder": str(project()), "files": yours, "replaced": list(replaced())} if project() else None
        print_json("options", found | {"grid_titles": titles, "project": own})
    else:
        width = max(map(len, found))
        print("\n".join(f"{group:<{width}}  {' '.join(names)}" for group, names in found.items() if group != "grid"))
        width = max(map(len, titles))
        print("\nGrids (+grid=NAME -m):")
        print("\n".join(f"  {name:<{width}}  {title}" for name, title in titles.items()))
        if yours:
            print("\nyours (conf/ of this project):")
            print("\n".join(f"  {name}{' (replaces ours)' if name in replaced() else ''}" for name in yours))
    return EXIT_OK
