"""A launch: plan, run what is missing, print the table and render the report."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rewards.program import EXIT_FAILED, EXIT_OK
from sweeper.cli.budget import confirm, hold_to_budget
from sweeper.cli.came_out import next_command
from sweeper.cli.plan import planned
from sweeper.cli.results import rows_of, table_text
from sweeper.cli.verb import program
from sweeper.host.environment import left_behind
from sweeper.host.errors import ConfigError, SweeperError
from sweeper.host.files import open_results
from sweeper.host.printed_table import Room
from sweeper.inputs.data import prepare_all
from sweeper.inputs.models import prepare_fetched
from sweeper.launch.local import run_local
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.follow import follow, submit_text
from sweeper.launch.slurm.options import replacements
from sweeper.launch.slurm.shape import shape_of
from sweeper.launch.slurm.submit import submit
from sweeper.launch.webhook import Webhook
from sweeper.oversight.report import render
from sweeper.plan.plan import Plan, save_grid
from sweeper.plan.view import plan_text
from sweeper.rows.row import ResultRow
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State, state_of
from sweeper.spec.cluster import Executor

_say = partial(print, flush=True)


def launch(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Run or submit what the overrides describe and no earlier launch has finished."""
    plan, results_dir = planned(overrides, multirun=options.multirun)
    _say(plan_text(plan, Room.of_screen()))
    if plan.refused:
        raise ConfigError(f"{len(plan.refused)} of {len(plan.runs)} points cannot run (see above); nothing was started")
    plan.refuse_unheard()
    hold_to_budget(plan, options.budget_gpu_hours)
    cluster = next(run.spec.cluster for run in plan.runs if run.spec is not None)
    on_slurm = cluster.executor is Executor.slurm
    if options.canary and not on_slurm:
        raise ConfigError("--canary holds jobs in a queue, and cluster=local has none; add cluster=slurm")
    if on_slurm:
        scheduler.require()
    if not options.yes:
        confirm(plan.totals.gpu_hours, cluster.confirm_gpu_hours)
    hook = Webhook.of([run.spec for run in plan.runs if run.spec is not None], plan.grid or "a run")
    behind = left_behind(os.environ, cluster.environment, on_slurm=on_slurm)
    specs = [run.spec for run in plan.to_run if run.spec is not None]
    for line in [*([behind] if behind else []), *(replacements(map(shape_of, specs)) if on_slurm else [])]:
        _say(line)
    open_results(results_dir)
    save_grid(plan, results_dir)
    if on_slurm:  # here, each job waits for its own model
        prepare_fetched(specs, results_dir, say=_say)
    prepare_all(specs, results_dir, say=_say)
    specs = [run.considered.prepare() if run.considered else run.spec for run in plan.to_run if run.spec]
    if on_slurm:
        done = submit(specs, results_dir, with_canary=options.canary)
        done.queued += [run.run_id for run in plan.runs if run.run_id and run.state in (State.queued, State.running)]
        _say(f"\n{submit_text(done, results_dir)}")
        if not options.wait:
            if hook.address is not None:
                _say("this launch ends here, so nobody tells the webhook; with --wait it does")
            return EXIT_FAILED if done.refused or done.unseen else EXIT_OK
        everything = [run.spec for run in plan.runs if run.spec]
        follow(
            everything, results_dir, say=_say, with_canary=options.canary, on_end=hook.run_ended, refused=done.refused
        )
    elif specs:
        run_local(specs, results_dir, on_end=hook.run_ended)
    return _tell(plan, results_dir, overrides, hook)


def _tell(plan: Plan, results_dir: Path, overrides: Sequence[str], hook: Webhook) -> int:
    """Print table and report of what a launch ended with; the exit code says whether every run has a result."""
    run_ids = [run.run_id for run in plan.runs if run.run_id is not None]
    states = [state_of(RunDir(results_dir=results_dir, run_id=run_id)) for run_id in run_ids]
    elsewhere, unfinished = states.count(State.running), len(states) - states.count(State.done)
    rows = rows_of(results_dir, run_ids=run_ids, damaged=[])  # a damaged one of these runs is among the unfinished
    if rows:
        print(f"\n{table_text(rows, Room.of_screen())}\n")
    verdict, page = _verdict(rows, results_dir, plan, states)
    if plan.to_run:
        hook.ended(states, verdict)
    if rows:
        print(*verdict, *([f"page: open {_near(page)}"] if page else []), sep="\n")
        if not unfinished:
            print(f"next: {next_command(plan, overrides, program())}")
    status = f"python -m sweeper status --results {results_dir}"
    if elsewhere:
        text = f"{elsewhere} of {len(plan.runs)} runs are running in another process, which this launch leaves them to"
        print(f"{text}; see: {status}. The same command prints their results once they have ended", file=sys.stderr)
    if unfinished > elsewhere:
        text = f"{unfinished - elsewhere} of {len(plan.runs)} runs have no result"
        print(f"{text}; why: {status}", file=sys.stderr)
    return EXIT_FAILED if unfinished or (rows and page is None) else EXIT_OK


def _verdict(
    rows: Sequence[ResultRow], results_dir: Path, plan: Plan, states: Sequence[State]
) -> tuple[list[str], Path | None]:
    """What the report says first and best, with its page; without a page why, and how many runs are where."""
    if not rows:
        return [], None
    try:
        made = render(results_dir, plan.grid)
    except (SweeperError, OSError) as error:
        counts = ", ".join(f"{n} {state}" for state, n in Counter(states).items())
        return [f"no report: {error}", f"runs: {counts}"], None
    return [made.headline, *filter(None, [made.best])], made.page


def _near(path: Path) -> Path:
    """From the current folder, if it lies there."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
