"""One offline HTML file a selection of runs, and its tables as CSV beside it.

No network, no script, no time of rendering: the same rows give the same bytes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import jinja2

from analysis import figures
from analysis.bootstrap import Estimate
from analysis.checklist import checklist
from analysis.estimates import gain, pass_at, table_ks
from analysis.frame import Point, Run, Selection, points_of, select, varying_fields
from analysis.law_figure import law_figure
from analysis.numerals import plain, short, signed
from analysis.power_law import NotFitted
from analysis.reading import reading
from analysis.row_laws import Law, fit_laws, held_out_text, interval_text
from analysis.tables import all_tables, domains_of
from sweeper.results import write_atomic

DASH = "–"  # noqa: RUF001 - the typographic sign for "not measured"


class Written(NamedTuple):
    """What a report consists of."""

    html: Path
    tables: Path


def write_report(results_dir: Path, *, grid: str | None, out: Path) -> Written:
    """Render the report of a grid, or of all rows, to `out`; its tables go to `<stem>_tables/*.csv` beside it.

    Raises:
        ResultsError: there is nothing to report, or a file is not what it should be.
    """
    selection = select(results_dir, grid)
    laws = fit_laws(selection.completed)
    tables = out.with_name(f"{out.stem}_tables")
    for name, frame in all_tables(selection, laws).items():
        write_atomic(tables / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
    write_atomic(out, render(selection, laws, tables=tables.name))
    return Written(out, tables)


def render(selection: Selection, laws: Sequence[Law], *, tables: str) -> str:
    """The page as text."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(
        files("analysis").joinpath("templates/report.html.j2").read_text(encoding="utf-8")
    )
    runs = selection.completed
    measured = [run for run in runs if run.pass1() is not None]
    ks = table_ks(points_of(measured))
    ended = sorted(datetime.fromisoformat(run.row.timing.ended_at) for run in selection.runs if run.row.timing)
    return template.render(
        selection=selection,
        ended=list(dict.fromkeys(_minute(time) for time in (*ended[:1], *ended[-1:]))),
        paragraphs=reading(runs, laws),
        varying=" and ".join(name.replace("_", " ") for name in varying_fields([run.row for run in runs])),
        seeds=sorted({len(point.runs) for point in points_of(measured)}),
        sizes=figures.size_figure(measured) if measured else None,
        accuracy=figures.curve_figure(runs, "val_pass1"),
        reward=figures.curve_figure(runs, "reward"),
        pass_at_k=figures.pass_at_k_figure(measured),
        law_figure=law_figure(laws, measured),
        ks=ks,
        domains=[line for point in points_of(measured) for line in _domain_lines(point, ks)],
        results=[_result_line(run, ks) for run in selection.runs],
        laws=[_law_line(law) for law in laws],
        checklist=checklist(selection),
        tables=tables,
        dash=DASH,
    )


def _domain_lines(point: Point, ks: Sequence[int]) -> list[dict[str, object]]:
    lines = []
    for domain in domains_of(point):
        score = point.row.score(domain)
        before, after = pass_at(point, 1, base=True, domain=domain), pass_at(point, 1, domain=domain)
        lines.append(
            {
                "model": point.row.model,
                "series": point.series,
                "seeds": len(point.runs),
                "domain": domain,
                "problems": score.n_problems if score else DASH,
                "base": plain(before) if before else DASH,
                "trained": plain(after) if after else DASH,
                "gain": _difference(gain(point, domain=domain)),
                "more": [
                    _from_to(pass_at(point, k, base=True, domain=domain), pass_at(point, k, domain=domain)) for k in ks
                ],
            }
        )
    return lines


def _result_line(run: Run, ks: Sequence[int]) -> dict[str, object]:
    row, alone = run.row, Point(series="", runs=(run,))
    before, after = pass_at(alone, 1, base=True), pass_at(alone, 1)
    return {
        "row": row,
        "size": short(row.n_params_non_embedding),
        "params": short(row.n_params),
        "steps": DASH if row.steps is None else row.steps,
        "base": f"{before.value:.3f}" if before else DASH,
        "trained": f"{after.value:.3f}" if after else DASH,
        "gain": _difference(gain(alone)),
        "more": [_from_to(pass_at(alone, k, base=True), pass_at(alone, k)) for k in ks],
        "flops": f"{row.flops.total:.2e}" if row.flops and row.flops.total is not None else DASH,
        "wall": _duration(row.timing.total_s if row.timing else None),
        "reason": f"{row.failure.phase}: {row.failure.reason} (log: {row.failure.log})" if row.failure else "",
    }


def _law_line(law: Law) -> dict[str, object]:
    line: dict[str, object] = {
        "axis": law.axis,
        "subset": law.subset,
        "runs": len(law.observations),
        "notes": law.notes,
    }
    if isinstance(law.result, NotFitted):
        return line | {"refused": law.result.reason}
    fit = law.result
    return line | {
        "refused": None,
        "alpha": f"{fit.alpha:.3f} {interval_text(fit)}",
        "jackknife": f"{fit.jackknife_low:.3f} to {fit.jackknife_high:.3f}",
        "held": fit.held_out,
        "held_text": held_out_text(law),
        "warnings": fit.warnings,
    }


def _difference(value: Estimate | None) -> str:
    return signed(value) if value else DASH


def _from_to(before: Estimate | None, after: Estimate | None) -> str:
    return " → ".join(f"{item.value:.3f}" if item else DASH for item in (before, after))


def _minute(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return DASH
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
