"""The command line: a report, one question of the field, laws of any CSV, forms compared, pass@k of counts.

Nothing heavy is imported before it is needed: `--help` answers in a fraction of a second.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.imports import command as imports
from analysis.laws.command import (
    FIT_HELP,
    RANK_HELP,
    add_fit_options,
    add_rank_options,
    fit_csv,
    rank_csv,
    refuse_csv_options,
)
from analysis.passk import command as passk
from analysis.questions.command import add_ask_options, ask
from analysis.verdicts import command as verdicts
from rewards.program import EXIT_FAILED, EXIT_OK, Parser, guarded, started_as
from rewards.strict_json import json_text
from sweeper.host.errors import ResultsError
from sweeper.host.printed_table import Room, add_flags, paragraph
from sweeper.spec.bounds import Name, argument

HELP = """\
Analyse the rows that a sweep wrote.

  python -m analysis report --results results                       every row, to results/reports/all.html
  python -m analysis report --results results --grid model_scale    the runs of one grid
  python -m analysis report --results results -o somewhere/out.html its tables go to somewhere/out_tables/*.csv
  python -m analysis ask curriculum --results results               one question with intervals; ask --list names all
  python -m analysis fit --results results --grid model_scale       power laws with intervals, as text
  python -m analysis fit curves.csv --law sigmoid --x x --y y       a law of your own CSV; fit --help lists the laws
  python -m analysis rank curves.csv --x x --y y --group run        laws by their error on what comes next
  python -m analysis passk counts.csv --ks 1,2,4 --json             pass@k with intervals, from counts
  python -m analysis import wandb/ run.jsonl log.txt                rows from runs made elsewhere
  python -m analysis audit RUN --results results                    kept samples that a second scorer judges differently

The report is one file without network access: figures, tables, fits and how each number was made. The same rows
give the same bytes. Its headline is the first line on stdout, its best configuration the second.
"""
RESULTS = Path("results")
GRID_HELP = "only the runs of this grid (RESULTS/grids/GRID.json, written by the sweep); runs without a row are counted"


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code: 0; 1 where the answer lacks what is damaged or failed; 2 refused."""
    return guarded(lambda: _run(arguments))


def _run(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    return int(options.execute(options))


def _parser() -> argparse.ArgumentParser:
    started = started_as("analysis")
    parser: argparse.ArgumentParser = Parser(
        prog=started,
        usage=f"{started} VERB [arguments]",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs (each has --help)", required=True, metavar="VERB", prog=parser.prog)
    report = verbs.add_parser("report", help="render one offline HTML file, with its tables as CSV beside it")
    report.add_argument("-o", "--out", type=Path, help="HTML file to write (default: RESULTS/reports/GRID.html)")
    report.add_argument(
        "--wandb", action="store_true", help="also log page and tables to wandb, as a run (WANDB_MODE=offline works)"
    )
    raw = argparse.RawDescriptionHelpFormatter
    asking = verbs.add_parser("ask", help="answer one question of the field from the rows of a sweep")
    add_ask_options(asking)
    fit = verbs.add_parser(
        "fit", help="fit a law to a CSV, or to the rows of a sweep", description=FIT_HELP, formatter_class=raw
    )
    add_fit_options(fit)
    rank = verbs.add_parser(
        "rank", help="rank laws by their held-out error", description=RANK_HELP, formatter_class=raw
    )
    add_rank_options(rank)
    add_flags(asking, ids=False)
    for verb in (asking, fit, rank):
        verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    suggest = verbs.add_parser(
        "suggest", description="Behind `python -m sweeper suggest`: JSON on stdin, JSON on stdout."
    )
    for verb in (report, asking, fit, suggest):
        verb.add_argument("--results", type=Path, default=RESULTS, help="results folder (default: results)")
    for verb in (report, asking, fit):
        verb.add_argument("--grid", type=argument(Name), help=GRID_HELP)
    report.set_defaults(execute=_report)
    asking.set_defaults(execute=ask)
    fit.set_defaults(execute=_fit)
    rank.set_defaults(execute=_rank)
    passk.add_parser(verbs)
    imports.add_parser(verbs)
    verdicts.add_parser(verbs)
    suggest.set_defaults(execute=_suggest)
    return parser


def _report(options: argparse.Namespace) -> int:
    from analysis.report.report import write_report
    from analysis.report.wandb_export import export, require_wandb

    if options.wandb:
        require_wandb()
    out = options.out or options.results / "reports" / f"{options.grid or 'all'}.html"
    written = write_report(options.results, grid=options.grid, out=out)
    print(*filter(None, (written.headline, written.best, written.html, f"tables: {written.tables}")), sep="\n")
    if written.failed:
        print(f"{len(written.failed)} of its sections could not be made:", *written.failed, sep="\n", file=sys.stderr)
    if options.wandb:
        print(f"wandb: {export(written.html, written.tables)}")
    return EXIT_FAILED if written.failed or written.damaged else EXIT_OK


def _rank(options: argparse.Namespace) -> int:
    print(rank_csv(options) if options.json else paragraph(rank_csv(options), Room.of_screen(), indent="  "))
    return EXIT_OK


def _suggest(options: argparse.Namespace) -> int:
    from analysis.row_laws.next_points import answer

    print(json_text(answer(options.results, json.load(sys.stdin))))
    return EXIT_OK


def _fit(options: argparse.Namespace) -> int:
    if options.csv is not None:
        if options.grid is not None or options.results != RESULTS:
            raise ResultsError(f"fit {options.csv} reads that file alone; leave --results and --grid out, or the file")
        print(fit_csv(options) if options.json else paragraph(fit_csv(options), Room.of_screen(), indent="  "))
        return EXIT_OK
    refuse_csv_options(options)
    from analysis.row_laws.final import fit_laws, law_json, law_text
    from analysis.runs.selection import select

    selection = select(options.results, options.grid)
    laws = fit_laws(selection.completed)
    if options.json:
        print(json_text({"command": "fit", "data": [law_json(law) for law in laws]}, indent=1))
    else:
        print(paragraph("\n\n".join(map(law_text, laws)), Room.of_screen(), indent="  "))
    return EXIT_FAILED if selection.damaged else EXIT_OK
