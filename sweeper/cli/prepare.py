"""Fetch the weights and make the data of runs, before any job needs them.

Weights of hub models go to weights/ of results_dir, once; what was interrupted goes on. Jobs fetch nothing: a launch to
SLURM does the same before it submits. Run this ahead of it, or on another host if the launch cannot reach the hub.
"""

import argparse
import sys
from functools import partial

from sweeper.cli.plan import planned
from sweeper.cli.verb import add_json, add_overrides, answer
from sweeper.host.amounts import number_of
from sweeper.host.errors import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_overrides(parser, example="+grid=model_scale cluster=slurm model_family=qwen2.5", at_least_one=True)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.host.files import open_results
    from sweeper.inputs.data import prepare_all
    from sweeper.inputs.models import prepare_fetched

    plan, results_dir = planned(options.overrides, multirun=options.multirun or None, without_verl=True)
    if plan.refused:
        reasons = "\n".join(dict.fromkeys(str(run.reason) for run in plan.refused))
        raise ConfigError(f"{len(plan.refused)} of {len(plan.runs)} points cannot run; nothing was fetched:\n{reasons}")
    specs = [run.spec for run in plan.to_run if run.spec is not None]
    say = partial(print, file=sys.stderr if options.json else sys.stdout, flush=True)
    open_results(results_dir)
    found = prepare_fetched(specs, results_dir, say=say)
    prepare_all(specs, results_dir, say=say)
    here = [{"repository": one.repository, "revision": one.revision, "folder": str(one.folder)} for one in found]
    what = f"{len(found)} of the hub's weights and the data of {number_of(len(specs), 'run')}"
    return answer(options, lambda: here, lambda: f"{what} are in {results_dir}")
