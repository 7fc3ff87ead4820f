"""What the sections of a report draw on, computed once."""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from analysis.drawing.answer import Answer
from analysis.estimates.numerals import short
from analysis.estimates.points import table_ks
from analysis.questions import QUESTIONS
from analysis.report.side_by_side import Failed, side_by_side
from analysis.row_laws.backtest import Backtest, backtests
from analysis.row_laws.curve_law import CurveLaw, curve_laws
from analysis.runs.checkpoints import Checkpoint, checkpoints
from analysis.runs.selection import Point, Run, Selection, points_of, series_of, varying_fields
from analysis.verdicts.verdict_audit import VerdictAudit, read_audit
from sweeper.host.errors import DamagedError
from sweeper.rows.money import Money, costs_of
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId

MOST_CURVES = 2  # series with laws of their learning curves: each costs four panels and a minute's reading
MOST_LINES = 6  # in one panel; more cannot be told apart


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A selection of runs with everything derived from it."""

    selection: Selection
    results_dir: Path | None = None  # where what runs wrote is read from; None: it is not

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Runs with a result."""
        return self.selection.completed

    @cached_property
    def points(self) -> list[Point]:
        """Configurations of completed runs with a pass@1, smallest model first."""
        return points_of([run for run in self.runs if run.pass1() is not None], self.labels)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Series of each completed run."""
        return series_of(self.runs)

    @cached_property
    def size_names(self) -> dict[int, str]:
        """Each size by its model, several of one size joined."""
        names: dict[int, list[str]] = {}
        for run in self.runs:
            found = names.setdefault(run.row.n_params_non_embedding, [])
            if run.row.model not in found:
                found.append(run.row.model)
        return {size: f"{' / '.join(found)} ({short(size)})" for size, found in sorted(names.items())}

    @cached_property
    def varying(self) -> str:
        """What tells series apart, in words."""
        said = " and ".join(varying_fields([run.row for run in self.runs]))
        return f"{said[:1].upper()}{said[1:]}"

    @cached_property
    def table_ks(self) -> list[int]:
        """The k beyond 1 that tables show."""
        return table_ks(self.points)

    @cached_property
    def checkpoints(self) -> list[Checkpoint]:
        """Validations of all completed runs."""
        return checkpoints(self.runs, self.labels)

    @cached_property
    def curve_series(self) -> list[str]:
        """Series whose learning curves get laws: those with most sizes, then most runs."""
        runs: dict[str, set[str]] = {}
        sizes: dict[str, set[int]] = {}
        for point in self.checkpoints:
            runs.setdefault(point.series, set()).add(point.run_id)
            sizes.setdefault(point.series, set()).add(point.size)
        order = sorted(runs, key=lambda name: (-len(sizes[name]), -len(runs[name])))
        return order[:MOST_CURVES]

    @cached_property
    def curve_laws(self) -> list[CurveLaw]:
        """Laws of the learning curves of `curve_series`."""
        return curve_laws(self.checkpoints, series=self.curve_series)

    @cached_property
    def backtests(self) -> list[Backtest]:
        """Held-out errors of `curve_laws`."""
        return [item for law in self.curve_laws for item in backtests(law)]

    @cached_property
    def answers(self) -> dict[str, Answer | Failed]:
        """Answers to the questions of the grid, or to all of them, by name."""
        record = self.selection.record
        asked = [name for name in (record and record.questions) or QUESTIONS if name in QUESTIONS]
        found = side_by_side([partial(QUESTIONS[name].ask, self.selection) for name in asked])
        return dict(zip(asked, found, strict=True))

    @cached_property
    def drawn_series(self) -> list[str]:
        """Series that panels with many lines show: all, or those at most sizes."""
        sizes: dict[str, set[int]] = {}
        for run in self.runs:
            sizes.setdefault(self.labels[run.row.run_id], set()).add(run.row.n_params_non_embedding)
        chosen = set(sorted(sizes, key=lambda name: -len(sizes[name]))[:MOST_LINES])
        return [name for name in sizes if name in chosen]

    @cached_property
    def costs(self) -> dict[str, Money]:
        """What each run has cost, by its id; a run without a price is not there."""
        if self.results_dir is None:
            return {}
        return costs_of(self.results_dir, [run.row for run in self.selection.runs])

    @cached_property
    def audits(self) -> dict[str, VerdictAudit]:
        """What a second scorer said of the completed runs that were audited, by id."""
        return {run_id: found for run_id, found in self._audits.items() if isinstance(found, VerdictAudit)}

    @property
    def damaged_audits(self) -> list[str]:
        """What is wrong with audits that cannot be read."""
        return [str(found) for found in self._audits.values() if isinstance(found, DamagedError)]

    @cached_property
    def _audits(self) -> dict[str, VerdictAudit | DamagedError]:
        found: dict[str, VerdictAudit | DamagedError] = {}
        if self.results_dir is None:
            return found
        for run in self.runs:
            try:
                audit = read_audit(RunDir(results_dir=self.results_dir, run_id=RunId(run.row.run_id)))
            except DamagedError as error:
                found[run.row.run_id] = error
            else:
                found |= {} if audit is None else {run.row.run_id: audit}
        return found

    @property
    def not_drawn(self) -> tuple[str, ...]:
        """A sentence about the series that panels leave out, or nothing."""
        total = len(set(self.labels.values()))
        if total <= MOST_LINES:
            return ()
        return (
            f"{len(self.drawn_series)} of {total} series are drawn, those at most sizes; the data hold all of them.",
        )
