"""When a problem is solved clearly more or less often than before: the one definition, of the report and of `samples`.

The share of correct samples differs at the 95% level over all problems that are compared: z test of two proportions
with their pooled variance, p-values adjusted by Holm (1979) for the chance of any false finding.
"""

import math
from collections.abc import Sequence

from sweeper.rows.passk import Count

LEVEL = 0.05  # of all problems that are compared, together


def clear_changes(before: Sequence[Count], after: Sequence[Count]) -> list[int]:
    """Which of some problems changed clearly.

    Args:
        before: Samples of each problem and the correct ones among them.
        after: The same problems in the same order.

    Returns:
        Of each problem 1: clearly more often correct, -1: clearly less often, 0: neither.
    """
    z = [_z(first, second) for first, second in zip(before, after, strict=True)]
    adjusted = holm([math.erfc(abs(value) / math.sqrt(2)) for value in z])
    is_clear = [p is not None and p <= LEVEL for p in adjusted]
    return [(1 if value > 0 else -1) if clear else 0 for value, clear in zip(z, is_clear, strict=True)]


def _z(before: Count, after: Count) -> float:
    shared = (before.c + after.c) / (before.n + after.n)
    error = math.sqrt(shared * (1 - shared) * (1 / before.n + 1 / after.n))
    return (after.c / after.n - before.c / before.n) / error if error > 0 else 0.0


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values for the chance of any false finding among all that are known (Holm 1979)."""
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for place, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - place)))
        adjusted[i] = largest
    return adjusted
