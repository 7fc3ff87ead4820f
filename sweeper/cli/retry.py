"""Run again what failed or was interrupted, by the policy of each failure's class (--class oom,node).

Says first what is done with each run. Changes only settings that cannot change the result's mathematics. Exit code 1: a
run that was tried again here has no result, or a file cannot be read.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper.cli.verb import EXIT_FAILED, add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.errors import ConfigError, DamagedError
from sweeper.host.printed_table import Room, paragraph

if TYPE_CHECKING:
    from sweeper.launch.slurm.submit import Submission
    from sweeper.plan.retry import Considered
    from sweeper.spec.run import RunSpec


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("which", nargs="?", help="a grid's name, or the start or end of a run id (default: all)")
    add_results(parser)
    parser.add_argument(
        "--class",
        dest="classes",
        metavar="CLASS,...",
        help="only these failures, e.g. oom,node; config, data and reward are tried again only if named, after a fix",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--yes", action="store_true", help="do not ask, whatever it costs (cluster.confirm_gpu_hours)")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.host.files import open_results
    from sweeper.rows.differences import named, swept
    from sweeper.runs.folder import RunDir
    from sweeper.runs.state import State, state_of
    from sweeper.spec.cluster import Executor

    results_dir = results_folder(options)
    damaged: list[DamagedError] = []
    found = _without_result(results_dir, options.which, options.classes, damaged)
    told = swept(results_dir)
    for item in [] if options.json else found:
        line = f"{named(item.run_dir.run_id, told.get(item.run_dir.run_id))}: {item.text()}"
        print(paragraph(line, Room.of_screen(), indent="  "), flush=True)
    again = [item for item in found if item.decision.retry]
    if not (options.dry_run or options.yes):
        _confirm(again, results_dir)
    if not options.dry_run:
        open_results(results_dir)
    specs = [] if options.dry_run else [item.prepare() for item in again]
    here = [spec for spec in specs if spec.cluster.executor is Executor.local]
    there = [spec for spec in specs if spec.cluster.executor is Executor.slurm]
    sent = _submit(there, results_dir, as_json=options.json) if there else None
    submitted = sent.submitted if sent else {}
    if here:
        from sweeper.launch.local import run_local

        run_local(here, results_dir)
    data = {"runs": [_plain(item) for item in found], "submitted": submitted}
    text = f"{len(again)} of {len(found)} runs without a result are tried again{' (dry run)' * options.dry_run}"
    answer(options, lambda: data, lambda: text)
    code = say_damaged(damaged, what="their runs are not tried again before that is mended")
    ended = [state_of(RunDir(results_dir=results_dir, run_id=spec.run_id)) for spec in here]
    is_refused = sent is not None and bool(sent.refused or sent.unseen)
    return EXIT_FAILED if is_refused or any(state is not State.done for state in ended) else code


def _confirm(again: "Sequence[Considered]", results_dir: Path) -> None:
    """Ask as a launch does, before what costs more than `cluster.confirm_gpu_hours`; runs count whole.

    Raises:
        ConfigError: the answer is no, or nobody can be asked.
    """
    from sweeper.cli.budget import confirm
    from sweeper.plan.base_models import BaseModels
    from sweeper.plan.cost import Pricer
    from sweeper.plan.totals import totals_of
    from sweeper.rows.row import read_rows

    specs = [item.run_dir.spec() for item in again]
    thresholds = [spec.cluster.confirm_gpu_hours for spec in specs if spec.cluster.confirm_gpu_hours is not None]
    if thresholds:
        rows = list(read_rows(results_dir, []))
        pricer = Pricer(rows, results_dir)
        priced = [(spec, pricer.cost(spec)) for spec in specs]
        confirm(totals_of(priced, results_dir, BaseModels.of(rows)).gpu_hours, min(thresholds))


def _without_result(
    results_dir: Path, which: str | None, named: str | None, damaged: list[DamagedError]
) -> "list[Considered]":
    """The runs that failed or were interrupted, each with what is done about it.

    Of all, a grid, or one run (`which`), and of all or some `named` classes, joined by commas. `damaged` gets an error
    for each run of which a file cannot be read.

    Raises:
        ConfigError: an unknown class, or SLURM does not answer.
    """
    from sweeper.launch.slurm.queue import Queue
    from sweeper.oversight.status import chosen
    from sweeper.plan.retry import consider
    from sweeper.rows.failure_class import FailureClass
    from sweeper.runs.folder import RunDir
    from sweeper.runs.state import State
    from sweeper.runs.triage import classes

    try:
        wanted = classes(named.split(",")) if named else None
    except ValueError:
        known = ", ".join(["oom", *FailureClass])
        raise ConfigError(f"--class {named}: choose from {known}, joined by commas") from None
    queue = Queue.ask(results_dir)
    if queue.error is not None:
        raise ConfigError(f"SLURM does not answer, so what failed is not known; try again later: {queue.error}")
    damaged += map(DamagedError, queue.damaged)
    found = []
    for run_id in chosen(results_dir, which):
        run_dir = RunDir(results_dir=results_dir, run_id=run_id)
        state = queue.state(run_dir)
        try:
            if state is State.damaged and (damage := run_dir.damage()):
                raise damage
            ended = state in (State.failed, State.interrupted)
            considered = consider(run_dir, queue, asked=wanted) if ended else None
        except DamagedError as error:
            damaged.append(error)
            continue
        if considered is not None and (wanted is None or considered.diagnosis.failure_class in wanted):
            found.append(considered)
    return found


def _submit(specs: "Sequence[RunSpec]", results_dir: Path, *, as_json: bool) -> "Submission":
    from sweeper.launch.slurm.follow import submit_text
    from sweeper.launch.slurm.submit import submit

    done = submit(specs, results_dir)
    print(submit_text(done, results_dir), file=sys.stderr if as_json else sys.stdout, flush=True)
    return done


def _plain(item: "Considered") -> dict[str, Any]:
    return {
        "run_id": item.run_dir.run_id,
        "class": item.diagnosis.failure_class,
        "evidence": item.diagnosis.evidence,
        **asdict(item.decision),
    }
