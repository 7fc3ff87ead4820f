"""What a launch says beside its report: what to run next."""

import shlex
from collections.abc import Sequence

from sweeper.plan.plan import Plan

_SEEDS = 3  # that tell one seed's luck from an effect


def next_command(plan: Plan, overrides: Sequence[str], program: str) -> str:
    """What to run after a launch that is complete: seeds where there is one, else the next points, else a question."""
    seeds = {run.spec.seed for run in plan.runs if run.spec is not None}
    said = [word for word in overrides if word.partition("=")[0] != "seed"]
    if len(seeds) < _SEEDS:
        more = ",".join(map(str, sorted(seeds | set(range(_SEEDS)))))
        return f"{program} {shlex.join([*said, f'seed={more}'])} -m   # is it more than one seed's luck?"
    where = next((f" {word}" for word in said if word.startswith("results_dir=")), "")
    return f"{program} ask size{where}{f' --grid {plan.grid}' if plan.grid else ''}   # ask --list names all questions"
