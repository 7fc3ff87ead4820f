"""What came out of a launch, in a few lines: gains, the best run, where the page is and what to run next."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from sweeper.plan.plan import Plan
from sweeper.rows.differences import labels
from sweeper.rows.row import ResultRow
from sweeper.spec.run_id import handles

_SEEDS = 3  # that tell one seed's luck from an effect


def came_out(rows: Sequence[ResultRow], results_dir: Path) -> list[str]:
    """One line on how many runs gained, and one on the best; none where nothing was measured."""
    scores = {row.run_id: (_pass1(row, base=True), _pass1(row)) for row in rows}
    known = {run_id: trained for run_id, (_, trained) in scores.items() if trained is not None}
    if not known:
        return []
    gains = [trained - base for base, trained in scores.values() if base is not None and trained is not None]
    lines = []
    if gains:
        up = sum(gain > 0 for gain in gains)
        span = f"{min(gains):+.3f}" if len(gains) == 1 else f"{min(gains):+.3f} to {max(gains):+.3f}"
        lines.append(f"pass@1 rose in {up} of {len(gains)} runs: {span} over their base models")
    best = max(known, key=known.__getitem__)
    base = scores[best][0]
    over = "" if base is None else f", {base:.3f} before"
    name = labels(list(scores), results_dir)[best]
    lines.append(f"best: {name} ({handles(scores)[best]}), pass@1 {known[best]:.3f}{over}")
    return lines


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
