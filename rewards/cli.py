"""The command line: `python -m rewards check FILE.parquet ...` and `python -m rewards doctor`."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rewards.check.gold_check import Finding, GoldReport, check_rows
from rewards.check.gold_file import rows_of
from rewards.own.covering import source_and_reference
from rewards.own.own_scorer import examine, examined_references
from rewards.program import Parser, guarded, started_as
from rewards.strict_json import json_text

_CHECK_HELP = """\
Scores every row's own gold answer, written in its source's format, which must be right, and a perturbed one, which
must not be. Rows that occur more than once are checked once.

Reported per source: rows; how many could be written as an answer (code only where the row holds a reference
solution); the share of golds and of perturbed answers that pass; milliseconds to score one gold. Then every row
that has a problem, with the reason.

Ends with 0 if there is no problem, 1 if there is one, 2 if a file cannot be read.
"""
_EXAMPLES = """\
examples:
  python -m rewards check data/train/*.parquet       golds that their own scorer refuses
  python -m rewards check --json eval.parquet        the same for programs
  python -m rewards check eval.parquet --reward my_rewards.py:score     with a function of your own
  python -m rewards doctor                           how model code is isolated on this machine, and how fast
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit status."""
    return guarded(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    parser = Parser(
        prog=started_as("rewards"),
        description="Checks of the scorers and of the data they score.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="score every row's own gold answer",
        description=_CHECK_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("files", nargs="+", type=Path, metavar="FILE.parquet", help="in verl's format")
    doctor = commands.add_parser("doctor", help="say how model code is isolated on this machine, and how fast it runs")
    for command in (check, doctor):
        add_reward(command)
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.command == "doctor":
        return _doctor(options.reward, as_json=options.json)
    return _check(options.files, options.reward, as_json=options.json)


def add_reward(parser: argparse.ArgumentParser) -> None:
    """Adds the flag that names reward functions of the user's own."""
    parser.add_argument(
        "--reward",
        action="append",
        default=[],
        metavar="[SOURCE=]FILE.py:FUNCTION",
        help="a function of your own, for the data sources whose name begins with SOURCE (default: all)",
    )


def _check(files: Sequence[Path], own: Sequence[str], *, as_json: bool) -> int:
    report = check_rows(rows_of(files), examined_references(own))
    found = {
        "sources": [asdict(source) for source in report.sources],
        "rows": [asdict(row) for row in report.exceptions],
    }
    print(json_text(found, ensure_ascii=False) if as_json else text_of(report))
    return 1 if report.problems else 0


def _doctor(own: Sequence[str], *, as_json: bool) -> int:
    from rewards.check import doctor

    files = {one: examine(source_and_reference(one)[1]) for one in own}
    known = {one: {"version": file.version, "digest": file.digest, "files": file.names} for one, file in files.items()}
    if as_json:
        print(json_text(doctor.as_json() | {"own_rewards": known}, ensure_ascii=False))
        return 0
    print(doctor.report())
    for one, file in files.items():
        print(f"\n{one} loads: VERSION {file.version or 'not stated'}, digest {file.digest} of {', '.join(file.names)}")
    return 0


def text_of(report: GoldReport) -> str:
    """The report as a table and a list."""
    width = max([len(source.data_source) for source in report.sources], default=6)
    header = f"{'source':{width}}  {'rows':>6}  {'rendered':>8}  {'gold pass':>9}  {'perturbed pass':>14}"
    lines = [f"{header}  {'ms/row':>7}"]
    for source in report.sources:
        timing = "-" if source.ms_per_row is None else f"{source.ms_per_row:.2f}"
        lines.append(
            f"{source.data_source:{width}}  {source.rows:>6}  {source.rendered:>8}  "
            f"{_percent(source.gold_pass_rate):>9}  {_percent(source.perturbed_pass_rate):>14}  {timing:>7}"
        )
    for row in report.problems:
        lines.append(f"{row.where} ({row.data_source}): {row.finding}: {row.reason}")
    unrendered = (row for row in report.exceptions if row.finding is Finding.NOT_RENDERED)
    reasons = Counter((row.data_source, row.reason) for row in unrendered)
    lines += [f"{source}: {count} rows not rendered: {reason}" for (source, reason), count in sorted(reasons.items())]
    lines.append(f"{len(report.problems)} rows have a problem.")
    return "\n".join(lines)


def _percent(rate: float | None) -> str:
    """Never rounded up to 100 % or down to 0 %."""
    if rate is None:
        return "-"
    if 0 < rate < 1:
        return f"{min(max(100 * rate, 0.01), 99.99):.2f} %"
    return f"{100 * rate:.0f} %"
