"""Domain mixes: exact shares, nested scales."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from data_prep.choosing.mix import domain_counts, domain_sequence
from rewards import Domain

_weights = st.dictionaries(st.sampled_from(list(Domain)), st.integers(0, 20), min_size=1).filter(
    lambda weights: sum(weights.values()) > 0
)


@given(weights=_weights, n=st.integers(0, 400))
def test_counts_sum_to_n_and_are_within_one_row_of_the_share(weights: dict[str, float], n: int) -> None:
    counts = domain_counts(weights, n)
    assert sum(counts.values()) == n
    total = sum(weights.values())
    for domain, count in counts.items():
        assert abs(count - n * weights[domain] / total) < 1


@given(weights=_weights, times=st.integers(1, 20))
def test_whole_shares_are_exact(weights: dict[str, float], times: int) -> None:
    n = int(sum(weights.values())) * times
    assert domain_counts(weights, n) == {d: int(weights[d]) * times for d in Domain if weights.get(d, 0) > 0}


@given(weights=_weights, n=st.integers(1, 200), more=st.integers(0, 200))
def test_scales_nest(weights: dict[str, float], n: int, more: int) -> None:
    assert list(domain_sequence(weights, n + more))[:n] == list(domain_sequence(weights, n))


def test_every_batch_has_the_mix() -> None:
    sequence = list(domain_sequence(dict.fromkeys([Domain.MATH, Domain.CODE, Domain.LOGIC, Domain.STEM], 1.0), 64))
    for start in range(0, 64, 8):
        assert set(Counter(sequence[start : start + 8]).values()) == {2}
