"""`python -m data_prep validate`: everything that is wrong with data files, one line each."""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from data_prep.files.row import Row
from data_prep.sources.checked_folder import Examined, examined, files_of
from data_prep.sources.finding import Finding, Kind, told
from data_prep.sources.role import Role
from rewards.cli import add_reward
from rewards.own.own_scorer import examined_references
from rewards.strict_json import json_text

_DESCRIPTION = """\
Checks data files, or folders of them: columns, what each file is for, unknown data sources, broken prompts (such as
lists of messages turned into text), golds of the wrong kind, repeated problems and contradictory golds, training
problems that occur in an evaluation set (the folder's own, and --against), and, with --gold, that every gold is
accepted by its own scorer. Says what lies there and is not read. Rows count from 0.

Ends with 0 if nothing is wrong, 1 if something is (one line for all rows of a file with the same fault), 2 if it cannot
be checked as asked.
"""
_EPILOG = """\
examples:
  python -m data_prep validate data/guru
  python -m data_prep validate train.parquet --against holdout_500.parquet online_eval/ --json
  python -m data_prep validate my_data --gold --reward my_rewards.py:score
"""


@dataclass(slots=True)
class Validation:
    """What was checked and found.

    `repairs` counts defects that preparation removes by itself, `unchecked` golds by why they cannot be scored. `notes`
    say which files were not read, and what was decided that their names leave open.
    """

    rows: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    unchecked: Counter[str] = field(default_factory=Counter)


def validate(
    paths: Sequence[Path],
    *,
    against: Sequence[Path] = (),
    near_duplicates: float | None = None,
    gold: bool = False,
    own_rewards: tuple[str, ...] = (),
) -> Validation:
    """Checks files.

    Args:
        paths: Files, or folders in a layout of `data_prep.sources.layout`.
        against: Files or folders of evaluation problems.
        near_duplicates: Jaccard similarity from which two problems count as one; None: not looked for.
        gold: Whether to score every gold, which runs the reference solutions of code problems.
        own_rewards: The user's own reward functions (`data_prep.spec.DataSpec`).

    Raises:
        DataError: A path that is not there, or holds no data files.
    """
    layout = files_of(paths)
    result = Validation(notes=layout.said(), findings=[*layout.doubts])
    usable: list[Examined] = []
    for file in layout.files:
        for item in examined(file, own_rewards):
            if isinstance(item, Finding):
                result.findings.append(item)
                continue
            result.rows[file.name] += 1
            if item.finding is not None:
                result.findings.append(item.finding)
            if item.repair is not None:
                result.repairs[item.repair] += 1
            if item.row is not None:
                usable.append(item)
    _check_repetitions(usable, result, near_duplicates)
    _check_contamination(usable, against, own_rewards, result)
    if gold:
        from data_prep.cleaning.gold import bad_golds

        result.findings += _located(bad_golds(_rows(usable), own_rewards, result.unchecked), usable, Kind.bad_gold)
    return result


def _check_repetitions(items: Sequence[Examined], result: Validation, threshold: float | None) -> None:
    from data_prep.cleaning.duplicates import nearly_repeated, repeated

    # A problem in both train and evaluation is contamination, and evaluation files may share problems.
    groups: dict[str | None, list[Examined]] = {}
    for item in items:
        groups.setdefault(None if item.role is Role.train else item.file, []).append(item)
    for of_role in groups.values():
        again = repeated(_rows(of_role))
        for found in _located(again, of_role, Kind.duplicate):
            kind = Kind.contradiction if ", other gold: " in found.message else Kind.duplicate
            result.findings.append(replace(found, kind=kind))
        if threshold is not None:
            kept = [item for number, item in enumerate(of_role) if number not in again]
            result.findings += _located(nearly_repeated(_rows(kept), threshold=threshold), kept, Kind.near_duplicate)


def _check_contamination(
    items: Sequence[Examined], against: Sequence[Path], own_rewards: tuple[str, ...], result: Validation
) -> None:
    from data_prep.cleaning.contamination import contaminated

    evaluation = _rows(item for item in items if item.role is not Role.train)
    for file in files_of(against).files:
        for item in examined(file, own_rewards):
            if isinstance(item, Finding):
                result.findings.append(item)
            elif item.row is not None:
                evaluation.append(item.row)
    train = [item for item in items if item.role is Role.train]
    result.findings += _located(contaminated(_rows(train), evaluation), train, Kind.contamination)


def _rows(items: Iterable[Examined]) -> list[Row]:
    return [item.row for item in items if item.row is not None]


def _located(reasons: Mapping[int, str], items: Sequence[Examined], kind: Kind) -> list[Finding]:
    """Findings of reasons by the place in `items`, all of which have a row."""
    return [
        Finding(kind=kind, file=items[place].file, row=items[place].number, message=reasons[place])
        for place in sorted(reasons)
    ]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the verb `validate`."""
    parser = subparsers.add_parser(
        "validate",
        help="list everything that is wrong with data files",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="data file, or folder")
    parser.add_argument(
        "--against", nargs="+", type=Path, default=[], metavar="EVAL", help="evaluation files or folders"
    )
    parser.add_argument(
        "--near-duplicates", type=float, metavar="SIMILARITY", help="report near-duplicates too, e.g. from 0.8 on"
    )
    parser.add_argument("--gold", action="store_true", help="score every gold with its own scorer")
    add_reward(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Executes the verb; its exit code."""
    result = validate(
        arguments.paths,
        against=arguments.against,
        near_duplicates=arguments.near_duplicates,
        gold=arguments.gold,
        own_rewards=examined_references(arguments.reward),
    )
    counts = Counter(str(found.kind) for found in result.findings)
    if arguments.json:
        report = {
            "rows": dict(result.rows),
            "counts": dict(sorted(counts.items())),
            "repairs": dict(sorted(result.repairs.items())),
            "notes": result.notes,
            "unchecked": dict(sorted(result.unchecked.items())),
            "findings": [asdict(found) for found in result.findings],
        }
        print(json_text(report, ensure_ascii=False))
    else:
        print("".join(f"{line}\n" for line in told(result.findings)), end="")
        for note in result.notes:
            print(f"note: {note}")
        for repair, count in sorted(result.repairs.items()):
            print(f"note: {repair}: {count} rows, which preparation repairs")
        for reason, count in sorted(result.unchecked.items()):
            print(f"note: {count} golds were not checked: {reason}")
        rows = f"{sum(result.rows.values())} rows in {len(result.rows)} files"
        summary = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        print(f"{rows}: {summary or 'nothing is wrong'}")
    return 1 if result.findings else 0
