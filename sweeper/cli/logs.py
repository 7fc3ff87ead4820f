"""The end of what a run's last attempt printed, readable (-f follows it; --raw: all bytes).

On a terminal: its last lines, without control codes and verl's printed configuration. In a pipe: all of it, byte by
byte, as with --raw; with -f its last MiB, and what comes after it. -f goes on in later attempts, waits for a job in
SLURM's queue, and ends when the run has ended: exit code 0 if it has a result, else 1.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from rewards.bounded_file import MIB
from sweeper.cli.verb import EXIT_FAILED, EXIT_OK, add_json, add_results, answer, results_folder
from sweeper.host.printed_table import Room, paragraph
from sweeper.spec.bounds import Count, argument

if TYPE_CHECKING:
    from sweeper.runs.folder import RunDir

_LINES = 60


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("which", metavar="run", nargs="?", help="the start or end of a run id")
    parser.add_argument("-f", action="store_true", help="go on printing until the run has ended")
    parser.add_argument(
        "-n", type=argument(Count), default=_LINES, metavar="N", help=f"lines on a terminal (default: {_LINES})"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help="its bytes as they are, which a terminal may obey")
    add_json(form, more=": the lines of its last MiB, without following")


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.rows.row import has_result
    from sweeper.runs.folder import find_run
    from sweeper.runs.readable_log import readable

    run_dir = find_run(results_folder(options), options.which)
    attempts = run_dir.attempts()
    log = attempts[-1].log if attempts else None
    if options.json:
        lines = attempts[-1].log_end().decode(errors="replace").splitlines() if attempts else []
        found = {"run_id": run_dir.run_id, "attempt": len(attempts), "log": log and str(log), "lines": lines}
        return answer(options, lambda: found, str)
    if log is None or not log.exists():
        is_done = has_result(run_dir.results_dir, run_dir.run_id)  # imported, or its folder was taken away
        if options.f and not is_done:
            return _follow(run_dir, 0, is_raw=options.raw or not sys.stdout.isatty())
        print(f"{run_dir.run_id} {'is done and has no log here' if is_done else 'has not begun'}", file=sys.stderr)
        return EXIT_FAILED
    if options.raw or not sys.stdout.isatty():
        if options.f:  # as `tail -f` does it: what is new stands at the end
            return _follow(run_dir, max(0, log.stat().st_size - MIB), is_raw=True)
        with attempts[-1].open_log() as file:
            _write(_parts(file))
        return EXIT_OK
    with attempts[-1].open_log() as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - MIB))
        read = file.read(MIB)
    whole = read[: read.rfind(b"\n") + 1] if options.f else read  # the rest of its last line is yet to come
    end = list(readable(whole.decode(errors="replace").split("\n")))
    left_out = f"({len(end) - options.n} lines before; -n {len(end)} prints them, --raw all of {log})"
    room, shown = Room.of_screen(), [*([left_out] if len(end) > options.n else []), *end[-options.n :]]
    print(*(paragraph(line, room, indent="  ") for line in shown), sep="\n", flush=True)
    return _follow(run_dir, max(0, size - MIB) + len(whole), is_raw=False) if options.f else EXIT_OK


def _follow(run_dir: "RunDir", start: int, *, is_raw: bool) -> int:
    """Print what a run prints from a byte of its last log on, until it has ended; the exit code says how."""
    from sweeper.oversight.followed_log import followed
    from sweeper.rows.row import has_result
    from sweeper.runs.readable_log import readable

    parts = followed(run_dir, start, say=partial(print, file=sys.stderr, flush=True))
    if is_raw:
        _write(parts)
    else:
        room = Room.of_screen()
        for line in readable(_lines(parts)):
            print(paragraph(line, room, indent="  "), flush=True)
    return EXIT_OK if has_result(run_dir.results_dir, run_dir.run_id) else EXIT_FAILED


def _write(parts: Iterable[bytes]) -> None:
    for part in parts:
        sys.stdout.buffer.write(part)
        sys.stdout.flush()


def _parts(file: BinaryIO) -> Iterator[bytes]:
    while part := file.read(MIB):
        yield part


def _lines(parts: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        rest = rest[-MIB:]  # of a line that never ends
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")
