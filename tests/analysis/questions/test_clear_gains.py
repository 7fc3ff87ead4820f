"""What "clearly" means where gains are counted: corrected for all the comparisons that a sentence counts over."""

from analysis.estimates.points import clear_gains, gain
from analysis.questions import QUESTIONS
from analysis.report.headline import headline
from analysis.runs.selection import Selection, points_of, series_of
from tests.analysis.questions.planted import Planted, selection

N = 8


def weak_gains() -> Selection:
    """Eight configurations of which some gain just enough for an interval of their own."""
    runs = [Planted(model=f"m-{i}", size=1000 + i, skill=0.2, base=0.0) for i in range(N)]
    return selection(runs, rng=1, n_problems=48, n_samples=32)


def test_a_headline_counts_as_clear_what_is_clear_after_holm_over_its_configurations() -> None:
    found = weak_gains()
    points = points_of(list(found.completed), series_of(found.completed))
    alone = sum((known := gain(point)) is not None and known.sign > 0 for point in points)
    corrected = clear_gains([(point, 1, "all") for point in points]).count(1)
    assert corrected < alone
    assert f"it rose clearly in {corrected} of them (Holm over {N})." in headline(found, points)


def test_one_gain_is_clear_exactly_where_its_interval_excludes_zero() -> None:
    found = weak_gains()
    for point in points_of(list(found.completed), series_of(found.completed)):
        known = gain(point)
        assert known is not None
        assert clear_gains([(point, 1, "all")]) == [known.sign]


def test_a_domain_without_problems_is_not_clear_and_takes_no_share_of_the_correction() -> None:
    found = weak_gains()
    points = points_of(list(found.completed), series_of(found.completed))
    cells = [(point, 1, "all") for point in points]
    assert clear_gains([*cells, (points[0], 1, "none")]) == [*clear_gains(cells), 0]


def test_stability_counts_as_clearly_fallen_what_is_so_after_holm() -> None:
    runs = [Planted(model=f"m-{i}", size=1000 + i, skill=-0.15, base=0.0) for i in range(N)]
    found = selection(runs, rng=0, n_problems=48, n_samples=32)
    points = points_of(list(found.completed), series_of(found.completed))
    assert sum((known := gain(point)) is not None and known.sign < 0 for point in points) == 3
    said = QUESTIONS["stability"].ask(found)
    assert said.verdict.startswith("1 of 8 configurations clearly falls below the base model at k = 1 (Holm over 8)")
    assert "is clearly below its base model in 1 of 8 configurations (Holm over 8)" in said.text
