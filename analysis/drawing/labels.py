"""Labels of lines and legends: what all of them have in common is said once, long ones are broken."""

import textwrap
from collections.abc import Sequence

from analysis.runs.selection import ALL_RUNS

WIDTH = 26  # characters before a label at a line is broken


def shortened(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Labels without the parts that all of them have, and those parts."""
    parts = [label.split(", ") for label in labels]
    common = [part for part in parts[0] if all(part in other for other in parts)] if len(parts) > 1 else []
    kept = [
        ", ".join(part for part in own if part not in common) or label for own, label in zip(parts, labels, strict=True)
    ]
    return kept, common


def broken(labels: Sequence[str]) -> list[str]:
    """Labels as they stand at the lines of a figure."""
    return [textwrap.fill(label, WIDTH) for label in labels]


def all_have(common: Sequence[str]) -> str:
    """A sentence on what `shortened` took away."""
    told = [part for part in common if part != ALL_RUNS]
    return f"All: {', '.join(told)}." if told else ""


def cut(most: int, n: int) -> str:
    """A sentence on the lines that are not drawn."""
    return f"Drawn: the first {most} of {n}." if n > most else ""
