"""The report: one offline file, the same bytes for the same rows, and nothing left out in silence."""

import json
import re
import shutil
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from analysis.cli import main
from analysis.drawing.live import scripts
from analysis.drawing.page import Section, csv_text, stem
from analysis.laws.inference import Inference
from analysis.questions import QUESTIONS, Settings
from analysis.report.evidence import Evidence
from analysis.report.report import page_sections, publish, write_report
from analysis.report.sections.decisions import best_within_budgets
from analysis.row_laws.curve_law import curve_laws
from analysis.row_laws.final import Axis, fit_laws
from analysis.runs.selection import select
from analysis.runs.spent import mean_flops
from rewards.terminal import CONTROL
from sweeper.host.errors import ResultsError
from sweeper.host.vega import javascript
from sweeper.rows.row import base_problems_path, problems_path, read_rows, row_path
from tests.analysis.synthetic_rows import SIZES, Truth, write_grid
from tests.analysis.whole_sweep import write_whole_sweep

ONE_MODEL = {"tiny-40k": 27_000}
FIGURE = r'<figure[^>]* data-name="([^"]+)">.*?<script type="application/json">(.*?)</script>'


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


def test_a_report_made_on_one_core_has_the_same_bytes(
    results: Path, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    assert write_report(results, grid="model_scale", out=tmp_path / "out.html").html.read_text() == page


def assert_refers_to_itself_and_its_data(parsed: Page, tables: Path) -> None:
    """Every reference is an anchor of the page or a file beside it."""
    anchors = {reference[1:] for reference in parsed.references if reference[0] == "#"}
    assert anchors <= set(parsed.ids)
    files = {reference for reference in parsed.references if reference[0] not in "#v"}  # a colour is "var(--line)"
    assert {Path(name).suffix for name in files} == {".csv", ".json"}
    assert {str(tables.parent / name) for name in files} <= {str(path) for path in tables.iterdir()}


def test_the_page_refers_to_nothing_but_itself_and_its_data(results: Path, page: str) -> None:
    parsed = Page(page)
    assert "link" not in parsed.tags
    assert_refers_to_itself_and_its_data(parsed, results / "out_tables")
    # The library of the figures names its name spaces and its editor; the policy lets nothing be asked.
    assert "http" not in page.replace(javascript(), "").replace("http-equiv", "")
    assert "default-src 'none'; script-src 'sha256-" in unescape(page)
    assert "unsafe-eval" not in page


def test_every_id_is_unique_and_every_reference_has_its_target(page: str) -> None:
    parsed = Page(page)
    assert len(parsed.ids) == len(set(parsed.ids))


def test_failed_and_missing_runs_are_counted_and_named(page: str) -> None:
    assert "<b>6</b> completed" in page
    assert "<b>1</b> failed" in page
    assert "<b>1</b> missing" in page
    assert "loss is &lt;nan&gt; at step 7" in page  # escaped, and with its reason
    cells = r"<td[^>]*>tiny-1\.6m_grpo_uniform_n64_s0-\w+<td>missing<td>no row yet<"
    assert re.search(cells, page)


def test_the_reading_states_gains_with_their_interval(page: str) -> None:
    assert "on average over 6 configurations; it rose clearly in 6 of them (Holm over 6)." in page
    assert re.search(r"RL helped: pass@1 rose by 0\.\d{3,4} \[0\.\d{3,4}, 0\.\d{3,4}\]", page)


def test_a_folded_table_of_one_line_is_said_to_have_one(page: str) -> None:
    assert "All settings together. 1 line</summary>" in page
    assert not re.search(r"\b1 lines\b", page)


def test_a_law_is_never_shown_without_its_baseline(page: str) -> None:
    assert re.search(r"fitted without the largest size it is off by 0\.\d{3,4} there, the last value by 0\.\d{3}", page)
    assert "No power law: 3 distinct values of x" in page
    assert "R2 is not shown" in page


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
    assert len(pd.read_csv(results / "out_tables" / "size-slopes-table.csv")) == 2
    assert len(pd.read_csv(results / "out_tables" / "curves.csv")) == 6 * 31


def test_rows_without_a_base_model_make_a_report_without_gains(tmp_path: Path) -> None:
    (run_id,) = write_grid(tmp_path, models=ONE_MODEL, scales=(64,))
    path = tmp_path / "rows" / f"{run_id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base": []}))
    base_problems_path(tmp_path, run_id).unlink()
    page = page_of(tmp_path)
    assert "no gain of RL can be stated" in page
    assert "no two model sizes were run with otherwise the same settings" in page


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
    assert "No pass@1 was measured yet: no run was completed, 2 failed." in page


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
    assert not any(isinstance(law.result, str) for law in laws)
    assert any("no separate evidence" in note for note in laws[3].notes)
    assert laws[0].notes == ("2 series of 4 base models: the interval is over base models",)


def test_a_run_without_flops_is_left_out_of_that_law_by_name(tmp_path: Path) -> None:
    ids = write_grid(tmp_path, models=SIZES, scales=(64,))
    path = tmp_path / "rows" / f"{ids[0]}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"flops": None}))
    laws = fit_laws(select(tmp_path).completed)
    assert any(ids[0] in note for note in laws[1].notes)
    assert len(laws[0].observations) == 4


class Whole(NamedTuple):
    """A report over every axis and what it was made from."""

    folder: Path
    evidence: Evidence
    sections: list[Section]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    write_whole_sweep(folder, seeds=1)
    evidence = Evidence(selection=select(folder))
    sections = page_sections(evidence)
    publish(evidence, sections, folder / "out.html")
    return Whole(folder, evidence, sections)


def test_every_figure_and_table_has_its_numbers_as_csv_and_as_json(whole: Whole) -> None:
    shown = set(re.findall(r'<section id="([^"]+)"', (whole.folder / "out.html").read_text()))
    assert {"curves", "heldout", "question-steps", "question-size", "passk", "solved", "cost"} <= shown
    written = {path.stem for path in (whole.folder / "out_tables").glob("*.csv")}
    assert {"residuals", "residual_summary", "slopes"} <= written
    assert written == {path.stem for path in (whole.folder / "out_tables").glob("*.json")}
    for section in whole.sections:
        for item in (*section.figures, *section.tables):
            assert item.name in written
            records = json.loads((whole.folder / "out_tables" / f"{item.name}.json").read_text())
            assert len(records) == len(item.data) > 0
        assert all(figure.views for figure in section.figures)


def test_names_of_data_files_are_unique(whole: Whole) -> None:
    names = [name for section in whole.sections for name in section.data()]
    assert len(names) == len(set(names))


def test_a_report_over_every_axis_refers_to_nothing_outside_and_repeats_its_numbers(whole: Whole) -> None:
    page = (whole.folder / "out.html").read_text()
    parsed = Page(page)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert_refers_to_itself_and_its_data(parsed, whole.folder / "out_tables")
    shown = {name: json.loads(text) for name, text in re.findall(FIGURE, page, re.DOTALL)}
    for section in whole.sections:
        for figure in section.figures:
            assert shown[figure.name] == json.loads(json.dumps(figure.packed()))
        for name, frame in section.data().items():
            assert (whole.folder / "out_tables" / f"{name}.csv").read_text() == csv_text(frame)


def test_held_out_checkpoints_change_no_fitted_number(whole: Whole) -> None:
    points = whole.evidence.checkpoints
    turned = [replace(point, error=0.5) if point.held_out else point for point in points]
    for before, after in zip(*(curve_laws(item, series=["n512"]) for item in (points, turned)), strict=True):
        assert isinstance(before.joint, Inference)
        assert isinstance(after.joint, Inference)
        assert before.joint.estimates == after.joint.estimates
        assert (before.joint.fit.coordinates == after.joint.fit.coordinates).all()


def test_a_configuration_that_differs_in_order_or_share_has_a_line_of_its_own(whole: Whole) -> None:
    labels = set(whole.evidence.labels.values())
    assert {"n512", "n64", "ppo · n512", "n512 · math", "n512 · easy to hard", "n512 · SFT 50%"} <= labels


def test_the_best_within_a_budget_costs_no_more_than_it(whole: Whole) -> None:
    found = best_within_budgets(whole.evidence.points)
    assert len(found) >= 2
    for item in found:
        cost = mean_flops(run.row for run in item.point.runs)
        assert cost is not None
        assert cost <= item.budget
    values = [item.score.value for item in found]
    assert values == sorted(values)


def test_one_run_makes_a_page_that_says_what_it_cannot_tell(tmp_path: Path) -> None:
    write_grid(tmp_path, models=ONE_MODEL, scales=(64,))
    page = page_of(tmp_path)
    assert "<b>1</b> completed" in page
    assert "What this sweep cannot tell yet" in page
    assert "A second seed for 1 of 1 configurations" in page


def test_a_section_or_question_that_fails_costs_the_report_a_line_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("math domain error")

    write_grid(tmp_path, models=ONE_MODEL)
    monkeypatch.setattr("analysis.questions.data.answer", broken)
    monkeypatch.setattr("analysis.report.sections.cost._costs", broken)
    monkeypatch.setattr("analysis.report.first_screen.headline", broken)
    assert main(["report", "--results", str(tmp_path), "-o", str(tmp_path / "out.html")]) == 1
    page = (tmp_path / "out.html").read_text()
    error = capsys.readouterr().err.splitlines()
    assert error[0] == "3 of its sections could not be made:"
    names = [line.partition(": ValueError: math domain error (test_report.py:")[0] for line in error[1:]]
    assert names == ["The first screen", "Cost", "Data"]
    assert page.count("This section could not be made: ValueError: math domain error") == 2
    assert "The first screen could not be made: ValueError: math domain error" in page
    assert '<section id="question-stability">' in page
    assert '<section id="training">' in page


def test_a_target_that_every_arm_starts_above_leaves_no_empty_figure(tmp_path: Path) -> None:
    write_grid(tmp_path, models=ONE_MODEL)
    answer = QUESTIONS["sample_efficiency"].ask(select(tmp_path), Settings(target=0.01))
    assert "tiny-40k, 64 problems is there before training" in answer.text
    assert not answer.figures


def test_rows_before_the_ledger_of_flops_have_a_report(tmp_path: Path) -> None:
    for run_id in write_grid(tmp_path, models=ONE_MODEL):
        path = tmp_path / "rows" / f"{run_id}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"flops": None, "curve": []}))
    page = page_of(tmp_path)
    assert "No run has a ledger of FLOPs." in page
    assert "No validation during training was logged" in page


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    with pytest.raises(ResultsError, match="holds no row"):
        write_report(tmp_path, grid=None, out=tmp_path / "out.html")


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ([{"kl_loss_coef": value, "kl_reward_coef": 0.0} for value in (0.0, 0.01)], ["no KL", "KL loss 0.01"]),
        ([{"lora_rank": rank} for rank in (0, 8)], ["no LoRA", "LoRA rank 8"]),
        ([{"rollout_n": n} for n in (8, 16)], ["8 rollouts", "16 rollouts"]),
    ],
    ids=["kl", "lora_rank", "rollout_n"],
)
def test_the_report_and_its_answers_name_arms_by_their_setting(
    settings: list[dict[str, float]], names: list[str], tmp_path: Path
) -> None:
    write_grid(tmp_path, models=ONE_MODEL, scales=(64,), seeds=(0, 1), truth=Truth(n_problems=8, n_samples=8, steps=6))
    for row, values in zip(list(read_rows(tmp_path)), settings, strict=True):
        row_path(tmp_path, row.run_id).write_text(replace(row, group_id=repr(values), **values).to_json())
    text = page_of(tmp_path, None)
    differences = pd.read_csv(tmp_path / "out_tables" / "stability-against-base-table.csv")
    assert list(dict.fromkeys(differences["runs"])) == [f"tiny-40k, {name}" for name in names]
    assert all(f">{name}<" in text for name in names)


HOSTILE = "</script><script>x()</script><img src=x onerror=x()>{{ 7*7 }}\"'\u2028\x1b[2J\u202e"


def test_hostile_names_in_every_text_of_the_rows_make_no_tag_and_turn_no_text(tmp_path: Path) -> None:
    write_grid(tmp_path, models=ONE_MODEL, failed=("tiny-40k_grpo_uniform_n512_s0",))
    for path in sorted((tmp_path / "rows").glob("*.json")):
        values = json.loads(path.read_text())
        for name in ("model", "family", "algorithm", "domain_mix", "data_scale", "curriculum"):
            values[name] = f"{values.get(name)}{HOSTILE}"
        if values["failure"]:
            values["failure"] |= {"reason": HOSTILE, "evidence": HOSTILE, "log": HOSTILE, "phase": HOSTILE}
        path.write_text(json.dumps(values))
    written = write_report(tmp_path, grid=None, out=tmp_path / "out.html")
    text = written.html.read_text()
    parsed = Page(text)
    assert "x()" in text
    assert "img" not in parsed.tags
    # The page's own scripts, and one with the data of each figure.
    assert parsed.tags.count("script") == len(scripts()) + 1 + parsed.tags.count("figure")
    assert "{{ 7*7 }}" in text
    assert CONTROL.search(text) is None
    for table in written.tables.glob("*.json"):
        json.loads(table.read_text())


@pytest.mark.nightly
def test_a_name_that_no_picture_and_no_file_can_have_costs_no_report(tmp_path: Path) -> None:
    """What draws would end the process: not an error that anybody could catch."""
    bad = ["a\0b", "../a\x1b[31m\ufffeb", "m" * 5000]
    run_ids = write_grid(
        tmp_path, models={f"m{i}": 27_000 * 3**i for i in range(len(bad))}, scales=(64, 512),
        truth=Truth(n_problems=8, n_samples=8, steps=6),
    )  # fmt: skip
    for run_id in run_ids:
        path = row_path(tmp_path, run_id)
        values = json.loads(path.read_text())
        path.write_text(json.dumps(values | {"model": bad[int(values["model"][1:])]}))
    written = write_report(tmp_path, grid=None, out=tmp_path / "out.html")
    assert written.failed == ()
    names = [path.name for path in written.tables.iterdir()]
    assert max(map(len, names)) < 120
    assert CONTROL.search("".join(names)) is None
    assert "a\\u0000b" in written.html.read_text()
    assert_refers_to_itself_and_its_data(Page(written.html.read_text()), written.tables)


def test_stems_of_files_are_plain_bounded_and_told_apart() -> None:
    assert stem("min_data-tiny 40k, grpo") == "min-data-tiny-40k,-grpo"
    odd = ["a/b", "a\0b", "a?b", "a" * 101, "a" * 102, "\ud800"]
    made = [stem(text) for text in odd]
    assert len(set(made)) == len(odd)
    assert all(re.fullmatch(r"[A-Za-z0-9.,=+-]{1,100}", name) for name in made)
