"""What is odd about rows before a law is fitted to them: said in flags, never put right."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from analysis.laws.sample import Floats, Sample

TOGETHER = 0.95  # correlation of logarithms from which two columns move together
GAP = 1000.0  # between neighbouring values of a column, that one unit seldom has


def oddities(sample: Sample) -> tuple[str, ...]:
    """Sentences about columns that move together, mixed units, percent among fractions and zeros among losses."""
    return (*_together(sample), *_gaps(sample), *_responses(sample.y))


def _together(sample: Sample) -> Iterator[str]:
    logs = {role: np.log(values) for role, values in sample.columns.items() if np.all(values > 0)}
    for one, other in combinations(logs, 2):
        if np.ptp(logs[one]) and np.ptp(logs[other]):
            found = float(np.corrcoef(logs[one], logs[other])[0, 1])
            if abs(found) >= TOGETHER:
                yield (
                    f"log {one} and log {other} correlate {found:.2f}: they move together, so their exponents are told "
                    "apart by the form alone - add rows that vary one of them"
                )


def _gaps(sample: Sample) -> Iterator[str]:
    for role, values in sample.columns.items():
        ordered = np.unique(values[values > 0])
        steps = ordered[1:] / ordered[:-1]
        if len(steps) and steps.max() >= GAP:
            at = int(steps.argmax())
            yield (
                f"--{role} has nothing between {ordered[at]:g} and {ordered[at + 1]:g}: are these two units? "
                f"({int((values <= ordered[at]).sum())} rows below, {int((values > ordered[at]).sum())} above)"
            )


def _responses(y: Floats) -> Iterator[str]:
    positive = np.unique(y[y > 0])
    inside, above = positive[positive <= 1], positive[positive > 1]
    if len(inside) and len(above) and above.max() <= 100 and above.min() / inside.max() >= 10:
        yield (
            f"{int((y > 1).sum())} of {len(y)} rows have --y above 1 and the others at most {inside.max():g}: percent "
            "among fractions? divide those by 100"
        )
    if len(y) and y.min() >= -100 and y.max() <= 1 and y.min() < -1:
        yield f"--y goes down to {y.min():g}: 1 - y of a percentage? divide by 100 first"
    zeros = int((y == 0).sum())
    if 0 < zeros <= len(y) / 10 and np.all(y >= 0):
        yield f"{zeros} of {len(y)} rows have --y of 0: if that is a missing loss, leave it out with --where"
