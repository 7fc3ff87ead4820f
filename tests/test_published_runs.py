"""The planner's error against published runs is what the documents and the plan say it is."""

import re
from pathlib import Path

import pytest
import yaml

from sweeper.plan.rates import MEAN_LENGTH, PUBLISHED, SPREAD
from tests import published_runs

PAGE = Path(__file__).parent.parent / "docs" / "planning.md"
DATA = yaml.safe_load(published_runs.DATA.read_text())


def test_the_table_of_the_page_is_the_one_that_the_planner_makes_now() -> None:
    assert published_runs.table() in PAGE.read_text()


def test_there_are_eight_runs_or_more_of_several_sources_that_can_be_looked_up() -> None:
    assert len(DATA["runs"]) >= 8
    assert {run["source"] for run in DATA["runs"]} == set(DATA["sources"])
    assert len(DATA["sources"]) >= 4
    assert all(re.search(r"https://\S+", source) for source in DATA["sources"].values())


def test_the_plan_takes_answers_to_be_as_long_as_the_median_of_published_runs() -> None:
    assert published_runs.mean_length() == MEAN_LENGTH


def test_a_price_that_nothing_measured_corrects_is_multiplied_by_the_median_of_published_runs() -> None:
    assert published_runs.factor() == PUBLISHED


def test_the_range_of_a_plan_holds_every_published_run() -> None:
    assert published_runs.spread() == SPREAD
    assert all(SPREAD[0] <= run.off <= SPREAD[1] for run in published_runs.beside())


@pytest.mark.parametrize("name", ["PUBLISHED", "SPREAD", "MEAN_LENGTH"])
def test_the_page_says_what_follows_from_the_runs(name: str) -> None:
    page = " ".join(PAGE.read_text().split())
    said = {
        "PUBLISHED": f"multiplied by {PUBLISHED}",
        "SPREAD": f"a range: {SPREAD[0]} to {SPREAD[1]} times the estimate",
        "MEAN_LENGTH": f"are taken at {MEAN_LENGTH:.0%} of the longest allowed",
    }
    assert said[name] in page
