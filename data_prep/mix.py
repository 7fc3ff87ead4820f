"""How many rows of each domain, in which order: exact shares at every length."""

import math
from collections.abc import Iterator, Mapping

from rewards import Domain


def domain_sequence(weights: Mapping[str, float], n: int) -> Iterator[Domain]:
    """The domain of each of the first `n` training rows.

    Balinski and Young's quota method (Amer. Math. Monthly 82, 1975): at every prefix length k each domain has
    floor(k w) or ceil(k w) rows, so counts are exact wherever k w is whole, a prefix is the sequence of a smaller
    n (scales nest), and every batch has the mix. Largest remainders alone lack the second (the Alabama paradox).

    Args:
        weights: At least one positive; any unit.
        n: Length.
    """
    total = math.fsum(weights.values())
    shares = {domain: weights[domain] / total for domain in Domain if weights.get(domain, 0.0) > 0}
    given = dict.fromkeys(shares, 0)
    for length in range(1, n + 1):
        # 1e-9: shares like 1/3 are not exact, and 3 * (1/3) must not leave everyone ineligible.
        eligible = [d for d in shares if given[d] < shares[d] * length - 1e-9]
        chosen = max(eligible, key=lambda d: shares[d] / (given[d] + 1))
        given[chosen] += 1
        yield chosen


def domain_counts(weights: Mapping[str, float], n: int) -> dict[Domain, int]:
    """Rows of each weighted domain among the first `n`."""
    counts = {domain: 0 for domain in Domain if weights.get(domain, 0.0) > 0}
    for domain in domain_sequence(weights, n):
        counts[domain] += 1
    return counts
