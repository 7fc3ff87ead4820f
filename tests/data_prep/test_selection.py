"""Scales, strata, orders and splits as arithmetic on columns: properties for any rows."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.choosing.order import in_order
from data_prep.choosing.row_index import RowIndex
from data_prep.choosing.scale import chosen, passing
from data_prep.choosing.split import sft_and_rl
from data_prep.choosing.stratify import bins_of, stratified
from data_prep.spec import DataError, DataSpec, Order, PassRateRange
from rewards import Domain

_DOMAINS = (Domain.MATH, Domain.CODE, Domain.LOGIC)
_RATE = "weak_pass_rate"


def _index(rates: list[float], solved: bool = True) -> RowIndex:
    n = len(rates)
    domains = [_DOMAINS[i % 3] for i in range(n)]
    return RowIndex(
        problem_id=[f"{domain}-{i:016x}" for i, domain in enumerate(domains)],
        domain=domains,
        data_source=[f"{domain}__x" for domain in domains],
        difficulty=np.full(n, np.nan),
        has_solution=np.full(n, solved),
        position=np.full(n, -1),
        pass_rates={_RATE: np.array(rates)},
    )


def _spec(n: int | None, **options: object) -> DataSpec:
    values = {"weights": {"math": 2.0, "code": 1.0, "logic": 1.0}, "root": "somewhere", "n_unique": n} | options
    return DataSpec(**values)  # type: ignore[arg-type]


def _names(index: RowIndex, rows: "np.ndarray") -> list[str]:  # type: ignore[type-arg]
    return [index.problem_id[row] for row in rows.tolist()]


_rates = st.lists(st.integers(0, 16).map(lambda k: k / 16), min_size=90, max_size=150)
_scales = st.integers(1, 60)


@given(rates=_rates, n=_scales, more=st.integers(0, 20), by=st.sampled_from([None, _RATE]), seed=st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_a_smaller_scale_is_the_beginning_of_a_larger_one(
    rates: list[float], n: int, more: int, by: str | None, seed: int
) -> None:
    index = _index(rates)
    everything = range(len(rates))
    small = chosen(_spec(min(n, 40), stratify_by=by, seed=seed), index, everything)
    large = chosen(_spec(min(n, 40) + more, stratify_by=by, seed=seed), index, everything)
    assert large[: len(small)].tolist() == small.tolist()
    assert len(set(large.tolist())) == len(large)


@given(rates=_rates, times=st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_domain_counts_are_exact(rates: list[float], times: int) -> None:
    index = _index(rates)
    rows = chosen(_spec(4 * times), index, range(len(rates)))
    counts = Counter(index.domain[row] for row in rows.tolist())
    assert counts == {Domain.MATH: 2 * times, Domain.CODE: times, Domain.LOGIC: times}


@given(rates=_rates, added=st.integers(0, 30), n=_scales)
@settings(max_examples=50, deadline=None)
def test_added_rows_do_not_disturb_the_order_of_those_there_were(rates: list[float], added: int, n: int) -> None:
    less, more = _index(rates), _index([*rates, *[0.5] * added])
    before = _names(less, chosen(_spec(min(n, 40)), less, range(len(rates))))
    after = _names(more, chosen(_spec(None), more, range(len(rates) + added)))
    of_math = [name for name in before if name.startswith("math")]
    everything_math = _names(more, chosen(_spec(None, weights={"math": 1.0}), more, range(len(rates) + added)))
    assert set(of_math) <= set(everything_math)
    assert set(before) <= set(after)
    kept = chosen(_spec(30, weights={"math": 1.0}), less, range(len(rates)))
    grown = chosen(_spec(30, weights={"math": 1.0}), more, range(len(rates) + added))
    survivors = [name for name in _names(more, grown) if int(name[-16:], 16) < len(rates)]
    assert survivors == _names(less, kept)[: len(survivors)]


@given(rates=_rates, order=st.permutations(range(90)))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_files_does_not_matter(rates: list[float], order: list[int]) -> None:
    index = _index(rates[:90])
    assert chosen(_spec(40), index, range(90)).tolist() == chosen(_spec(40), index, order).tolist()


@given(rates=_rates)
@settings(max_examples=50, deadline=None)
def test_every_prefix_has_each_difficulty_bin_within_one_row_of_its_share(rates: list[float]) -> None:
    index = _index(rates)
    bins = bins_of(index, _RATE)
    rows = stratified(range(len(rates)), bins)
    assert sorted(rows) == list(range(len(rates)))
    total = Counter(bins.tolist())
    for length in range(1, len(rows) + 1):
        here = Counter(bins[rows[:length]].tolist())
        assert all(abs(here[name] - length * count / len(rates)) < 1 for name, count in total.items())


def test_bins_of_pass_rates_are_gurus() -> None:
    rates = [0.0, 0.1, 0.2, 0.39, 0.4, 0.6, 0.8, 0.99, 1.0, float("nan")]
    assert bins_of(_index(rates), _RATE).tolist() == [-1, 0, 1, 1, 2, 3, 4, 4, 5, 6]


@given(rates=_rates, order=st.sampled_from(list(Order)))
@settings(max_examples=40, deadline=None)
def test_an_order_only_reorders(rates: list[float], order: Order) -> None:
    index = _index(rates)
    stages = ("logic", "math", "code") if order is Order.staged else ()
    by = None if order is Order.mixed else _RATE
    spec = _spec(40, order=order, order_by=by, stages=stages)
    rows = chosen(spec, index, range(len(rates)))
    ordered = in_order(spec, index, rows)
    assert sorted(ordered.tolist()) == sorted(rows.tolist())
    values = index.pass_rates[_RATE][ordered]
    if order is Order.easy_to_hard:
        assert (np.diff(values) <= 0).all()
    if order is Order.hard_to_easy:
        assert (np.diff(values) >= 0).all()
    if order is Order.staged:
        domains = [index.domain[row] for row in ordered.tolist()]
        assert list(dict.fromkeys(domains)) == ["logic", "math", "code"]
        for domain in stages:
            inside = [rate for rate, where in zip(values, domains, strict=True) if where == domain]
            assert inside == sorted(inside, reverse=True)


def test_a_curriculum_by_a_column_that_some_rows_lack_is_refused() -> None:
    index = _index([0.5] * 89 + [float("nan")])
    spec = _spec(None, order=Order.easy_to_hard, order_by=_RATE)
    rows = chosen(spec, index, range(90))
    with pytest.raises(DataError, match=r"1 of 90 training problems have no weak_pass_rate, .*curriculum\.order_by"):
        in_order(spec, index, rows)
    with pytest.raises(DataError, match="There are: difficulty, weak_pass_rate"):
        in_order(_spec(None, order=Order.easy_to_hard, order_by="other_pass_rate"), index, rows)


@given(rates=_rates, percent=st.integers(0, 90), more=st.integers(0, 9), n=st.integers(20, 60))
@settings(max_examples=60, deadline=None)
def test_fine_tuning_and_rl_share_a_fixed_total_exactly(rates: list[float], percent: int, more: int, n: int) -> None:
    index = _index(rates)
    spec = _spec(n, sft_share=percent / 100)
    rows = chosen(spec, index, range(len(rates)))
    parts = sft_and_rl(spec, index, rows, ())
    assert len(parts.sft) == int(n * percent / 100 + 0.5)
    assert sorted([*parts.sft.tolist(), *parts.rl.tolist()]) == sorted(rows.tolist())
    assert [row for row in rows.tolist() if row in set(parts.rl.tolist())] == parts.rl.tolist()
    larger = sft_and_rl(_spec(n, sft_share=(percent + more) / 100), index, rows, ())
    assert set(parts.sft.tolist()) <= set(larger.sft.tolist())


def test_fine_tuning_takes_problems_with_solutions_alone() -> None:
    index = _index([0.5] * 90, solved=False)
    spec = _spec(40, sft_share=0.25)
    rows = chosen(spec, index, range(90))
    with pytest.raises(DataError, match="needs 5 math problems with a solution, but 0 of the 20"):
        sft_and_rl(spec, index, rows, ())
    sampled = set(_names(index, rows))
    assert len(sft_and_rl(spec, index, rows, sampled).sft) == 10


def test_bounds_of_a_filter_are_exclusive_unless_said_otherwise() -> None:
    index = _index([0.0, 0.25, 0.5, 1.0, float("nan")])
    rows, reasons = passing(index, [PassRateRange(column=_RATE, low=0.0, high=0.5)])
    assert rows == [1]
    assert reasons[0] == "weak_pass_rate is 0, not between 0 and 0.5"
    assert "not measured" in reasons[4]
    both = PassRateRange(column=_RATE, low=0.0, high=0.5, includes_low=True, includes_high=True)
    assert passing(index, [both])[0] == [0, 1, 2]


def test_a_minimum_data_ladder_is_a_scale_of_one_domain() -> None:
    index = _index([0.5] * 90)
    ladder = [chosen(_spec(n, weights={"code": 1.0}), index, range(90)) for n in (1, 2, 4, 8)]
    for rung, n in zip(ladder, (1, 2, 4, 8), strict=True):
        assert rung.tolist() == ladder[-1].tolist()[:n]
        assert {index.domain[row] for row in rung.tolist()} == {Domain.CODE}
