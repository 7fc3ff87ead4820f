"""What the part of a run in the report says of its problems."""

import json
from pathlib import Path

from analysis.report.evidence import Evidence
from analysis.report.run_sections import run_sections
from analysis.runs.selection import select
from sweeper.rows.row import problems_path
from tests.sweeper.kept_run import kept_run


def said(results: Path) -> tuple[str, list[str]]:
    """The sentence about the samples of the only run, and their verdicts."""
    (section,) = run_sections(Evidence(selection=select(results, None), results_dir=results))
    assert section.settings is not None
    (told,) = [line.cells[1] for line in section.settings.lines if line.cells[0] == "Samples"]
    return told, [sample.verdict for sample in section.samples]


def test_a_problem_that_changed_maybe_by_luck_is_not_called_gained(tmp_path: Path) -> None:
    kept_run(tmp_path)
    told, verdicts = said(tmp_path)
    assert told.startswith("0 of 6 problems are clearly more often right, 1 less often. With changes that may be luck")
    assert "3 are more often right and 1 less often" in told
    assert [text.partition(":")[0] for text in verdicts] == [
        *["More often right, maybe by luck"] * 3,
        "Less often right, clearly",
    ]
    assert "correct 0 of 4 times before, 3 of 4 after" in verdicts[0]


def test_that_no_problem_changed_clearly_is_said(tmp_path: Path) -> None:
    path = problems_path(tmp_path, kept_run(tmp_path).run_id)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "c": line["c"] or 1}) + "\n" for line in lines))
    told, verdicts = said(tmp_path)
    assert told.startswith("No problem of 6 changed clearly. With changes that may be luck")
    assert "3 are more often right and 0 less often" in told
    assert len(verdicts) == 3
