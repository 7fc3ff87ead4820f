"""One offline HTML file a selection of runs, and the numbers of every figure and table as CSV and JSON beside it.

No network, no script, no time of rendering: the same rows give the same bytes.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from analysis.drawing.page import DASH, Section, csv_text, json_text
from analysis.drawing.template import template
from analysis.questions import QUESTIONS
from analysis.report.evidence import Evidence
from analysis.report.reading import reading
from analysis.report.sections import (
    answers,
    cost,
    curves,
    decisions,
    endpoint,
    every_run,
    heldout,
    parameters,
    passk,
    provenance,
    residuals,
    slopes,
    solved,
    training,
)
from analysis.report.side_by_side import side_by_side
from analysis.runs.selection import Selection, select
from sweeper.host.files import write_atomic

SECTIONS: tuple[Callable[[Evidence], Section], ...] = (
    curves.section,
    residuals.section,
    heldout.section,
    parameters.section,
    slopes.section,
    endpoint.section,
    passk.section,
    solved.section,
    training.section,
    cost.section,
    every_run.section,
    provenance.section,
)


SHORT = 240  # characters of a verdict on the first page


class Written(NamedTuple):
    """What a report consists of."""

    html: Path
    tables: Path


def write_report(results_dir: Path, *, grid: str | None, out: Path) -> Written:
    """Render the report of a grid, or of all rows, to `out`; its data go to `<stem>_tables/*.csv` and `*.json`.

    Raises:
        ResultsError: there is nothing to report, or a file is not what it should be.
    """
    evidence = Evidence(selection=select(results_dir, grid))
    return publish(evidence, page_sections(evidence), out)


def publish(evidence: Evidence, sections: Sequence[Section], out: Path) -> Written:
    """Write the page and the data of its sections."""
    tables = out.with_name(f"{out.stem}_tables")
    for section in sections:
        for name, frame in section.data().items():
            write_atomic(tables / f"{name}.csv", csv_text(frame))
            write_atomic(tables / f"{name}.json", json_text(frame))
    write_atomic(out, render(evidence, sections, tables=tables.name))
    return Written(out, tables)


def page_sections(evidence: Evidence) -> list[Section]:
    """The decisions, the answers to the questions, and what they rest on."""
    _ = evidence.laws, evidence.backtests  # what several sections draw on, before they are built side by side
    return side_by_side(
        [
            partial(decisions.section, evidence),
            *(partial(answers.section, answer) for answer in evidence.answers),
            *(partial(build, evidence) for build in SECTIONS),
        ]
    )


def render(evidence: Evidence, sections: Sequence[Section], *, tables: str) -> str:
    """The page as text."""
    return template("report.html.j2").render(
        selection=evidence.selection,
        ended=_measured_between(evidence.selection),
        paragraphs=reading(evidence.runs, evidence.laws),
        decisions=sections[0],
        verdicts=[
            (f"question-{item.name}", QUESTIONS[item.name].title, short_verdict(item.verdict), item.status)
            for item in evidence.answers
        ],
        sections=[section for section in sections[1:] if not section.empty],
        absent=[(section.title, section.missing) for section in sections[1:] if section.empty],
        tables=tables,
        dash=DASH,
    )


def short_verdict(verdict: str) -> str:
    """The first statements of a verdict, and how many follow in its section."""
    parts = verdict.split("; ")
    kept = 1
    while kept < len(parts) and len("; ".join(parts[: kept + 1])) <= SHORT:
        kept += 1
    text = "; ".join(parts[:kept])
    return text if kept == len(parts) else f"{text}; {len(parts) - kept} more below"


def _measured_between(selection: Selection) -> list[str]:
    ended = sorted(datetime.fromisoformat(run.row.timing.ended_at) for run in selection.runs if run.row.timing)
    return list(dict.fromkeys(f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for time in (*ended[:1], *ended[-1:])))
