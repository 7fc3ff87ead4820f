"""Write the batch scripts and specs that a launch would submit, and submit nothing.

`status`, `why` and `results` follow the jobs that you submit from them; a launch knows them once they are queued.
"""

import argparse
import os
import shlex
import sys
from pathlib import Path

from sweeper.cli.plan import planned
from sweeper.cli.verb import add_json, add_overrides, answer
from sweeper.host.amounts import number_of
from sweeper.host.errors import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_overrides(parser, example="+grid=model_scale cluster=slurm")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the scripts (default: RESULTS/slurm)")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.host.files import open_results
    from sweeper.inputs.data import prepare_all
    from sweeper.inputs.models import absent_weights
    from sweeper.launch.slurm.export import commands, export
    from sweeper.launch.slurm.options import replacements
    from sweeper.launch.slurm.shape import shape_of
    from sweeper.plan.plan import save_grid
    from sweeper.spec.cluster import Executor

    plan, results_dir = planned(options.overrides, multirun=options.multirun or None)
    specs = [run.spec for run in plan.to_run if run.spec is not None]
    if plan.refused:
        reasons = "\n".join(dict.fromkeys(str(run.reason) for run in plan.refused))
        raise ConfigError(f"{len(plan.refused)} of {len(plan.runs)} points cannot run; nothing was written:\n{reasons}")
    if any(spec.cluster.executor is not Executor.slurm for spec in specs):
        raise ConfigError("cluster=local has no batch scripts; add cluster=slurm")
    if options.out is not None:
        _check_writable(options.out.resolve())
    open_results(results_dir)
    prepare_all(specs, results_dir, say=lambda line: print(line, file=sys.stderr, flush=True))
    absent = sorted({one.repository for spec in specs if (one := absent_weights(spec.model, results_dir))})
    if absent:
        what = f"{', '.join(absent)}: not in {results_dir} yet, and jobs fetch nothing"
        print(f"{what}; first run: python -m sweeper prepare {shlex.join(options.overrides)}", file=sys.stderr)
    scripts = export(specs, results_dir, None if options.out is None else options.out.resolve())
    save_grid(plan, results_dir)
    listed = [{"script": str(item.path), "after": [str(path) for path in item.after]} for item in scripts]
    said = replacements(shape_of(spec) for spec in specs)
    lines = commands(scripts)
    data = {"scripts": listed, "commands": lines, "absent_weights": absent, "replacements": said}
    states = ", ".join(f"{n} {state}" for state, n in plan.count().items())
    what = f"{number_of(len(specs), 'run')} in {number_of(len(scripts), 'array')}"
    why = "" if specs else f"; nothing is to run: {states}"
    return answer(options, lambda: data, lambda: "\n".join([*said, f"{what}{why}", *lines]))


def _check_writable(out: Path) -> None:
    """Refuse a folder that cannot be made, before anything is prepared for it.

    Raises:
        ConfigError: a file is in its place or above it, or nothing can be written there.
    """
    there = next(path for path in (out, *out.parents) if path.exists())
    if not there.is_dir():
        raise ConfigError(f"--out {out}: {there} is a file; name a folder. Nothing was written")
    if not os.access(there, os.W_OK):
        raise ConfigError(f"--out {out}: nothing can be written into {there}; name another. Nothing was written")
