"""Where every run stands: state, step, reward, time left (--watch).

SLURM is asked at most once in 15 s, and less often while it does not answer.
"""

import argparse
import io
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from rewards.terminal import own
from sweeper.cli.verb import add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.errors import DamagedError
from sweeper.host.printed_table import Room, add_flags
from sweeper.host.redrawn import Redrawn

if TYPE_CHECKING:
    from sweeper.oversight.expected_start import ExpectedStarts

WATCH_SECONDS = 10.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("which", nargs="?", help="a grid's name, or the start or end of a run id")
    parser.add_argument(
        "--watch",
        action="store_true",
        help="draw it anew every ten seconds, until interrupted (in a pipe: print it again, with the time)",
    )
    parser.add_argument(
        "--start",
        action="store_true",
        help="ask SLURM, by one more question, when it expects waiting runs to start, and what they wait for",
    )
    add_json(parser)
    add_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.oversight.expected_start import ExpectedStarts

    results_dir, expected = results_folder(options), ExpectedStarts() if options.start else None
    if not options.watch:
        return _print(options, results_dir, expected)
    if options.json or not sys.stdout.isatty():
        while True:
            if not options.json:
                print(time.strftime("\n%Y-%m-%d %H:%M:%S"))
            _print(options, results_dir, expected)
            time.sleep(WATCH_SECONDS)
    with Redrawn(own(sys.stdout)) as screen:
        while True:
            found = io.StringIO()
            with redirect_stdout(found):
                _print(options, results_dir, expected, Room.of_screen(options))
            screen.show(
                f"{time.strftime('%H:%M:%S')}, again every {WATCH_SECONDS:.0f} s; Ctrl-C ends\n\n{found.getvalue()}"
            )
            time.sleep(WATCH_SECONDS)


def _print(
    options: argparse.Namespace, results_dir: Path, expected: "ExpectedStarts | None", room: Room | None = None
) -> int:
    from sweeper.launch.slurm.queue import Queue
    from sweeper.oversight.status import run_statuses, status_text

    queue = Queue.recent(results_dir)
    damaged: list[DamagedError] = []
    statuses = run_statuses(results_dir, options.which, queue, damaged)
    if expected is not None:
        expected.tell(statuses, queue, time.time())
    fitting = room or Room.of_screen(options)
    answer(options, lambda: statuses, lambda: status_text(statuses, queue, time.time(), fitting))
    damaged += map(DamagedError, queue.damaged)
    return say_damaged(damaged, what="what they say is not in this answer")
