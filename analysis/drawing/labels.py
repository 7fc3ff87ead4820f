"""Labels of lines and legends: what all of them have in common is said once, long ones are broken."""

import textwrap
from collections.abc import Sequence
from typing import Any

from analysis.runs.selection import ALL_RUNS
from rewards.terminal import visible

WIDTH = 26  # characters before a label at a line is broken
PLAIN = " .,-_+()%"  # what needs no escape in a text of an expression
MOST_LINES = 2  # of a label at a line
BREAK = 12  # pixels of each further line of a label, and all lines are as high


def shortened(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Labels without the parts that all of them have, and those parts."""
    parts = [label.split(", ") for label in labels]
    common = [part for part in parts[0] if all(part in other for other in parts)] if len(parts) > 1 else []
    kept = [
        ", ".join(part for part in own if part not in common) or label for own, label in zip(parts, labels, strict=True)
    ]
    return kept, common


def lines_of(names: Sequence[str]) -> tuple[dict[str, Any], int]:
    """The vertical axis of a figure with a line a name, by the column `line`, and the pixels that its breaks take.

    The labels are a list by number: a name may be there twice, and may hold whatever a name can hold. Of a long one the
    pointer is told the rest.
    """
    broken = [textwrap.wrap(name, WIDTH, max_lines=MOST_LINES, placeholder=" …") or [""] for name in names]
    texts = ", ".join(f"[{', '.join(_quoted(line) for line in own)}]" for own in broken)
    axis = {"title": None, "grid": False, "domain": False, "ticks": False, "labelPadding": 8, "labelLimit": 0}
    channel = {
        "field": "line",
        "type": "ordinal",
        "scale": {"domain": list(range(len(names)))},
        "axis": axis | {"labelExpr": f"[{texts}][datum.value]", "labelOverlap": False},
    }
    return channel, BREAK * len(names) * (max(map(len, broken), default=1) - 1)


def all_have(common: Sequence[str]) -> str:
    """A sentence on what `shortened` took away."""
    told = [part for part in common if part != ALL_RUNS]
    return f"All: {', '.join(told)}." if told else ""


def cut(most: int, n: int) -> str:
    """A sentence on the lines that are not drawn."""
    return f"Drawn: the first {most} of {n}." if n > most else ""


def _quoted(text: str) -> str:
    """A text of an expression of Vega, which would turn an escape into the control character that it stands for."""
    return (
        "'"
        + "".join(c if c.isalnum() or c in " .,-_+()%" else f"\\u{ord(c):04x}" for c in visible(text) if ord(c) < 2**16)
        + "'"
    )
