"""The report: one offline file, the same bytes for the same rows, and nothing left out in silence."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from analysis.frame import select
from analysis.power_law import NotFitted
from analysis.report import write_report
from analysis.row_laws import Axis, fit_laws
from sweeper.results import base_problems_path, problems_path
from tests.analysis.synthetic_rows import SIZES, write_grid

ONE_MODEL = {"tiny-40k": 27_000}


class Page(HTMLParser):
    """Tags, ids and references of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("href", "src", "xlink:href") and value:
                self.references.append(value)
            self.references += re.findall(r"url\(([^)]*)\)", value or "")


def page_of(results: Path, grid: str | None = "model_scale") -> str:
    return write_report(results, grid=grid, out=results / "out.html").html.read_text()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    write_grid(folder, failed=("tiny-130k_grpo_uniform_n512_s0",), missing=("tiny-1.6m_grpo_uniform_n64_s0",))
    return folder


@pytest.fixture(scope="module")
def page(results: Path) -> str:
    return page_of(results)


def test_the_same_rows_give_the_same_bytes_wherever_they_lie(results: Path, page: str, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "elsewhere")
    assert page_of(tmp_path / "elsewhere") == page


def test_the_page_refers_to_nothing_outside_itself(page: str) -> None:
    parsed = Page(page)
    assert "script" not in parsed.tags
    assert "link" not in parsed.tags
    assert "http" not in page
    assert {reference[0] for reference in parsed.references} == {"#"}


def test_every_id_is_unique_and_every_reference_has_its_target(page: str) -> None:
    parsed = Page(page)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {reference[1:] for reference in parsed.references} <= set(parsed.ids)


def test_failed_and_missing_runs_are_counted_and_named(page: str) -> None:
    assert "<b>6</b> completed" in page
    assert "<b>1</b> failed" in page
    assert "<b>1</b> missing" in page
    assert "loss is &lt;nan&gt; at step 7" in page  # escaped, and with its reason
    assert re.search(r"tiny-1\.6m_grpo_uniform_n64_s0-\w+: missing, no row yet", page)


def test_the_reading_states_gains_with_their_interval(page: str) -> None:
    assert "pass@1 is higher after training than before in 6 of 6 configurations" in page
    assert "lies above zero in 6, below zero in 0, and decides nothing in 0" in page
    assert re.search(r"The mean gain is \+0\.\d{3} \[\+0\.\d{3}, \+0\.\d{3}\]", page)


def test_a_law_is_never_shown_without_its_baseline(page: str) -> None:
    assert re.search(
        r"off by 0\.\d{3} \(predicted 0\.\d{3}, measured 0\.\d{3}\), the error of the next smaller one", page
    )
    assert "not fitted: 3 distinct values of x" in page
    assert "R2 is not shown" in page


def test_every_figure_is_there(page: str) -> None:
    assert page.count("<svg role=") == 2 + 4 + 4 + 4 + 2  # size and gain; accuracy, reward, pass@k a model; two laws


def test_the_tables_hold_every_run_and_problem_interval(results: Path, page: str) -> None:
    assert page
    table = pd.read_csv(results / "out_tables" / "results.csv")
    assert sorted(table["status"]) == ["completed"] * 6 + ["failed", "missing"]
    done = table[table["status"] == "completed"]
    assert (done["gain_pass@1_low"] < done["gain_pass@1"]).all()
    assert (done["gain_pass@1"] < done["gain_pass@1_high"]).all()
    ks = pd.read_csv(results / "out_tables" / "pass_at_k.csv")
    assert set(ks["k"]) == {1, 2, 4, 8, 16, 32, 64, 128}
    assert set(ks["domain"]) == {"all", "code", "logic", "math", "stem"}
    assert len(pd.read_csv(results / "out_tables" / "laws.csv")) == 6
    assert len(pd.read_csv(results / "out_tables" / "curves.csv")) == 6 * 31


def test_rows_without_a_base_model_make_a_report_without_gains(tmp_path: Path) -> None:
    (run_id,) = write_grid(tmp_path, models=ONE_MODEL, scales=(64,))
    path = tmp_path / "rows" / f"{run_id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base": []}))
    base_problems_path(tmp_path, run_id).unlink()
    page = page_of(tmp_path)
    assert "no gain can be stated" in page
    assert "1 distinct value of x, at least 4 are needed" in page


def test_rows_without_counts_make_a_report_that_says_so(tmp_path: Path) -> None:
    for run_id in write_grid(tmp_path, models=ONE_MODEL):
        problems_path(tmp_path, run_id).unlink()
    page = page_of(tmp_path)
    assert "no per-problem counts, hence no interval" in page
    assert "(no interval)" in page


def test_a_grid_in_which_everything_failed_still_has_a_report(tmp_path: Path) -> None:
    names = tuple(f"tiny-40k_grpo_uniform_n{scale}_s0" for scale in (64, 512))
    write_grid(tmp_path, models=ONE_MODEL, failed=names)
    page = page_of(tmp_path)
    assert "<b>2</b> failed" in page
    assert "nothing to read" in page


def test_seeds_are_averaged_and_their_number_is_said(tmp_path: Path) -> None:
    write_grid(tmp_path, models=ONE_MODEL, seeds=(0, 1, 2))
    page = page_of(tmp_path, None)
    assert "mean of 3 training seeds." in page
    assert "missing (unknown without a grid)" in page


def test_the_law_against_flops_is_not_called_separate_evidence_when_it_repeats_size(tmp_path: Path) -> None:
    write_grid(tmp_path)
    laws = fit_laws(select(tmp_path).completed)
    assert [(law.axis, law.subset) for law in laws] == [
        (axis, subset) for axis in Axis for subset in ("all runs", "n64", "n512")
    ]
    assert not any(isinstance(law.result, NotFitted) for law in laws)
    assert "no separate evidence" in laws[3].notes[0]
    assert laws[0].notes == ()


def test_a_run_without_flops_is_left_out_of_that_law_by_name(tmp_path: Path) -> None:
    ids = write_grid(tmp_path, models=SIZES, scales=(64,))
    path = tmp_path / "rows" / f"{ids[0]}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"flops": None}))
    laws = fit_laws(select(tmp_path).completed)
    assert ids[0] in laws[1].notes[0]
    assert len(laws[0].observations) == 4
