"""The planner's time beside that of published runs: `python -m tests.published_runs` prints docs/planning.md's table.

Twice: at the lengths that the source gives, which is the roofline's own error, and as `plan` would have said it, which
knows only the longest that is allowed.
"""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from tabulate import tabulate

from sweeper.plan.rates import PUBLISHED
from sweeper.plan.throughput import STEP, Lengths, roofline
from tests.sweeper.points import over, spec

DATA = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One published run."""

    name: str
    where: str  # GPUs
    source: str
    lengths: str
    response: float  # tokens, mean
    longest: int  # tokens of a response, at most
    published: float  # seconds a step
    at_lengths: float  # the same by the roofline, at the lengths of the source
    expected: float  # the same by the roofline, at the lengths that a plan expects

    @property
    def planned(self) -> float:
        """Seconds a step, as a plan has them where nothing was measured."""
        return PUBLISHED * self.expected

    @property
    def off(self) -> float:
        """Published over planned."""
        return self.published / self.planned


@cache
def beside() -> tuple[Beside, ...]:
    """Every run of the data, recomputed."""
    data: dict[str, Any] = yaml.safe_load(DATA.read_text())
    return tuple(_beside(run, data) for run in data["runs"])


def _beside(run: dict[str, Any], data: dict[str, Any]) -> Beside:
    made = spec(*over(over(data["common"], data["settings"][run["like"]]), run["overrides"]))
    resources = made.model.resources
    lengths = Lengths(prompt=run["mean_prompt"], response=run["mean_response"])
    steps = [sum((roofline(made, of) or {})[phase] for phase in STEP) / made.total_steps for of in (lengths, None)]
    return Beside(
        name=run["name"],
        where=f"{resources.devices} {made.cluster.gpu_type}",
        source=run["source"],
        lengths=run["lengths"],
        response=run["mean_response"],
        longest=made.training.max_response_length,
        published=run["seconds_a_step"],
        at_lengths=steps[0],
        expected=steps[1],
    )


def mean_length() -> float:
    """Median over the runs of mean over longest response, to one decimal."""
    return round(median(run.response / run.longest for run in beside()), 1)


def factor() -> float:
    """Median over the runs of published over expected, to one decimal."""
    return round(median(run.published / run.expected for run in beside()), 1)


def spread() -> tuple[float, float]:
    """The smallest and largest of published over planned, rounded outwards to one decimal."""
    off = [run.off for run in beside()]
    return math.floor(10 * min(off)) / 10, math.ceil(10 * max(off)) / 10


def table() -> str:
    """The table of docs/planning.md."""
    rows = [
        {
            "run": run.name,
            "GPUs": run.where,
            "answers": f"{run.response:,.0f} of {run.longest:,}",
            "lengths": run.lengths,
            "published, s a step": f"{run.published:,.0f}",
            "ours at these lengths": f"{run.at_lengths:,.0f}",
            "off": f"{run.published / run.at_lengths:.1f}x",
            "planned": f"{run.planned:,.0f}",
            "plan off": f"{run.off:.1f}x",
        }
        for run in beside()
    ]
    return tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True)


def main() -> None:
    """Print the table, and what follows from it."""
    print(table())
    print(f"mean over longest answer {mean_length()}, factor {factor()}, published over planned {spread()}")


if __name__ == "__main__":
    main()
