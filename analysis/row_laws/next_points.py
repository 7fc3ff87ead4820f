"""The next points of a sweep. `python -m sweeper suggest` asks, in JSON on the standard input; this answers in JSON.

Rows of one series are fitted by a law of the error 1 - pass@1 in model size, in problems seen, or in both, and
`laws.design` spends the budget on the candidates.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.laws.catalogue import form_named
from analysis.laws.design import choose
from analysis.laws.fitting import Fit, fit
from analysis.laws.losses import LOG_L2
from analysis.laws.resampling import bootstrap
from analysis.laws.sample import Floats, LawError, Sample
from analysis.laws.student import quantile
from analysis.runs.selection import Run, select
from sweeper.host.errors import ResultsError

DRAWS = 200
LAWS = ("power", "power_nd", "chinchilla")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point of the plane that laws are drawn over."""

    name: str
    n: float  # non-embedding parameters
    d: float | None  # different problems that RL sees
    cost: float = 0.0  # device-hours


def answer(results_dir: Path, request: dict[str, Any]) -> dict[str, Any]:
    """What to run next.

    Args:
        results_dir: With the rows measured so far.
        request: budget, series (column of the row to value), candidates and targets (name, n, d, cost), law or null.

    Raises:
        ResultsError: no law can be fitted to the rows there are.
    """
    selection = select(results_dir)
    rows = [run for run in selection.completed if _belongs(run, request["series"])]
    candidates, targets = ([Place(**item) for item in request[name]] for name in ("candidates", "targets"))
    measured = [_measured(run) for run in rows]
    known = [item for item in measured if item is not None]
    law = request["law"] or _law([place for place, _ in known], candidates, targets)
    sample = _sample(law, [place for place, _ in known], np.array([error for _, error in known]))
    found = fit(form_named(law), sample, loss=LOG_L2, keep_repeats=True)
    resampled = bootstrap(found, draws=DRAWS).solver_coordinates
    draws = np.vstack([found.coordinates, resampled[np.isfinite(resampled).all(axis=1)]])
    asked, goal = (_sample(law, places, np.ones(len(places))) for places in (candidates, targets))
    design = choose(found, draws, asked, goal, [place.cost for place in candidates], budget=request["budget"])
    spent = np.cumsum([pick.cost for pick in design.picks])
    steps = [design.variance, *(pick.variance for pick in design.picks)]
    ends = [[_interval(found, goal, i, step, n) for i in range(len(targets))] for n, step in enumerate(steps)]
    return {
        "law": law,
        "damaged": list(selection.damaged),
        "equation": found.form.equation,
        "n_rows": len(known),
        "left_out": [run.row.run_id for run, item in zip(rows, measured, strict=True) if item is None],
        "targets": [{"name": place.name, "now": ends[0][i], "after": ends[-1][i]} for i, place in enumerate(targets)],
        "picks": [
            {
                "run_id": candidates[pick.candidate].name,
                "cost": pick.cost,
                "spent": float(spent[number]),
                "width": [interval["high"] - interval["low"] for interval in ends[number + 1]],
            }
            for number, pick in enumerate(design.picks)
        ],
    }


def _belongs(run: Run, series: dict[str, str]) -> bool:
    return all(getattr(run.row, name) in (value, None) for name, value in series.items())


def _measured(run: Run) -> tuple[Place, float] | None:
    """Where a run lies and its error; None without pass@1, or with an error of 0."""
    row, pass1 = run.row, run.pass1()
    if pass1 is None or pass1 >= 1:
        return None
    d = None if row.problems_seen is None else float(row.problems_seen)
    return Place(name=row.group_id, n=float(row.n_params_non_embedding), d=d), 1 - pass1


def _law(rows: list[Place], candidates: list[Place], targets: list[Place]) -> str:
    """The plainest law that tells the targets apart from what is there."""
    everyone = [*rows, *candidates, *targets]
    sizes = {place.n for place in rows}
    data = {place.d for place in rows} if all(place.d for place in everyone) else set()
    if len(sizes) > 1 and len(data) > 1:
        return "power_nd"
    if len(sizes) > 1:
        return "power"
    raise ResultsError(
        f"{len(rows)} measured runs of {len(sizes)} model sizes: a law over size needs two at least; "
        "run the smallest and a larger model of the grid first"
    )


def _sample(law: str, places: list[Place], y: Floats) -> Sample:
    n = np.array([place.n for place in places])
    if law == "power":
        columns = {"x": n}
    elif all(place.d for place in places):
        columns = {"n": n, "d": np.array([place.d for place in places], dtype=np.float64)}
    else:
        raise ResultsError(f"--law {law} needs the number of problems that every run saw, and of some it is not known")
    # Seeds of one configuration are resampled together.
    return Sample(columns=columns, y=y, run=tuple(place.name for place in places))


def _interval(found: Fit, goal: Sample, target: int, variance: Floats, more: int) -> dict[str, float]:
    """Predicted error and its 95% interval with `more` rows like those measured."""
    freedom = found.sample.n_rows - found.n_free
    if freedom < 1:
        raise LawError(f"{found.sample.n_rows} rows for {found.n_free} parameters leave no scatter to judge - add rows")
    noise = found.objective / freedom
    half = float(quantile(freedom + more) * np.sqrt(noise * variance[target]))
    middle = float(found.predict(goal)[target])
    return {"error": middle, "low": middle * float(np.exp(-half)), "high": middle * float(np.exp(half))}
