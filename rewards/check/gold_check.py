"""Holds every row's own gold answer, and a perturbed one, against its scorer."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from rewards.check.gold_rendering import SOLUTION_FIELDS, NoRendering, Rendering, perturbed, render
from rewards.own.covering import covering
from rewards.own.own_scorer import OwnRewardError, own_scorer
from rewards.problem.domains import UnknownDataSource
from rewards.problem.question import BadGroundTruth, Question, question_of
from rewards.problem.verdict import Outcome
from rewards.route.scorers import Scorer, scorer_of
from rewards.sandbox.worker import pool_size

_SHOWN = 120


class Finding(StrEnum):
    """What the check says of a row."""

    GOOD = "good"
    NOT_RENDERED = "not rendered"  # nothing in the row can be written as an answer; its gold is readable
    UNREADABLE = "gold unreadable"
    UNKNOWN_SOURCE = "source unknown"
    GOLD_REFUSED = "gold refused"
    PERTURBED_ACCEPTED = "perturbed accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldRow:
    """One row of data; `where` names it in the report."""

    where: str
    data_source: str
    ground_truth: object
    extra_info: Mapping[str, object] | None = None
    prompt: str = ""  # what the messages of the prompt say, where it was read


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReport:
    """One row's finding. `reason` is empty for GOOD; `gold_ms` is what scoring its gold took, in wall time."""

    where: str
    data_source: str
    finding: Finding
    reason: str = ""
    gold_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """Counts of one data_source; rates and milliseconds are None where no row could be rendered."""

    data_source: str
    rows: int
    rendered: int
    gold_passed: int
    perturbed_passed: int
    ms_per_row: float | None
    gold_pass_rate: float | None
    perturbed_pass_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldReport:
    """One entry per source, in order of name, and one per row that is not GOOD, in the order of the data."""

    sources: tuple[SourceReport, ...]
    exceptions: tuple[RowReport, ...]

    @property
    def problems(self) -> tuple[RowReport, ...]:
        """The rows that should not be trained on as they are."""
        return tuple(row for row in self.exceptions if row.finding is not Finding.NOT_RENDERED)


def check_row(row: GoldRow, own: Sequence[str] = ()) -> RowReport:
    """Scores one row's gold and a wrong answer, past the cache of recent answers.

    Args:
        row: Of any source.
        own: The user's own reward functions (`rewards.own.covering`).
    """

    def report(finding: Finding, reason: str = "", gold_ms: float | None = None) -> RowReport:
        return RowReport(where=row.where, data_source=row.data_source, finding=finding, reason=reason, gold_ms=gold_ms)

    try:
        scorer = scorer_of(row.data_source, tuple(own))
        question = question_of(row.ground_truth, row.extra_info, scorer.fields)
        scorer.read(question)
        rendering = rendering_of(row, scorer, question, own)
    except UnknownDataSource as error:
        return report(Finding.UNKNOWN_SOURCE, str(error))
    except BadGroundTruth as error:
        return report(Finding.UNREADABLE, str(error))
    except NoRendering as error:
        return report(Finding.NOT_RENDERED, str(error))
    start = time.perf_counter()
    verdict = scorer.verdict(rendering.right, question)
    gold_ms = 1000 * (time.perf_counter() - start)
    shown = f"ground_truth {question.gold[:_SHOWN]!r}"
    if verdict.outcome is not Outcome.CORRECT:
        why = f"{verdict.pred}, " if verdict.outcome is Outcome.ERROR else ""
        return report(Finding.GOLD_REFUSED, f"scored {verdict.outcome}: {why}{shown}", gold_ms)
    if scorer.verdict(rendering.wrong, question).outcome is Outcome.CORRECT:
        return report(Finding.PERTURBED_ACCEPTED, f"{rendering.wrong[:_SHOWN]!r} passes: {shown}", gold_ms)
    return report(Finding.GOOD, gold_ms=gold_ms)


def rendering_of(row: GoldRow, scorer: Scorer[object], question: Question, own: Sequence[str]) -> Rendering:
    """The row's gold and a perturbed one as responses.

    Raises:
        NoRendering: There is no way to write them; the message says what is missing.
    """
    reference = covering(row.data_source, own)
    if reference is None:
        return render(scorer.family, question, _solution(row))
    golds = (question.gold, perturbed(question.gold))
    try:
        right, wrong = (own_scorer(reference).right_answer(row.data_source, gold, question) for gold in golds)
    except OwnRewardError as error:
        raise NoRendering(str(error)) from error
    if right is None or wrong is None:
        raise NoRendering(f"cannot be checked: {reference.rpartition(':')[0]} has no right_answer to write a gold with")
    return Rendering(right, wrong)


def _solution(row: GoldRow) -> str:
    found = dict(question_of("", row.extra_info, SOLUTION_FIELDS).extra)
    return next((found[name] for name in SOLUTION_FIELDS if found.get(name, "").strip()), "")


def check_rows(rows: Iterable[GoldRow], own: Sequence[str] = ()) -> GoldReport:
    """Checks rows, as many at once as there are helper processes; `own` as for `check_row`."""
    with ThreadPoolExecutor(max_workers=pool_size(), thread_name_prefix="gold") as executor:
        reports = list(executor.map(partial(check_row, own=own), rows))
    by_source: dict[str, list[RowReport]] = {}
    for report in reports:
        by_source.setdefault(report.data_source, []).append(report)
    return GoldReport(
        sources=tuple(_of_source(source, of_source) for source, of_source in sorted(by_source.items())),
        exceptions=tuple(report for report in reports if report.finding is not Finding.GOOD),
    )


def _of_source(source: str, reports: list[RowReport]) -> SourceReport:
    timed = [report.gold_ms for report in reports if report.gold_ms is not None]
    accepted = sum(report.finding is Finding.PERTURBED_ACCEPTED for report in reports)
    passed = accepted + sum(report.finding is Finding.GOOD for report in reports)
    return SourceReport(
        data_source=source,
        rows=len(reports),
        rendered=len(timed),
        gold_passed=passed,
        perturbed_passed=accepted,
        ms_per_row=sum(timed) / len(timed) if timed else None,
        gold_pass_rate=passed / len(timed) if timed else None,
        perturbed_pass_rate=accepted / len(timed) if timed else None,
    )
