"""What a launch says beside the headline of its report: the best run, and what to run next."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from sweeper.plan.plan import Plan
from sweeper.rows.differences import labels
from sweeper.rows.row import ResultRow
from sweeper.spec.run_id import handles

_SEEDS = 3  # that tell one seed's luck from an effect


def best_run(rows: Sequence[ResultRow], results_dir: Path) -> str | None:
    """A line on the run with the highest pass@1; None: none was measured."""
    scores = {row.run_id: (_pass1(row, base=True), _pass1(row)) for row in rows}
    known = {run_id: trained for run_id, (_, trained) in scores.items() if trained is not None}
    if not known:
        return None
    best = max(known, key=known.__getitem__)
    base = scores[best][0]
    over = "" if base is None else f", {base:.3f} before"
    name = labels(list(scores), results_dir)[best]
    return f"best: {name} ({handles(scores)[best]}), pass@1 {known[best]:.3f}{over}"


def next_command(plan: Plan, overrides: Sequence[str], program: str) -> str:
    """What to run after a launch that is complete: seeds where there is one, else the next points, else a question."""
    seeds = {run.spec.seed for run in plan.runs if run.spec is not None}
    said = [word for word in overrides if word.partition("=")[0] != "seed"]
    if len(seeds) < _SEEDS:
        more = ",".join(map(str, sorted(seeds | set(range(_SEEDS)))))
        return f"{program} {shlex.join([*said, f'seed={more}'])} -m   # is it more than one seed's luck?"
    where = next((f" {word}" for word in said if word.startswith("results_dir=")), "")
    return f"{program} ask size{where}{f' --grid {plan.grid}' if plan.grid else ''}   # ask --list names all questions"


def _pass1(row: ResultRow, *, base: bool = False) -> float | None:
    score = row.score(base=base)
    return None if score is None else score.at(1)
