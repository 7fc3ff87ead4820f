"""What became of one run: what it did and gained, or why it did not; SLURM, the end of its log."""

import argparse

from rewards.terminal import one_line
from sweeper.cli.verb import add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.errors import DamagedError
from sweeper.host.printed_table import Room, paragraph

LOG_LINES, SLURM_LINES = 20, 8


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("which", metavar="run", nargs="?", help="the start or end of a run id")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.launch.slurm.ledger import step_log
    from sweeper.oversight.status import run_statuses
    from sweeper.rows.differences import named, swept
    from sweeper.runs.folder import find_run
    from sweeper.runs.readable_log import readable

    run_dir = find_run(results_folder(options), options.which)
    (status,) = run_statuses(run_dir.results_dir, run_dir.run_id)
    attempts, damaged = run_dir.attempts(), list[DamagedError]()
    log = attempts[-1].log if attempts else None
    whole_end, lines, whole = list[str](), list[str](), list[str]()
    try:
        whole_end = attempts[-1].log_end().decode(errors="replace").splitlines() if attempts else []
        lines = whole_end[-LOG_LINES:]
        whole = step_log(run_dir.results_dir, run_dir.run_id)
    except DamagedError as error:
        damaged.append(error)
    said = whole[-SLURM_LINES:]
    if status["failure_class"] is not None and status["reason"] is None:  # SLURM's programs may know more
        found = run_dir.diagnosis(status["scheduler"], whole)
        status |= {"failure_class": str(found.failure_class), "evidence": found.evidence} if found else {}
    damage = run_dir.damage()
    if damage is not None and status["state"] == "damaged":
        damaged.append(damage)
    ended = [] if damage else [attempt.read("exit") for attempt in attempts]
    data = {**status, "attempt_ends": ended, "log_tail": lines, "slurm_log_tail": said}

    def text() -> str:
        room = Room.of_screen()
        if status["state"] == "done" and (row := run_dir.row()) is not None:
            from sweeper.cli.what_it_did import what_it_did

            return "\n".join(paragraph(line, room, indent="  ") for line in what_it_did(run_dir, row))
        varied = swept(run_dir.results_dir).get(run_dir.run_id)
        told = [f"{named(run_dir.run_id, varied)}: {status['state']}"]
        for key in ("reason", "failure_class", "evidence", "scheduler", "log"):
            name = {"failure_class": "class", "scheduler": "SLURM"}.get(key, key)
            value = log if key == "log" else status[key]
            told += [] if value is None else [f"{name}: {one_line(str(value))}"]
        for number, end in enumerate(ended, start=1):
            alive = number == len(ended) and status["state"] == "running"
            silent = "is running" if alive else "left no record of its end"
            told.append(f"attempt {number}: {end['status'] + ' in ' + end['phase'] if end else silent}")
        told += ["", *list(readable(whole_end))[-LOG_LINES:]] if lines else ["it has printed nothing yet"]
        told += ["", "what SLURM's step printed:", *said] if said else []
        return "\n".join(paragraph(line, room, indent="  ") for line in told)

    answer(options, lambda: data, text)
    return say_damaged(damaged, what="what it says is not in this answer")
