"""`python -m analysis ask NAME`: one question of the field, answered from the rows of a sweep."""

import argparse
import re
from pathlib import Path

from analysis.questions import QUESTIONS, Settings
from rewards.strict_json import json_text
from sweeper.host.errors import ResultsError
from sweeper.host.printed_table import Room, paragraph

EXIT_OK, EXIT_FAILED = 0, 1
# The questions that read a setting.
READERS = {
    "margin": ("curriculum", "min_data", "reuse"),
    "target": ("compute_efficiency", "sample_efficiency"),
}


def add_ask_options(parser: argparse.ArgumentParser) -> None:
    """Options of `ask`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help=f"one of {', '.join(QUESTIONS)}")
    parser.add_argument("--list", action="store_true", dest="listed", help="list every question in words")
    parser.add_argument(
        "--margin",
        type=float,
        help="largest difference in pass@1 that an equivalence test counts as none (default: 0.01); choose it first",
    )
    parser.add_argument(
        "--target", type=float, help="validation accuracy to be reached (default: the answer says which it took)"
    )
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="write the figures into this folder, as SVG files"
    )


def ask(options: argparse.Namespace) -> int:
    """Print an answer, or the list of questions; returns the exit code, 1 where damaged rows are not in the answer.

    Raises:
        ResultsError: no such question, an option outside its range, or there are no rows.
    """
    if options.listed:
        _list(as_json=options.json)
        return EXIT_OK
    if options.name is None:
        raise ResultsError(f"name a question, one of {', '.join(QUESTIONS)}; --list has them in words")
    if options.name not in QUESTIONS:
        raise ResultsError(f"there is no question {options.name!r}: ask one of {', '.join(QUESTIONS)}")
    said = {name: value for name in READERS if (value := getattr(options, name)) is not None}
    for name, value in said.items():
        if not 0 < value < 1:
            raise ResultsError(f"--{name} is {value:g}: give a number between 0 and 1")
        if options.name not in READERS[name]:
            raise ResultsError(
                f"--{name} changes nothing in {options.name}, but in {', '.join(READERS[name])}; leave it out"
            )
    from analysis.drawing.answer import answer_json
    from analysis.drawing.answer_text import answer_text
    from analysis.runs.selection import select

    selection = select(options.results, options.grid)
    answer = QUESTIONS[options.name].ask(selection, Settings(**said))
    if options.figures is not None:
        from analysis.drawing.answer_figures import draw
        from analysis.drawing.standalone import standalone
        from sweeper.host.files import write_atomic

        for name, figure in answer.figures.items():
            words = f"{options.grid or 'all'} {answer.name} {name}".lower()
            stem = re.sub(r"[^a-z0-9]+", "-", words).strip("-")  # of a file, and of the ids in it
            write_atomic(options.figures / f"{stem}.svg", standalone(draw(figure, name=stem)))
    if options.json:
        print(json_text({"command": "ask", "data": answer_json(answer)}, indent=1))
    else:
        print(answer_text(answer, Room.of_screen(options)))
    return EXIT_FAILED if selection.damaged else EXIT_OK


def _list(*, as_json: bool) -> None:
    if as_json:
        print(json_text({"command": "ask", "data": {item.name: item.text for item in QUESTIONS.values()}}, indent=1))
    else:
        width = max(len(name) for name in QUESTIONS)
        lines = "\n".join(f"{item.name:<{width}}  {item.text}" for item in QUESTIONS.values())
        print(paragraph(lines, Room.of_screen(), indent=" " * (width + 2)))
