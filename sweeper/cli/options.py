"""Every configuration group and its options; every grid and its question."""

import argparse

from sweeper.cli.verb import add_json, answer
from sweeper.host.printed_table import Room, add_flags, paragraph


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_json(parser)
    add_flags(parser, ids=False)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.grid.expand import grid_titles, group_options
    from sweeper.grid.project import own_files, project, replaced

    found, titles, yours = group_options(), grid_titles(), list(own_files())
    own = {"folder": str(project()), "files": yours, "replaced": list(replaced())} if project() else None

    def text() -> str:
        width, wide = max(map(len, found)), max(map(len, titles))
        lines = [f"{group:<{width}}  {' '.join(names)}" for group, names in found.items() if group != "grid"]
        lines += ["", "Grids (+grid=NAME -m):", *(f"  {name:<{wide}}  {title}" for name, title in titles.items())]
        if yours:
            lines += ["", "yours (conf/ of this project):"]
            lines += [f"  {name}{' (replaces ours)' if name in replaced() else ''}" for name in yours]
        room = Room.of_screen(options)
        return "\n".join(
            paragraph(line, room, indent=" " * (wide + 2 if line.startswith(" ") else width + 2)) for line in lines
        )

    return answer(options, lambda: found | {"grid_titles": titles, "project": own}, text)
