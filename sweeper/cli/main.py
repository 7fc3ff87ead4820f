"""The command line: Hydra overrides run, verbs ask.

Nothing heavy is imported before it is needed: `--help` answers in a fraction of a second.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper.host.errors import SweeperError

if TYPE_CHECKING:
    from sweeper.plan.plan import Plan
    from sweeper.rows.row import ResultRow
    from sweeper.runs.folder import RunDir

HELP = """\
Run reinforcement-learning scaling experiments on language models with verl.

  python -m sweeper                              train and measure the one point of conf/config.yaml, here
  python -m sweeper model=tiny-40k seed=1        ... with other options
  python -m sweeper +grid=model_scale -m         a whole grid: plan, run what is missing, print the table
  python -m sweeper algorithm=ppo,grpo -m        any comma list is an axis; axes multiply
  python -m sweeper +verl.KEY=VALUE              any key of verl's own configuration

Verbs (each has --help and --json):
  plan OVERRIDES...     what would run, what is done, what it costs; starts nothing
  status [GRID|RUN]     where every run stands: state, step, reward, time left (--watch)
  why RUN               what became of one run: row, SLURM, the end of its log
  logs RUN [-f]         what a run prints
  retry [GRID|RUN]      run again what failed, by the policy of each failure's class (--class oom,node)
  cancel GRID|RUN       take jobs out of SLURM's queue, or stop them
  gc                    what may be deleted: older checkpoints of done runs, code nobody needs (--yes deletes)
  export-sbatch OVERRIDES...  write the batch scripts that a launch would submit
  doctor OVERRIDES...   does this machine, or cluster=slurm, have what a sweep needs; what to change (--job)
  suggest OVERRIDES...  which points of a grid to run next, for --budget-gpu-hours N
  results [GRID]        the results table (--csv, --parquet FILE, --sql QUERY)
  add-model PATH|ID     write the file of a new model from its config.json (--family)

Groups of conf/ (see what there is, with the question of every grid: python -m sweeper options):
  model model_family data_scale domain_mix curriculum algorithm training eval cluster grid

Useful keys:
  results_dir=results   where runs, rows and reports go      data_root=FOLDER   train on your own Guru-format rows
  seed=0,1,2            replicates                           logging.wandb=true log to Weights & Biases as well
  cluster=slurm         submit as SLURM jobs, and return     --wait             ... or follow them to the end
  --canary              one run of each shape goes first, the others when it has taken its first training step
  --cfg job             print the composed config (Hydra)    --yes              ask nothing, whatever it costs
  --budget-gpu-hours N  start nothing that takes more

The same command continues what was interrupted, and runs failed runs again as `retry` does; finished ones never.
"""

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
_HYDRA_FLAGS = (
    "--cfg",
    "-c",
    "--info",
    "--hydra-help",
    "--resolve",
    "--package",
    "--config-name",
    "-cn",
    "--config-dir",
    "-cd",
)


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code (0 ok, 1 a run failed, 2 refused, 130 interrupted)."""
    verbs = {
        "plan": _plan,
        "status": _status,
        "why": _why,
        "logs": _logs,
        "retry": _retry,
        "cancel": _cancel,
        "gc": _gc,
        "export-sbatch": _export_sbatch,
        "doctor": _doctor,
        "results": _results,
        "options": _options,
        "add-model": _add_model,
        "suggest": _suggest,
    }
    try:
        if arguments and arguments[0] in verbs:
            return verbs[arguments[0]](arguments[1:])
        if any(argument in ("-h", "--help", "help") for argument in arguments):
            print(HELP, end="")
            return EXIT_OK
        if _is_stock_hydra(arguments):
            return _stock_hydra(arguments)
        return _launch(arguments)
    except SweeperError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("stopped; run the same command again to continue", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return EXIT_OK


def _is_stock_hydra(arguments: Sequence[str]) -> bool:
    return any(
        item.split("=")[0] in _HYDRA_FLAGS or item.startswith(("hydra/launcher=", "hydra/sweeper="))
        for item in arguments
    )


def _stock_hydra(arguments: Sequence[str]) -> int:
    """Hydra's own application: config printing, and its stock sweepers and launchers."""
    from sweeper.cli.hydra_app import app

    # Hydra up to 1.3.8 cannot parse overrides placed after a flag; flags first means the same.
    flags = [item for item in arguments if item in ("-m", "--multirun")]
    sys.argv[1:] = [*flags, *(item for item in arguments if item not in flags)]
    app()
    return EXIT_OK


def _split(arguments: Sequence[str]) -> tuple[list[str], bool]:
    flags = {"-m", "--multirun"}
    unknown = [item for item in arguments if item.startswith("-") and item not in flags]
    if unknown:
        from sweeper.host.errors import ConfigError

        raise ConfigError(f"unknown flag {unknown[0]}; see: python -m sweeper --help")
    return [item for item in arguments if item not in flags], any(item in flags for item in arguments)


def _planned(arguments: Sequence[str], *, multirun: bool) -> "tuple[Plan, Path]":
    """Expand, plan, and let verl refuse what it would not run."""
    from sweeper.plan.verl_verdict import Asker, accepted

    # Importing verl takes longer than everything else here. Where it was never asked it surely will be: begin now.
    known = accepted()
    with Asker(now=not any(known.glob("*.ok"))) as asker:
        from sweeper.grid.expand import expand
        from sweeper.plan.plan import make_plan, refuse
        from sweeper.plan.verl_check import check_plan

        grid = expand(arguments, multirun=multirun)
        results_dir = Path(grid.points[0].config["results_dir"]).resolve()
        plan = make_plan(grid, results_dir)
        specs = [run.spec for run in plan.to_run if run.spec is not None]
        return refuse(plan, check_plan(specs, known, asker)), results_dir


def _launch(arguments: Sequence[str]) -> int:
    from sweeper.host.errors import ConfigError
    from sweeper.inputs.data import prepare_all
    from sweeper.launch.local import at_once, run_local
    from sweeper.launch.progress import reporter
    from sweeper.plan.plan import save_grid
    from sweeper.plan.view import plan_text
    from sweeper.runs.folder import State
    from sweeper.spec.cluster import Executor

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--wait", action="store_true")
    parser.add_argument("--canary", action="store_true")
    parser.add_argument("--yes", action="store_true")
    parser.add_argument("--budget-gpu-hours", type=float)
    options, rest = parser.parse_known_args(arguments)
    overrides, multirun = _split(rest)
    plan, results_dir = _planned(overrides, multirun=multirun)
    print(plan_text(plan), flush=True)
    if plan.refused:
        raise ConfigError(f"{len(plan.refused)} of {len(plan.runs)} points cannot run (see above); nothing was started")
    _within(plan, options.budget_gpu_hours)
    cluster = next(run.spec.cluster for run in plan.runs if run.spec is not None)
    if options.canary and cluster.executor is not Executor.slurm:
        raise ConfigError("--canary holds jobs in a queue, and cluster=local has none; add cluster=slurm")
    if not options.yes:
        _confirm(plan, cluster.confirm_gpu_hours)
    save_grid(plan, results_dir)
    specs = [run.spec for run in plan.to_run if run.spec is not None]
    prepare_all(specs, results_dir, say=lambda line: print(line, flush=True))
    specs = [run.considered.prepare() if run.considered else run.spec for run in plan.to_run if run.spec]
    if cluster.executor is Executor.slurm:
        from sweeper.launch.slurm.follow import follow, submit_text
        from sweeper.launch.slurm.submit import submit

        done = submit(specs, results_dir, with_canary=options.canary)
        done.queued += [run.run_id for run in plan.runs if run.run_id and run.state in (State.queued, State.running)]
        print(f"\n{submit_text(done, results_dir)}", flush=True)
        if not options.wait:
            return EXIT_OK
        everything = [run.spec for run in plan.runs if run.spec]
        follow(everything, results_dir, say=lambda line: print(line, flush=True), with_canary=options.canary)
    elif specs:
        run_local(specs, results_dir, max_parallel=at_once(cluster), reporter=reporter(len(specs)))
    final = {run.run_id: _state(results_dir, str(run.run_id)) for run in plan.runs}
    rows = _rows(results_dir, plan.grid, [str(run.run_id) for run in plan.runs])
    print(f"\n{_table(rows)}\n\nresults: {results_dir / 'rows'}")
    if rows:
        print(f"report:  {_report(results_dir, plan.grid)}")
    unfinished = [run_id for run_id, state in final.items() if state is not State.done]
    if unfinished:
        print(
            f"{len(unfinished)} of {len(plan.runs)} runs have no result; why: python -m sweeper status", file=sys.stderr
        )
    return EXIT_FAILED if unfinished else EXIT_OK


def _within(plan: "Plan", budget: float | None) -> None:
    """Hold a plan to its budget.

    Args:
        plan: Of a launch.
        budget: GPU-hours from the command line; None: those of the grid file, if it states any.

    Raises:
        ConfigError: it takes more, or its price is not known.
    """
    from sweeper.host.errors import ConfigError

    key = "--budget-gpu-hours"
    if budget is None:
        key, budget = "grid.budget_gpu_hours", plan.budget_gpu_hours
    if budget is None or not plan.to_run:
        return
    hours = plan.totals.gpu_hours
    if hours is None:
        raise ConfigError(
            f"{key}={budget:g}: {plan.totals.unpriced} of {plan.totals.runs} runs have no estimate (see "
            "above); set cluster.gpu_type to a known one, or measure a run first. Nothing was started"
        )
    if hours > budget:
        raise ConfigError(
            f"{key}={budget:g}, but the plan takes an estimated {hours:,.0f}; run fewer points, or raise "
            "the budget. Nothing was started"
        )


def _confirm(plan: "Plan", threshold: float | None) -> None:
    """Ask before a launch that costs more than the cluster's threshold.

    Raises:
        ConfigError: the answer is no, or nobody can be asked.
    """
    from sweeper.host.errors import ConfigError

    hours = plan.totals.gpu_hours
    if threshold is None or (hours is not None and hours <= threshold):
        return
    price = "an unknown number of" if hours is None else f"an estimated {hours:,.0f}"
    if not sys.stdin.isatty():
        raise ConfigError(
            f"this takes {price} GPU-hours, and more than cluster.confirm_gpu_hours={threshold:g} needs a yes: add "
            "--yes. Nothing was started"
        )
    if input(f"This takes {price} GPU-hours. Start? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ConfigError("not confirmed; nothing was started")


def _state(results_dir: Path, run_id: str) -> Any:
    from sweeper.runs.folder import RunDir
    from sweeper.spec.run_id import RunId

    return RunDir(results_dir=results_dir, run_id=RunId(run_id)).state()


def _report(results_dir: Path, grid: str | None) -> Path:
    """Render the report in a process of its own: nothing here imports `analysis`."""
    out = results_dir / "reports" / f"{grid or 'all'}.html"
    out.parent.mkdir(parents=True, exist_ok=True)
    chosen = ["--grid", grid] if grid else []
    command = [sys.executable, "-m", "analysis", "report", "--results", str(results_dir), *chosen, "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SweeperError(
            f"the rows are safe, but the report failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}"
        )
    return out


def _plan(arguments: Sequence[str]) -> int:
    from sweeper.plan.verl_check import expected_overrides
    from sweeper.plan.view import plan_json, plan_text

    parser = argparse.ArgumentParser(
        prog="python -m sweeper plan", description="What a launch would do, and what it costs. Starts nothing."
    )
    parser.add_argument("overrides", nargs="*", help="as for a launch, e.g. +grid=model_scale cluster=slurm")
    parser.add_argument("-m", "--multirun", action="store_true", help="accepted and not needed")
    parser.add_argument("--verl", action="store_true", help="also print each run's overrides for verl.trainer.main_ppo")
    parser.add_argument("--budget-gpu-hours", type=float, metavar="N", help="fail if it takes more")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_intermixed_args(arguments)
    plan, _ = _planned(options.overrides, multirun=_is_many(options))
    if options.json:
        _print_json("plan", plan_json(plan, overrides=expected_overrides if options.verl else None))
    else:
        print(plan_text(plan))
        for run in plan.runs if options.verl else ():
            if run.spec is not None:
                print(f"\n# {run.run_id}\npython -m verl.trainer.main_ppo \\")
                print(" \\\n".join(f"  {item}" for item in expected_overrides(run.spec)))
    _within(plan, options.budget_gpu_hours)
    return EXIT_USAGE if plan.refused else EXIT_OK


def _suggest(arguments: Sequence[str]) -> int:
    from sweeper.grid.expand import expand
    from sweeper.plan.plan import make_plan
    from sweeper.plan.suggest import suggest, suggest_text

    parser = argparse.ArgumentParser(
        prog="python -m sweeper suggest",
        description="The points of a grid that narrow a prediction most for their cost, as commands. Starts nothing.",
    )
    parser.add_argument("overrides", nargs="+", help="as for a launch, e.g. +grid=model_scale seed=0,1,2")
    parser.add_argument("-m", "--multirun", action="store_true", help="accepted and not needed")
    hours = "what the points may cost together, in device-hours (without a GPU: hours of CPU processes)"
    parser.add_argument("--budget-gpu-hours", type=float, required=True, metavar="N", help=hours)
    goal = "the point to predict (default: the grid's largest model and data), e.g. 'model=tiny-1.4m seed=0'"
    parser.add_argument("--predict", action="append", default=[], metavar="OVERRIDES", help=goal)
    laws = ("power", "power_nd", "chinchilla")
    parser.add_argument("--law", choices=laws, help="default: power over size, or power_nd where data vary too")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_intermixed_args(arguments)
    grid = expand(options.overrides, multirun=True)
    results_dir = Path(grid.points[0].config["results_dir"]).resolve()
    plan = make_plan(grid, results_dir)
    answer = suggest(
        plan,
        grid,
        options.overrides,
        results_dir,
        budget=options.budget_gpu_hours,
        predict=options.predict,
        law=options.law,
    )
    if options.json:
        _print_json("suggest", answer)
    else:
        print(suggest_text(answer))
    return EXIT_OK


def _reader(verb: str, description: str) -> argparse.ArgumentParser:
    """The parser of a verb that reads a results folder."""
    parser = argparse.ArgumentParser(prog=f"python -m sweeper {verb}", description=description)
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder (default: results)")
    return parser


def _status(arguments: Sequence[str]) -> int:
    from sweeper.launch.slurm.queue import Queue
    from sweeper.oversight.status import run_statuses, status_text

    parser = _reader(
        "status", "Where every run stands. SLURM is asked at most every 15 s, and less often if it does not answer."
    )
    parser.add_argument("which", nargs="?", help="a grid's name, or the start or end of a run id")
    parser.add_argument("--watch", action="store_true", help="print it again every ten seconds, until interrupted")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args(arguments)
    results_dir = options.results.resolve()
    while True:
        queue = Queue.recent(results_dir)
        statuses = run_statuses(results_dir, options.which, queue)
        if options.json:
            _print_json("status", statuses)
        else:
            print(status_text(statuses, queue, time.time()), flush=True)
        if not options.watch:
            return EXIT_OK
        time.sleep(10.0)


def _one_run(verb: str, description: str, arguments: Sequence[str], *more: str) -> "tuple[RunDir, argparse.Namespace]":
    from sweeper.runs.folder import find_run

    parser = _reader(verb, description)
    parser.add_argument("run", help="the start or end of a run id")
    meaning = {"-f": "go on printing until interrupted", "--json": "one JSON object on stdout, and end"}
    for flag in more:
        parser.add_argument(flag, action="store_true", help=meaning[flag])
    options = parser.parse_args(arguments)
    return find_run(options.results.resolve(), options.run), options


def _why(arguments: Sequence[str]) -> int:
    from sweeper.launch.slurm.ledger import step_log
    from sweeper.oversight.status import run_statuses

    run_dir, options = _one_run("why", "What became of one run.", arguments, "--json")
    (status,) = run_statuses(run_dir.results_dir, run_dir.run_id)
    attempts = run_dir.attempts()
    log = attempts[-1].log if attempts else None
    lines = log.read_text(errors="replace").splitlines()[-20:] if log is not None and log.exists() else []
    whole = step_log(run_dir.results_dir, run_dir.run_id)
    said = whole[-8:]
    if status["failure_class"] is not None and status["reason"] is None:  # SLURM's programs may know more
        found = run_dir.diagnosis(status["scheduler"], whole)
        status |= {"failure_class": str(found.failure_class), "evidence": found.evidence} if found else {}
    ended = [attempt.read("exit") for attempt in attempts]
    if options.json:
        _print_json("why", {**status, "attempt_ends": ended, "log_tail": lines, "slurm_log_tail": said})
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


def _logs(arguments: Sequence[str]) -> int:
    run_dir, options = _one_run("logs", "What a run's last attempt prints.", arguments, "-f", "--json")
    attempts = run_dir.attempts()
    log = attempts[-1].log if attempts else None
    if options.json:
        lines = log.read_text(errors="replace").splitlines() if log and log.exists() else []
        found = {"run_id": run_dir.run_id, "attempt": len(attempts), "log": log and str(log), "lines": lines}
        _print_json("logs", found)
        return EXIT_OK
    if log is None or not log.exists():
        print(f"{run_dir.run_id} has not begun", file=sys.stderr)
        return EXIT_FAILED
    with log.open(errors="replace") as file:
        while True:
            for line in file:
                print(line, end="", flush=True)
            if not options.f:
                return EXIT_OK
            time.sleep(1.0)


def _retry(arguments: Sequence[str]) -> int:
    from sweeper.cli.retry import main

    return main(arguments)


def _gc(arguments: Sequence[str]) -> int:
    from sweeper.cli.gc import main

    return main(arguments)


def _cancel(arguments: Sequence[str]) -> int:
    from sweeper.launch.slurm import scheduler
    from sweeper.launch.slurm.ledger import live
    from sweeper.launch.slurm.queue import kept
    from sweeper.oversight.status import chosen

    parser = _reader(
        "cancel", "Take runs out of SLURM's queue, or stop them. What they have saved stays: a launch resumes them."
    )
    parser.add_argument("which", help="a grid's name, or the start or end of a run id")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args(arguments)
    results_dir = options.results.resolve()
    wanted = set(chosen(results_dir, options.which))
    found = {run_id: element for run_id, element in live(results_dir).items() if run_id in wanted}
    scheduler.cancel(found.values())
    kept(results_dir).unlink(missing_ok=True)
    if options.json:
        _print_json("cancel", sorted(found))
    else:
        print("\n".join([*sorted(found), f"{len(found)} of {len(wanted)} runs were in the queue and are cancelled"]))
    return EXIT_OK


def _export_sbatch(arguments: Sequence[str]) -> int:
    from sweeper.host.errors import ConfigError
    from sweeper.inputs.data import prepare_all
    from sweeper.launch.slurm.export import commands, export
    from sweeper.plan.plan import save_grid
    from sweeper.spec.cluster import Executor

    parser = argparse.ArgumentParser(
        prog="python -m sweeper export-sbatch",
        description="Write the batch scripts and specs that a launch would submit, and submit nothing. `status`, `why` "
        "and `results` follow the jobs that you submit from them; a launch knows them once they are queued.",
    )
    parser.add_argument("overrides", nargs="*", help="as for a launch, e.g. +grid=model_scale cluster=slurm")
    parser.add_argument("-m", "--multirun", action="store_true", help="accepted and not needed")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the scripts (default: RESULTS/slurm)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_intermixed_args(arguments)
    plan, results_dir = _planned(options.overrides, multirun=_is_many(options))
    specs = [run.spec for run in plan.to_run if run.spec is not None]
    if plan.refused:
        reasons = "\n".join(str(run.reason) for run in plan.refused)
        raise ConfigError(f"{len(plan.refused)} of {len(plan.runs)} points cannot run; nothing was written:\n{reasons}")
    if any(spec.cluster.executor is not Executor.slurm for spec in specs):
        raise ConfigError("cluster=local has no batch scripts; add cluster=slurm")
    save_grid(plan, results_dir)
    prepare_all(specs, results_dir, say=lambda line: print(line, file=sys.stderr, flush=True))
    scripts = export(specs, results_dir, None if options.out is None else options.out.resolve())
    if options.json:
        listed = [{"script": str(item.path), "after": [str(path) for path in item.after]} for item in scripts]
        _print_json("export-sbatch", listed)
    else:
        print("\n".join([f"{len(specs)} runs in {len(scripts)} arrays", *commands(scripts)]))
    return EXIT_OK


def _doctor(arguments: Sequence[str]) -> int:
    from sweeper.grid.expand import expand
    from sweeper.oversight.check import Verdict
    from sweeper.oversight.doctor import examine, text
    from sweeper.plan.plan import spec_from

    parser = argparse.ArgumentParser(
        prog="python -m sweeper doctor",
        description="Whether a sweep would find what it needs here, or on a cluster, and what to change. Exit code 1: "
        "something is wrong.",
    )
    parser.add_argument("overrides", nargs="*", help="as for a launch, e.g. cluster=slurm model_family=qwen2.5")
    parser.add_argument("-m", "--multirun", action="store_true", help="accepted and not needed")
    parser.add_argument("--job", action="store_true", help="on SLURM, also look from a job of every different shape")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_intermixed_args(arguments)
    points = expand(options.overrides, multirun=_is_many(options)).points
    specs = [spec_from(point.config) for point in points]
    checks = list(examine(specs, Path(points[0].config["results_dir"]).resolve(), job=options.job))
    if options.json:
        _print_json("doctor", [asdict(check) for check in checks])
    else:
        print(text(checks))
    return EXIT_FAILED if any(check.verdict is Verdict.wrong for check in checks) else EXIT_OK


def _is_many(options: argparse.Namespace) -> bool:
    """Whether the overrides describe several runs; `-m` need not say so where nothing is started."""
    return options.multirun or any("grid=" in item or "," in item for item in options.overrides)


def _results(arguments: Sequence[str]) -> int:
    from sweeper.rows import table

    parser = _reader("results", "The results table.")
    parser.add_argument("grid", nargs="?", help="only the runs of this grid")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="all columns as CSV on stdout")
    form.add_argument("--parquet", type=Path, metavar="FILE", help="all columns into a Parquet file")
    form.add_argument("--sql", metavar="QUERY", help='DuckDB SQL over the table "results"')
    form.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args(arguments)
    rows = _rows(options.results.resolve(), options.grid, None)
    if options.csv:
        print(table.to_csv(rows), end="")
    elif options.parquet:
        table.to_parquet(rows, options.parquet)
        print(options.parquet)
    elif options.sql:
        from tabulate import tabulate

        names, answer = table.query(rows, options.sql)
        print(tabulate(answer, headers=names, missingval="-"))
    elif options.json:
        _print_json("results", [table.record(row) for row in rows])
    else:
        print(_table(rows))
    return EXIT_OK


def _options(arguments: Sequence[str]) -> int:
    from sweeper.grid.expand import grid_titles, group_options

    parser = argparse.ArgumentParser(
        prog="python -m sweeper options",
        description="Every group of conf/ and its options; every grid and its question.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args(arguments)
    found, titles = group_options(), grid_titles()
    if options.json:
        _print_json("options", found | {"grid_titles": titles})
    else:
        width = max(map(len, found))
        print("\n".join(f"{group:<{width}}  {' '.join(names)}" for group, names in found.items() if group != "grid"))
        width = max(map(len, titles))
        print("\nGrids (+grid=NAME -m):")
        print("\n".join(f"  {name:<{width}}  {title}" for name, title in titles.items()))
    return EXIT_OK


def _add_model(arguments: Sequence[str]) -> int:
    import conf
    from sweeper.grid.expand import expand
    from sweeper.host.errors import ConfigError
    from sweeper.inputs.add_model import find, model_file
    from sweeper.plan.plan import spec_from

    parser = argparse.ArgumentParser(
        prog="python -m sweeper add-model", description="Write conf/model/NAME.yaml of a model from its config.json."
    )
    parser.add_argument("model", help="a folder in Hugging Face's format, or a hub id")
    parser.add_argument("--family", default="qwen2.5", help="whose training regime it gets (default: qwen2.5)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args(arguments)
    family = expand([f"model_family={options.family}"], multirun=False).points[0].config["model_family"]["name"]
    name = Path(options.model).name.lower()
    path = Path(conf.__file__).parent / "model" / f"{name}.yaml"
    if path.exists():
        raise ConfigError(f"{path} is there already; edit it, or remove it first")
    path.write_text(model_file(find(options.model), name=name, family=family))
    try:
        spec = spec_from(expand([f"model={name}", f"model_family={options.family}"], multirun=False).points[0].config)
    except ConfigError:
        path.unlink()
        raise
    if options.json:
        _print_json("add-model", {"name": name, "path": str(path), "n_params": spec.model.architecture.n_params})
    else:
        print(f"{path}: {spec.model.architecture.n_params:,} parameters")
        print(f"whether it fits: python -m sweeper plan model={name} model_family={options.family} cluster=slurm")
    return EXIT_OK


def _rows(results_dir: Path, grid: str | None, run_ids: Sequence[str] | None) -> "list[ResultRow]":
    from sweeper.rows.grid_file import Membership
    from sweeper.rows.row import read_rows

    members = set(run_ids) if run_ids is not None else None
    if members is None and grid is not None:
        members = {member.run_id for member in Membership.read(results_dir, grid).members}
    return [row for row in read_rows(results_dir) if members is None or row.run_id in members]


def _table(rows: "Sequence[ResultRow]") -> str:
    from sweeper.rows.table import text

    return text(rows) if rows else "no results yet; start some with: python -m sweeper +grid=model_scale -m"


def _print_json(command: str, data: Any) -> None:
    print(json.dumps({"command": command, "data": data}, indent=1))
