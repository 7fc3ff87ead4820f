"""How many rows of each domain, in which order: exact shares at every length."""

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import TypeVar

from rewards import Domain

Key = TypeVar("Key", bound=Hashable)


def quota_sequence(weights: Mapping[Key, float], n: int) -> Iterator[Key]:
    """Which of the weighted kinds each of the first `n` places goes to.

    Balinski and Young's quota method (Amer. Math. Monthly 82, 1975): at every prefix length k each kind has
    floor(k w) or ceil(k w) places, so counts are exact wherever k w is whole, and a prefix is the sequence of a
    smaller n. Largest remainders alone lack the second (the Alabama paradox).

    Args:
        weights: At least one positive; any unit. Their order decides ties.
        n: Length.
    """
    total = math.fsum(weights.values())
    kinds = [kind for kind, weight in weights.items() if weight > 0]
    shares = [weights[kind] / total for kind in kinds]
    given = [0] * len(kinds)
    places = range(len(kinds))
    for length in range(1, n + 1):
        best, best_claim = -1, 0.0
        for place in places:
            share, has = shares[place], given[place]
            # 1e-9: shares like 1/3 are not exact, and 3 * (1/3) must not leave everyone ineligible.
            if has < share * length - 1e-9:
                claim = share / (has + 1)
                if claim > best_claim:
                    best, best_claim = place, claim
        given[best] += 1
        yield kinds[best]


def domain_sequence(weights: Mapping[str, float], n: int) -> Iterator[Domain]:
    """The domain of each of the first `n` training rows, by `quota_sequence`: scales nest, every batch has the mix.

    Args:
        weights: By domain name, at least one positive; any unit.
        n: Length.
    """
    yield from quota_sequence({domain: weights[domain] for domain in Domain if weights.get(domain, 0.0) > 0}, n)


def domain_counts(weights: Mapping[str, float], n: int) -> dict[Domain, int]:
    """Rows of each weighted domain among the first `n`."""
    counts = {domain: 0 for domain in Domain if weights.get(domain, 0.0) > 0}
    for domain in domain_sequence(weights, n):
        counts[domain] += 1
    return counts
