"""What a run's last attempt prints, byte by byte (-f follows it)."""

import argparse
import sys
import time
from codecs import getincrementaldecoder

from rewards.bounded_file import MIB
from sweeper.cli.verb import EXIT_FAILED, EXIT_OK, add_json, add_results, answer, results_folder


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("which", metavar="run", help="the start or end of a run id")
    parser.add_argument("-f", action="store_true", help="go on printing until interrupted")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help="its bytes as they are, which a terminal may obey")
    add_json(form, more=": the lines of its last MiB, without following")


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.rows.row import has_result
    from sweeper.runs.folder import find_run

    run_dir = find_run(results_folder(options), options.which)
    attempts = run_dir.attempts()
    log = attempts[-1].log if attempts else None
    if options.json:
        lines = attempts[-1].log_end().decode(errors="replace").splitlines() if attempts else []
        found = {"run_id": run_dir.run_id, "attempt": len(attempts), "log": log and str(log), "lines": lines}
        return answer(options, lambda: found, str)
    if log is None or not log.exists():
        is_done = has_result(run_dir.results_dir, run_dir.run_id)  # imported, or its folder was taken away
        print(f"{run_dir.run_id} {'is done and has no log here' if is_done else 'has not begun'}", file=sys.stderr)
        return EXIT_FAILED
    decoder = getincrementaldecoder("utf-8")("replace")
    is_raw = options.raw or not sys.stdout.isatty()
    with attempts[-1].open_log() as file:
        while True:
            while part := file.read(MIB):
                if is_raw:
                    sys.stdout.buffer.write(part)
                else:
                    sys.stdout.write(decoder.decode(part))
                sys.stdout.flush()
            if not options.f:
                return EXIT_OK
            time.sleep(1.0)
