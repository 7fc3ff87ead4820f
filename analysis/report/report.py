"""One offline HTML file a selection of runs, and the numbers of every figure and table as CSV and JSON beside it.

No network, no time of rendering: the same rows give the same bytes. Its scripts are its own and draw figures that are
data; whatever a row or a model wrote is text.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from analysis.drawing.answer import Answer
from analysis.drawing.live import PAGE_THEMES, policy, scripts, stills
from analysis.drawing.page import FirstScreen, RunSection, Section
from analysis.drawing.template import template, text_of
from analysis.questions import QUESTIONS
from analysis.report.data_files import DataFiles
from analysis.report.evidence import Evidence
from analysis.report.first_screen import first_screen
from analysis.report.run_sections import run_sections
from analysis.report.sections import (
    answers,
    checklist,
    cost,
    curves,
    decisions,
    every_run,
    glossary,
    heldout,
    passk,
    second_scorer,
    solved,
    training,
)
from analysis.report.side_by_side import Failed, side_by_side, tried
from analysis.runs.selection import Selection, select
from rewards.terminal import visible
from sweeper.host.files import write_atomic
from sweeper.host.secret import hidden

SECTIONS: tuple[Callable[[Evidence], Section], ...] = (
    curves.section,
    heldout.section,
    passk.section,
    solved.section,
    training.section,
    second_scorer.section,
    cost.section,
    every_run.section,
    glossary.section,
    checklist.section,
)


class Written(NamedTuple):
    """What a report consists of."""

    headline: str  # in one line
    best: str  # the best configuration, in one line; empty: no pass@1 was measured
    html: Path
    tables: Path
    failed: tuple[str, ...]  # a line per section that could not be made: which, and why
    damaged: tuple[str, ...]  # what is wrong with files that were left out


def write_report(results_dir: Path, *, grid: str | None, out: Path) -> Written:
    """Render the report of a grid, or of all rows, to `out`; its data go to `<stem>_tables/*.csv` and `*.json`.

    Raises:
        ResultsError: there is nothing to report, or a file is not what it should be.
    """
    evidence = Evidence(selection=select(results_dir, grid), results_dir=results_dir)
    _tables(out).mkdir(parents=True, exist_ok=True)  # a place that cannot be written is told before the work
    return publish(evidence, page_sections(evidence), out)


def publish(evidence: Evidence, sections: Sequence[Section], out: Path) -> Written:
    """Write the page and the data of its sections."""
    tables = _tables(out)
    data = DataFiles(tables)
    for section in sections:
        for name, frame in section.data().items():
            data.write(name, frame)
    failed = [f"{section.title}: {section.failed}" for section in sections if section.failed]
    first, runs = tried(lambda: first_screen(evidence)), tried(lambda: run_sections(evidence))
    if isinstance(first, Failed):
        failed.insert(0, f"The first screen: {first.why}")
        first = FirstScreen(headline=f"The first screen could not be made: {first.why}.")
    if isinstance(runs, Failed):
        failed.append(f"Run by run: {runs.why}")
        runs = ()
    if first.figure:
        data.write(first.figure.name, first.figure.data)
    for name, frame in (item for run in runs for item in run.data().items()):
        data.write(name, frame)
    write_atomic(out, hidden(visible(render(evidence, sections, first, tables=tables.name, runs=runs))))
    data.remove_others()
    headline, best = (" ".join(hidden(visible(text)).split()) for text in (first.headline, first.best))
    return Written(headline, best, out, tables, tuple(failed), evidence.selection.damaged)


def _tables(out: Path) -> Path:
    return out.with_name(f"{out.stem}_tables")


def page_sections(evidence: Evidence) -> list[Section]:
    """The decisions, the answers to the questions, and what they rest on; one that fails says so in its place."""
    # What several sections draw on, before they are built side by side; where it fails, they do.
    tried(lambda: evidence.backtests)
    known = {name: found for name, found in evidence.answers.items() if isinstance(found, Answer)}
    work = {
        decisions.TITLE: partial(decisions.section, evidence),
        **{QUESTIONS[name].title: partial(answers.section, found) for name, found in known.items()},
        **{_heading(build): partial(build, evidence) for build in SECTIONS},
    }
    if not evidence.points:  # nothing was evaluated: what was logged during training is all there is to read
        work = {_heading(training.section): work.pop(_heading(training.section)), **work}
    made = dict(zip(work, side_by_side(list(work.values())), strict=True))
    made |= {QUESTIONS[name].title: found for name, found in evidence.answers.items() if isinstance(found, Failed)}
    return [_failed(title, found) if isinstance(found, Failed) else found for title, found in made.items()]


def _heading(build: Callable[[Evidence], Section]) -> str:
    """The name of a section before it is made."""
    return build.__module__.rpartition(".")[2].replace("_", " ").capitalize()


def _failed(title: str, found: Failed) -> Section:
    said = f"This section could not be made: {found.why}. Everything else on this page is as ever."
    return Section(anchor=title.lower().replace(" ", "-"), title=title, missing=(said,), failed=found.why)


def render(
    evidence: Evidence, sections: Sequence[Section], first: FirstScreen, *, tables: str, runs: Sequence[RunSection] = ()
) -> str:
    """The page as text.

    Args:
        evidence: What the page is about.
        sections: In their order; one with nothing to show is a line at the end.
        first: What stands above them.
        tables: Name of the folder of the data files, beside the page.
        runs: A part for each run, linked to by `RunSection.anchor`.
    """
    made = scripts()
    figures = [*((first.figure,) if first.figure else ()), *(item for section in sections for item in section.figures)]
    figures += [run.curve for run in runs if run.curve is not None]
    page = partial(
        template("report.html.j2").render,
        policy=policy(made),
        scripts=made,
        css=text_of("report.css"),
        themes=PAGE_THEMES,
        selection=evidence.selection,
        ended=_measured_between(evidence.selection),
        first=first,
        sections=[section for section in sections if not section.empty],
        absent=[(section.title, section.missing) for section in sections if section.empty],
        runs=runs,
        tables=tables,
    )
    return page(stills=stills(figures, rest=len(page(stills={}))))


def _measured_between(selection: Selection) -> list[str]:
    ended = sorted(datetime.fromisoformat(run.row.timing.ended_at) for run in selection.runs if run.row.timing)
    return list(dict.fromkeys(f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for time in (*ended[:1], *ended[-1:])))
