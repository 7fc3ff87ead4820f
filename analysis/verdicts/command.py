"""The verb `audit` of the command line."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rewards.program import EXIT_FAILED, EXIT_OK, UserError
from rewards.strict_json import json_text

if TYPE_CHECKING:
    from analysis.verdicts.verdict_audit import VerdictAudit
    from sweeper.runs.folder import RunDir

HELP = """\
Judge the samples that a run kept a second time: mathematics by math-verify, programs by the same tests in another
isolation. Prints, for each validation and evaluation, the share that was judged differently, with a 95% interval over
problems; whether the share grows from the first half of the validations to the second; and what was not judged again.

It is kept in RESULTS/runs/RUN/second_scorer.json, and the report shows it. A share that grows says that the policy may
have found answers that one of the two scorers takes for right by mistake.

Ends with 0; 1 if the share that was judged differently, or that the run alone paid, grows, or if samples cannot be
read; 2 if nothing can be judged again.
"""


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    parser = verbs.add_parser(
        "audit",
        help="kept samples that a second scorer judges differently, by step",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="the start or end of a run id")
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder (default: results)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(execute=run)


def run(options: argparse.Namespace) -> int:
    """Audit what was named; returns the exit code.

    Raises:
        RunFailedError: no run, or several, of that name.
        UserError: there is no such folder, no sample of a run can be judged again, or a second scorer is not there.
    """
    from analysis.verdicts.audit_text import text_of
    from analysis.verdicts.verdict_audit import write_audit
    from sweeper.runs.folder import find_run

    if not options.results.is_dir():
        raise UserError(f"--results {options.results}: there is no such folder; name the one that the runs went to")
    found = {}
    damaged: list[str] = []
    for name in options.runs:
        run_dir = find_run(options.results, name)
        found[run_dir] = _audited(run_dir, damaged)
        write_audit(run_dir, found[run_dir])
    if options.json:
        data = [{"run_id": run_dir.run_id, "grows": audit.grows, **asdict(audit)} for run_dir, audit in found.items()]
        print(json_text({"command": "audit", "data": data, "damaged": damaged}, indent=1))
    else:
        print("\n\n".join(text_of(run_dir.run_id, audit) for run_dir, audit in found.items()))
        print(*damaged, sep="\n", end="\n" if damaged else "")
    return EXIT_FAILED if damaged or any(audit.grows for audit in found.values()) else EXIT_OK


def _audited(run_dir: "RunDir", damaged: list[str]) -> "VerdictAudit":
    from analysis.verdicts.kept_verdicts import KeptVerdicts
    from analysis.verdicts.verdict_audit import audit_of
    from rewards.audit.second_scorer import second_scorer, second_verdicts
    from rewards.math.algebra.judge import MathVerifyMissing

    kept = KeptVerdicts(run_dir=run_dir)
    verdicts = list(kept)
    damaged += kept.damaged
    if not verdicts:
        why = [f"{count:,} {reason}" for reason, count in (kept.left_out + kept.alone).items()]
        raise UserError(f"{run_dir.run_id} has no kept sample to judge again: {'; '.join(why) or 'it kept none here'}")
    try:
        seconds = second_verdicts([one.item for one in verdicts], kept.limits)
    except MathVerifyMissing as error:
        raise UserError(str(error)) from None
    sources = sorted({one.item.data_source for one in verdicts})
    scorers = {source: second_scorer(source) or "" for source in sources}
    return audit_of(list(zip(verdicts, seconds, strict=True)), scorers, kept.left_out, kept.alone)
