"""The command line: `python -m rewards check FILE.parquet ...`, `audit` and `doctor`."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rewards.audit.audit import SourceAudit, audit, sampled
from rewards.audit.example_rows import example_rows
from rewards.check.gold_check import Finding, GoldReport, check_rows
from rewards.check.gold_file import rows_of
from rewards.own.covering import source_and_reference
from rewards.own.own_scorer import examine, examined_references
from rewards.program import Parser, UserError, guarded, started_as
from rewards.strict_json import json_text

_SHOWN = 160  # characters of an example
_CHECK_HELP = """\
Scores every row's own gold answer, written in its source's format, which must be right, and a perturbed one, which
must not be. Rows that occur more than once are checked once.

Reported per source: rows; how many could be written as an answer (code only where the row holds a reference
solution); the share of golds and of perturbed answers that pass; milliseconds to score one gold. Then every row
that has a problem, with the reason.

Ends with 0 if there is no problem, 1 if there is one, 2 if a file cannot be read.
"""
_AUDIT_HELP = """\
Scores probes of every row that need no model: the gold, which must be paid, and a perturbed one, nothing, the prompt
copied, all options listed, several answers, a tool's words, programs that do nothing or cheat, formats without content,
which must not be. The gold in a frame that was not asked for is told and judged by nobody. With --agent every probe is
the last turn of a trajectory, and none may be paid that ends with a tool's answer, is unfinished, or is lost by its
environment.

Takes files of rows, or names of data sources, of which a few rows are at hand; with --reward those of mathematics.
Reported per source: how often each kind is paid, its highest reward, how many verdicts were late, and an example. Rows
are drawn with a fixed seed.

Ends with 0 if every gold is paid and no other kind in more than --threshold of its probes, 1 if not, 2 if a file cannot
be read.
"""
_EXAMPLES = """\
examples:
  python -m rewards check data/train/*.parquet       golds that their own scorer refuses
  python -m rewards check --json eval.parquet        the same for programs
  python -m rewards check eval.parquet --reward my_rewards.py:score     with a function of your own
  python -m rewards audit math__math codegen__livecodebench          what our scorers pay
  python -m rewards audit math__synthetic --agent     what they pay of an agent's transcript
  python -m rewards audit eval.parquet --limit 50 --reward my_rewards.py:score
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
    audited = commands.add_parser(
        "audit",
        help="what a scorer pays for answers that are none",
        description=_AUDIT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    audited.add_argument("what", nargs="+", metavar="FILE.parquet|DATA_SOURCE", help="rows in verl's format, or a name")
    audited.add_argument("--limit", type=_count, metavar="N", help="at most so many rows of each source (default: all)")
    audited.add_argument(
        "--agent", action="store_true", help="as trajectories of an agent, of which only the last turn may be paid"
    )
    audited.add_argument("--threshold", type=_share, default=0.0, help="share of probes of a kind (default: 0)")
    doctor = commands.add_parser("doctor", help="say how model code is isolated on this machine, and how fast it runs")
    for command in (check, audited, doctor):
        add_reward(command)
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.command == "doctor":
        return _doctor(options.reward, as_json=options.json)
    if options.command == "audit":
        return _audit(options)
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


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to 1")
    return value


def _audit(options: argparse.Namespace) -> int:
    own = examined_references(options.reward)
    files = [Path(one) for one in options.what if one.endswith(".parquet") or Path(one).is_file()]
    named = [one for one in options.what if Path(one) not in files]
    rows = sampled(rows_of(files), options.limit)
    rows += sampled((row for name in named for row in example_rows(name, own)), options.limit)
    if not rows:
        raise UserError(f"{', '.join(options.what)}: no rows, so there is nothing to audit")
    found = audit(rows, own, agent=options.agent)
    is_good = not any(one.faults(options.threshold) for one in found)
    if options.json:
        told = {"sources": [asdict(one) for one in found], "threshold": options.threshold, "passed": is_good}
        print(json_text(told, ensure_ascii=False))
    else:
        print("\n\n".join(text_of_audit(one, options.threshold) for one in found))
    return 0 if is_good else 1


def text_of_audit(source: SourceAudit, threshold: float) -> str:
    """One source as a table, each kind with its example below it."""
    lines = [
        f"{source.data_source}: {source.rows} rows",
        f"  {'':24}  {'probes':>6}  {'paid':>9}  {'reward':>7}  {'late':>4}",
    ]
    faults = source.faults(threshold)
    for one in source.kinds:
        mark = "  <- WRONG" if one in faults else ""
        highest = "-" if one.highest is None else f"{one.highest:g}"
        lines.append(f"  {one.kind:24}  {one.tried:>6}  {_percent(one.rate):>9}  {highest:>7}  {one.late:>4}{mark}")
        if one.example is not None:
            lines.append(f"      {one.example.where}, {one.example.outcome}: {one.example.response[:_SHOWN]!r}")
        if one.note and (one.tried or "rows:" in one.note):
            lines.append(f"      {one.note}")
    good = "Every gold is paid, and nothing that must not be."
    said = f"{len(faults)} of {len(source.kinds)} kinds are scored wrongly." if faults else good
    if all(one.rate is None for one in source.kinds[:1]):
        said += " No gold could be written: whether right answers are paid is not known."
    return "\n".join([*lines, f"  {said}"])


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
