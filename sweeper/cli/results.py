"""The results table (--csv, --parquet, --sql)."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rewards.terminal import one_line
from sweeper.cli.verb import add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.errors import ConfigError, DamagedError
from sweeper.host.printed_table import Room, add_flags, printed
from sweeper.spec.bounds import Name, argument

if TYPE_CHECKING:
    from sweeper.rows.money import Money
    from sweeper.rows.row import ResultRow


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("grid", nargs="?", type=argument(Name), help="only the runs of this grid")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="all columns as CSV on stdout")
    parser.add_argument(
        "--spreadsheet", action="store_true", help="with --csv: a ' before each text that a spreadsheet would compute"
    )
    form.add_argument("--parquet", type=Path, metavar="FILE", help="all columns into a Parquet file")
    form.add_argument("--sql", metavar="QUERY", help='DuckDB SQL over the table "results"')
    add_json(form)
    add_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.rows import table

    if options.spreadsheet and not options.csv:
        raise ConfigError("--spreadsheet changes cells of --csv; add --csv")
    damaged: list[DamagedError] = []
    rows = rows_of(results_folder(options), grid=options.grid, damaged=damaged)
    from sweeper.rows.money import costs_of

    costs = costs_of(results_folder(options), rows)
    if options.csv:
        print(table.to_csv(rows, costs, spreadsheet=options.spreadsheet), end="")
    elif options.parquet:
        table.to_parquet(rows, options.parquet, costs)
        print(options.parquet)
    elif options.sql is not None:
        names, found = table.query(rows, options.sql, costs)
        heads = [str(one_line(name)) for name in names]
        # A query may name two columns alike.
        unique = [name if heads.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(heads, start=1)]
        cells = [dict(zip(unique, row, strict=True)) for row in found]
        room = Room.of_screen(options)
        print(printed(cells, room, drop=unique[:1:-1]) if cells else "  ".join(heads))
    else:
        answer(options, lambda: table.records(rows, costs), lambda: table_text(rows, Room.of_screen(options), costs))
    return say_damaged(damaged, what=f"left out; {len(rows)} rows are whole")


def rows_of(
    results_dir: Path,
    *,
    grid: str | None = None,
    run_ids: Sequence[str] | None = None,
    damaged: list[DamagedError],
) -> "list[ResultRow]":
    """The rows of the given runs; else of a grid; else all; `damaged` gets what is no row, of whatever run.

    Of a grid launched in several ways stderr says which it is.
    """
    from sweeper.rows.grid_file import Membership, tell_others
    from sweeper.rows.row import read_rows

    members = set(run_ids) if run_ids is not None else None
    if members is None and grid is not None:
        record = Membership.read(results_dir, grid)
        tell_others(results_dir, record.name)
        members = {member.run_id for member in record.members}
    return [row for row in read_rows(results_dir, damaged) if members is None or row.run_id in members]


def table_text(rows: "Sequence[ResultRow]", room: Room, costs: "dict[str, Money] | None" = None) -> str:
    """The table, or how to start a first run."""
    from sweeper.rows.table import text

    return (
        text(rows, room, costs) if rows else "no results yet; start some with: python -m sweeper +grid=model_scale -m"
    )
