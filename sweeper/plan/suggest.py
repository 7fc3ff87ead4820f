"""Which points of a grid to run next: `python -m sweeper suggest`.

The candidates, their cost and the commands are made here; the choice among them is `analysis`'s, in a process of its
own, since nothing here imports it.
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from rewards.bounded_file import MIB, read_text
from rewards.program import last_words
from sweeper.grid.expand import Grid, expand
from sweeper.grid.project import conf_folders
from sweeper.host.errors import ConfigError, SweeperError
from sweeper.host.printed_table import WIDE, Room, paragraph, printed
from sweeper.plan.plan import Plan, PlannedRun, make_plan, spec_from
from sweeper.spec.dotted import dotted, render
from sweeper.spec.run import RunSpec

Json = dict[str, Any]


def suggest(arguments: Sequence[str], *, budget: float, predict: Sequence[str], law: str | None) -> Json:
    """The points that narrow a prediction most for their cost.

    Args:
        arguments: Overrides of a grid.
        budget: Device-hours.
        predict: Overrides of the points whose error is to be predicted; none: the grid's largest model and data.
        law: Name; None: chosen by what varies.

    Raises:
        ConfigError: the grid mixes series that one law cannot describe, or has no point with a known cost.
        SweeperError: no law can be fitted to the rows.
    """
    grid = expand(arguments, multirun=True)
    results_dir = grid.results_dir
    plan = make_plan(grid, results_dir)
    if len(plan.refused) == len(plan.runs):
        raise ConfigError(f"{len(plan.runs)} of {len(plan.runs)} points cannot run: {plan.refused[0].reason}")
    if not any((results_dir / "rows").glob("*.json")):
        raise ConfigError(
            f"{results_dir} has no rows yet, and a prediction needs some; run the cheapest points first (python -m "
            f"sweeper plan {shlex.join(arguments)} says what each costs)"
        )
    if not plan.to_run:
        raise ConfigError(
            f"nothing is left to run of these {len(plan.runs)} points; add some, e.g. another seed (seed=0,1) or size: "
            f"python -m sweeper plan {shlex.join(arguments)} shows them"
        )
    runs = [run for run in plan.to_run if run.spec is not None and run.cost is not None]
    priced = [run for run in runs if run.cost is not None and run.cost.device_hours]
    if not priced:
        raise ConfigError(
            f"none of {len(runs)} points left to run has a known cost; run one of each model first, or set "
            "cluster.gpu_type for an estimate"
        )
    settings = _settings(grid, arguments)
    targets = _targets(plan, settings, predict)
    request = {
        "budget": budget,
        "law": law,
        "series": _series([run.spec for run in priced if run.spec] + targets),
        "candidates": [_place(run.spec) | {"cost": run.cost.device_hours} for run in priced if run.spec and run.cost],
        "targets": [_place(spec) for spec in targets],
    }
    command = [sys.executable, "-m", "analysis", "suggest", "--results", str(results_dir)]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True)
    if done.returncode != 0:
        raise SweeperError(last_words(done.stderr))
    print(done.stderr, end="", file=sys.stderr)  # which rows are damaged
    answer: Json = json.loads(done.stdout)
    by_id = {run.run_id: run for run in priced}
    for pick in answer["picks"]:
        pick["command"] = _command(by_id[pick["run_id"]], settings)
    bases = {run.cost.basis for run in priced if run.cost}
    new = len(plan.base_models.to_measure([(run.spec, run.cost) for run in priced if run.spec and run.cost]))
    told = {"cost_basis": sorted(bases), "base_models": new, "building": plan.base_models.text(new)}
    return answer | {"budget": budget, "without_cost": len(runs) - len(priced)} | told


def _targets(plan: Plan, settings: Sequence[str], predict: Sequence[str]) -> list[RunSpec]:
    if predict:
        return [_spec([*_without(settings, shlex.split(text)), *shlex.split(text)]) for text in predict]
    everyone = [run.spec for run in plan.runs if run.spec is not None]
    return [max(everyone, key=lambda spec: (_size(spec), spec.n_unique or 0, -spec.seed))]


def suggest_text(answer: Json, room: Room = WIDE) -> str:
    """The answer as people read it."""
    picks = answer["picks"]
    lines = [f"law: {answer['law']} ({answer['equation']}), error = 1 - pass@1, {answer['n_rows']} measured runs"]
    for target in answer["targets"]:
        now, after = target["now"], target["after"]
        lines.append(
            f"{target['name']}: error {now['error']:.3f}, 95% [{now['low']:.3f}, {now['high']:.3f}] now; expected "
            f"[{after['low']:.3f}, {after['high']:.3f}] after the runs below"
        )
    lines = [paragraph(line, room, indent="  ") for line in lines]
    if not picks:
        lines.append(f"no point left to run costs at most {answer['budget']:g} device-hours")
    table = [
        {
            "run": pick["run_id"] if room.ids else pick["run_id"].rpartition("-")[0],
            "device-hours": f"{pick['cost']:.3g}",
            "cost so far": f"{pick['spent']:.3g}",
            "interval width after it": ", ".join(f"{width:.3f}" for width in pick["width"]),
        }
        for pick in picks
    ]
    if table:
        lines += ["", printed(table, room, cut_start="run"), ""]
        lines += [pick["command"] for pick in picks]
    notes = [f"device-hours: of each run alone; {'; '.join(answer['cost_basis'])}"]
    if answer["building"]:
        notes.append(answer["building"])
    if answer["without_cost"]:
        notes.append(f"{answer['without_cost']} points have no known cost and were left out")
    if answer["left_out"]:
        notes.append(f"measured, but not usable (no pass@1, or no error left): {', '.join(answer['left_out'])}")
    notes.append(
        "the intervals hold if the law does: its own error, and differences between seeds of one run, are not in them"
    )
    return "\n".join([*lines, "", *(paragraph(note, room, indent="  ") for note in notes)])


def _place(spec: RunSpec) -> Json:
    seen = spec.problems_seen
    return {"name": spec.run_id, "n": float(_size(spec)), "d": None if seen is None else float(seen)}


def _size(spec: RunSpec) -> int:
    return spec.model.architecture.n_params_non_embedding


def _series(specs: Sequence[RunSpec]) -> Json:
    names = {
        "algorithm": {spec.algorithm.name for spec in specs},
        "domain_mix": {spec.domain_mix.name for spec in specs},
        "curriculum": {spec.curriculum.name for spec in specs},
    }
    for key, found in names.items():
        if len(found) > 1:
            raise ConfigError(
                f"the points differ in {key} ({', '.join(sorted(found))}): one law is for one; set {key}=…"
            )
    return {key: found.pop() for key, found in names.items()}


def _settings(grid: Grid, arguments: Sequence[str]) -> list[str]:
    """What all points of a grid share, as overrides of a single run: the grid file's own settings, then the rest."""
    own: list[str] = []
    if grid.launch is not None and grid.launch.grid is not None:
        import yaml

        found = (folder / "grid" / f"{grid.launch.grid}.yaml" for folder in conf_folders())
        values = yaml.safe_load(read_text(next(path for path in found if path.exists()), MIB))
        settings = dotted({key: value for key, value in values.items() if key not in ("hydra", "grid")})
        own = [f"{key}={render(value)}" for key, value in settings.items()]
    varying = {axis.key for axis in grid.axes} | {"grid"}
    rest = [item for item in arguments if _key(item) not in varying]
    return [*_without(own, rest), *rest]


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")


def _without(settings: Sequence[str], stronger: Sequence[str]) -> list[str]:
    keys = {_key(item) for item in stronger}
    return [item for item in settings if _key(item) not in keys]


def _spec(overrides: Sequence[str]) -> RunSpec:
    return spec_from(expand(overrides, multirun=False).points[0].config)


def _command(run: PlannedRun, settings: Sequence[str]) -> str:
    """A command that runs just this point; checked to give its id."""
    chosen = [f"{key}={value}" for key, value in run.choice.items()]
    overrides = sorted([*_without(settings, chosen), *chosen], key=lambda item: _key(item) == "results_dir")
    if _spec(overrides).run_id != run.run_id:
        raise SweeperError(
            f"{' '.join(overrides)} is not {run.run_id}: this grid's points cannot be started one by one"
        )
    return f"python -m sweeper {shlex.join(overrides)}"
