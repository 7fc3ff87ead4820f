"""Gains by domain and beyond k = 1 on the first screen: the counts of their tables, corrected."""

import re
from pathlib import Path

from analysis.drawing.answer import Status
from analysis.report.gain_verdicts import gain_verdicts
from analysis.report.sections.passk import pass_at_k_table
from analysis.runs.selection import points_of, select, series_of
from tests.analysis.questions.planted import Planted, selection
from tests.analysis.synthetic_rows import Truth, write_grid


def test_a_gain_that_is_of_one_domain_alone_is_said_to_be() -> None:
    nothing = dict.fromkeys(("logic", "math", "stem"), 0.0)
    runs = [Planted(model=f"m-{i}", size=1000 + i, by_domain={"code": 2.0, **nothing}) for i in range(4)]
    found = selection(runs, n_problems=80)
    (said,) = gain_verdicts(points_of(list(found.completed), series_of(found.completed)))
    assert said.question == "Gain by domain"
    assert said.link == "passk"
    assert said.status is Status.answered
    first, *others = re.findall(r"(\w+) [+-][\d.]+ \[[^]]*\] \(clearly up in (\d) of 4", said.sentence)
    assert first == ("code", "4")
    assert sorted(others) == [("logic", "0"), ("math", "0"), ("stem", "0")]
    assert said.sentence.endswith("; Holm over 16.")


def test_the_line_on_pass_at_k_counts_what_the_table_holds_and_corrects_for_it(tmp_path: Path) -> None:
    write_grid(tmp_path, truth=Truth(n_problems=24, gain=0.02), scales=(64,))
    runs = select(tmp_path).completed
    points = points_of(list(runs), series_of(runs))
    said = next(item for item in gain_verdicts(points) if item.question == "pass@k beyond 1")
    table = pass_at_k_table(points, [8, 64, 128]).query("domain == 'all'")
    for k, own in table.groupby("k"):
        rose, fell = (own["gain"] > 0).sum(), (own["gain"] < 0).sum()
        assert re.search(
            rf"pass@{k} rose in {rose} of 4 \(clearly in \d\) and fell in {fell} \(clearly in \d\)", said.sentence
        )
    assert said.sentence.endswith("; Holm over 12.")
