"""The result in sentences, computed from the numbers: nothing here is typed in."""

from collections.abc import Sequence

from analysis.estimates.numerals import signed
from analysis.estimates.points import gain, mean_gain
from analysis.runs.selection import Point


def reading(points: Sequence[Point]) -> str:
    """What training gained, with uncertainty; `points` are the configurations with a pass@1."""
    if not points:
        return "No run has a measured pass@1 yet, so there is nothing to read."
    pairs = [(point, found) for point in points if (found := gain(point)) is not None]
    if not pairs:
        return "No base model was measured, so no gain can be stated."
    raised = sum(found.value > 0 for _, found in pairs)
    above, below = (sum(found.sign == side for _, found in pairs) for side in (1, -1))
    sentence = (
        f"pass@1 is higher after training than before in {raised} of {len(pairs)} "
        f"configuration{'' if len(pairs) == 1 else 's'}; the paired 95% interval of the gain lies above zero in "
        f"{above}, below zero in {below}, and decides nothing in {len(pairs) - above - below}."
    )
    mean = mean_gain([point for point, _ in pairs])
    best = max(pairs, key=lambda pair: pair[1].value)
    worst = min(pairs, key=lambda pair: pair[1].value)
    if mean is None or len(pairs) == 1:
        return f"{sentence} The gain is {signed(best[1])} ({_name(best[0])})."
    return (
        f"{sentence} The mean gain is {signed(mean)}; the largest is {signed(best[1])} ({_name(best[0])}), "
        f"the smallest {signed(worst[1])} ({_name(worst[0])})."
    )


def _name(point: Point) -> str:
    seeds = f", {len(point.runs)} seeds" if len(point.runs) > 1 else ""
    return f"{point.row.model}, {point.series}{seeds}"
