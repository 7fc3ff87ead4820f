"""The interval of a mean over problems: the same ends wherever the number is printed."""

import json
import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from analysis import cli
from analysis.estimates.numerals import plain, signed
from analysis.estimates.points import mean_gain, pass_at
from analysis.questions import QUESTIONS
from analysis.report.evidence import Evidence
from analysis.report.report import write_report
from analysis.report.sections.every_run import results_table
from analysis.report.sections.passk import domains_of, pass_at_k_table
from analysis.runs.selection import select
from sweeper.rows.row import problems_path
from tests.analysis.synthetic_rows import Truth, write_grid
from tests.analysis.whole_sweep import write_whole_sweep

Ends = tuple[float, float, float]
LARGE = Truth(n_problems=240, n_samples=16, steps=8)  # once, another method began at 200 problems


def ends(row: "pd.Series[float] | dict[str, float]", *names: str) -> Ends:
    value, low, high = (float(row[name]) for name in names)
    return value, low, high


def at_one(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["k"] == 1].set_index("model")


@pytest.mark.parametrize("truth", [Truth(steps=8), LARGE], ids=["64 problems", "240 problems"])
def test_report_passk_and_answers_print_the_same_interval_of_a_run(
    truth: Truth, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = write_grid(tmp_path, models={"a": 27_000, "b": 102_000}, scales=(64,), truth=truth)
    chosen = select(tmp_path)
    curve = at_one(pass_at_k_table(Evidence(selection=chosen).points, [1]).query("domain == 'all'")).loc["a"]
    trained = ends(curve, "trained", "trained_low", "trained_high")
    gain = ends(curve, "gain", "gain_low", "gain_high")

    counts = str(problems_path(tmp_path, first))
    assert (
        cli.main(["passk", counts, "--base", counts.replace(".problems", ".base_problems"), "--ks", "1", "--json"]) == 0
    )
    printed = json.loads(capsys.readouterr().out)
    (own,) = (group["ks"][0] for group in printed["data"] if group["group"] == "all")
    (paired,) = (group["differences"][0] for group in printed["paired"] if group["group"] == "all")
    assert ends(own, "pass@k", "low", "high") == pytest.approx(trained, rel=1e-12)
    assert ends(paired | paired["problems"], "value", "low", "high") == pytest.approx(gain, rel=1e-12)

    sizes = QUESTIONS["size"].ask(chosen).tables["sizes"].iloc[0]
    assert ends(sizes, "pass1", "low", "high") == pytest.approx(trained, rel=1e-12)
    line = results_table(chosen).set_index("run_id").loc[first]
    assert ends(line, "gain_pass@1", "gain_pass@1_low", "gain_pass@1_high") == pytest.approx(gain, rel=1e-12)
    overtaken = QUESTIONS["stability"].ask(chosen).tables["against_base"]
    assert ends(overtaken.iloc[0], "difference", "low", "high") == pytest.approx(gain, rel=1e-12)
    spent = QUESTIONS["compute_efficiency"].ask(chosen).tables["gain_per_flop"].iloc[0]
    per_flop = [end / spent["flops"] for end in gain]
    assert ends(spent, "gain_per_flop", "low", "high") == pytest.approx(per_flop, rel=1e-12)


def test_report_and_answers_print_the_same_interval_of_several_seeds(tmp_path: Path) -> None:
    write_whole_sweep(tmp_path, seeds=2, sizes={"tiny-40k": 27_000, "tiny-130k": 102_000})
    chosen = select(tmp_path)
    of_report = pass_at_k_table(Evidence(selection=chosen).points, [1]).query("domain == 'all'")
    trained = {ends(row, "trained", "trained_low", "trained_high") for _, row in of_report.iterrows()}
    gains = {ends(row, "gain", "gain_low", "gain_high") for _, row in of_report.iterrows()}
    shown = 0
    for question, table, names, known in (
        ("size", "sizes", ("pass1", "low", "high"), trained),
        ("data", "scales", ("pass1", "low", "high"), trained),
        ("min_data", "gains", ("gain", "gain_low", "gain_high"), gains),
        ("stability", "against_base", ("difference", "low", "high"), gains),
    ):
        frame = QUESTIONS[question].ask(chosen).tables[table]
        frame = frame[frame["k"] == 1] if "k" in frame else frame
        for _, row in frame.iterrows():
            assert any(ends(row, *names) == pytest.approx(item, rel=1e-9, abs=1e-12) for item in known), (question, row)
            shown += 1
    assert shown > 20


def test_what_a_number_is_compared_with_does_not_change_its_interval(tmp_path: Path) -> None:
    write_whole_sweep(tmp_path, seeds=2, sizes={"tiny-40k": 27_000, "tiny-130k": 102_000, "tiny-450k": 400_000})
    pair = QUESTIONS["size"].ask(select(tmp_path)).tables["sizes"].set_index(["runs", "arm"])
    for path in (tmp_path / "rows").glob("tiny-450k_*"):
        path.unlink()
    alone = QUESTIONS["size"].ask(select(tmp_path)).tables["sizes"].set_index(["runs", "arm"])
    assert len(alone) == 4
    pd.testing.assert_frame_equal(alone[["pass1", "low", "high"]], pair.loc[alone.index, ["pass1", "low", "high"]])


def test_the_checklist_names_the_interval_that_is_printed(tmp_path: Path) -> None:
    write_grid(tmp_path, models={"a": 27_000}, scales=(64,))
    page = write_report(tmp_path, grid=None, out=tmp_path / "out.html").html.read_text()
    assert "delta method on the logit scale" in page
    assert "percentile bootstrap" not in page


NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?[KMBT]?"
INTERVAL = re.compile(rf"({NUMBER}) \[({NUMBER}), ({NUMBER})\]")


def printed(html: str, *tags: str) -> set[tuple[str, ...]]:
    """Every "value [low, high]" inside elements of these names, whichever sign a fall is told with."""
    # HTML lets a cell end where the next begins.
    until = {"td": r"(?=</?(?:td|th|tr|tbody|table)\b)"}
    found = (
        text
        for tag in tags
        for text in re.findall(rf"<{tag}\b[^>]*>(.*?){until.get(tag, f'</{tag}>')}", html, re.DOTALL)
    )
    return {upright(*match) for text in found for match in INTERVAL.findall(unescape(re.sub(r"<[^>]*>", "", text)))}


def upright(*texts: str) -> tuple[str, ...]:
    """A fall by 0.1 [0.05, 0.15] is a change of -0.1 [-0.15, -0.05]."""
    value, low, high = (text.removeprefix("+") for text in texts)
    return (value[1:], turned(high), turned(low)) if value.startswith("-") else (value, low, high)


def turned(text: str) -> str:
    return text[1:] if text.startswith("-") else text if float(text) == 0 else f"-{text}"


def test_every_interval_in_a_sentence_stands_in_a_table_with_the_same_digits(tmp_path: Path) -> None:
    write_grid(tmp_path, models={"a": 27_000, "b": 102_000, "c": 400_000, "d": 1_500_000}, truth=Truth(steps=8))
    page = re.sub(
        r"<(script|style|svg)\b.*?</\1>",
        "",
        write_report(tmp_path, grid=None, out=tmp_path / "out.html").html.read_text(),
        flags=re.DOTALL,
    )
    points = Evidence(selection=select(tmp_path)).points
    means = [mean_gain(points, domain=name) for name in ("all", *sorted({*domains_of(points[0])} - {"all"}))]
    of_means = {upright(*INTERVAL.findall(signed(mean))[0]) for mean in means if mean is not None}
    assert len(of_means) == 5
    in_tables = printed(page, "td") | of_means
    in_sentences = printed(page, "p", "li", "h3")
    assert len(in_sentences) > 12
    assert in_sentences <= in_tables, sorted(in_sentences - in_tables)


def test_the_pass_at_1_of_a_configuration_has_one_interval_on_the_whole_page(tmp_path: Path) -> None:
    write_grid(tmp_path, models={"a": 27_000, "b": 102_000}, truth=Truth(steps=8))
    page = write_report(tmp_path, grid=None, out=tmp_path / "out.html").html.read_text()
    points = Evidence(selection=select(tmp_path)).points
    owned = [found for point in points for base in (True, False) if (found := pass_at(point, 1, base=base))]
    texts = {upright(*INTERVAL.findall(plain(found))[0]) for found in owned}
    values = {value for value, _, _ in texts}
    assert {item for item in printed(page, "td", "p", "li", "b", "summary") if item[0] in values} == texts
