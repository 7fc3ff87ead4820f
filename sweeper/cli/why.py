"""`sweeper why`: what became of one run."""

import argparse

from sweeper.cli.arguments import Verbs, add_json, add_results, results_folder
from sweeper.cli.output import EXIT_OK, print_json

LOG_LINES, SLURM_LINES = 20, 8


def add_parser(verbs: Verbs) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "why",
        help="what became of one run: its row, SLURM, the end of its log",
        description="What became of one run.",
    )
    add_results(parser)
    parser.add_argument("which", metavar="run", help="the start or end of a run id")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.launch.slurm.ledger import step_log
    from sweeper.oversight.status import run_statuses
    from sweeper.runs.folder import find_run

    run_dir = find_run(results_folder(options), options.which)
    (status,) = run_statuses(run_dir.results_dir, run_dir.run_id)
    attempts = run_dir.attempts()
    log = attempts[-1].log if attempts else None
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:] if log is not None and log.exists() else []
    whole = step_log(run_dir.results_dir, run_dir.run_id)
    said = whole[-SLURM_LINES:]
    if status["failure_class"] is not None and status["reason"] is None:  # SLURM's programs may know more
        found = run_dir.diagnosis(status["scheduler"], whole)
        status |= {"failure_class": str(found.failure_class), "evidence": found.evidence} if found else {}
    ended = [] if run_dir.damage() else [attempt.read("exit") for attempt in attempts]
    if options.json:
        print_json("why", {**status, "attempt_ends": ended, "log_tail": lines, "slurm_log_tail": said})
        return EXIT_OK
    print(f"{run_dir.run_id}: {status['state']}")
    told = ("class", status["failure_class"]), ("evidence", status["evidence"])
    for name, value in (("reason", status["reason"]), *told, ("SLURM", status["scheduler"]), ("log", log)):
        if value is not None:
            print(f"{name}: {value}")
    for number, end in enumerate(ended, start=1):
        alive = number == len(ended) and status["state"] == "running"
        silent = "is running" if alive else "left no record of its end"
        print(f"attempt {number}: {end['status'] + ' in ' + end['phase'] if end else silent}")
    print("\n".join(["", *lines]) if lines else "it has printed nothing yet")
    if said and status["state"] != "done":
        print("\n".join(["", "what SLURM's step printed:", *said]))
    return EXIT_OK
