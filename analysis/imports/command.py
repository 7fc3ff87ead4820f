"""The verb `import` of the command line."""

import argparse
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from sweeper.host.errors import ResultsError
from sweeper.spec.bounds import Count, Parameters, Seed, argument

if TYPE_CHECKING:
    from analysis.imports.history import History

_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
HELP = """\
Read runs that were made without this project into rows and curves that the report and the laws can use.

  python -m analysis import wandb/offline-run-20261101_120000-abc123      an offline folder of Weights & Biases
  python -m analysis import wandb/ --domain-mix math                      all of them
  python -m analysis import runs/                                         of runs of ours: rows with pass@k, complete
  python -m analysis import run.jsonl --model qwen2.5-7b                  verl's file logger
  python -m analysis import log.txt --model qwen2.5-7b --gpus 8           verl's console output, whatever is around it
  python -m analysis import export.csv --map acc=val-core/all/acc/mean@1  a table with a step column
  python -m analysis import run.jsonl --csv curves.csv                    all metrics by step, for fit CSV and rank CSV

A row holds what the source says; what it does not say is null with the reason, never a guess. The id is a hash of the
run's metrics: importing a run again changes nothing. See docs/imports.md.
"""


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    parser = verbs.add_parser(
        "import",
        help="rows from runs made elsewhere: wandb, verl's logs, tables",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sources", type=Path, nargs="+", help="files, or folders of offline wandb runs")
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder (default: results)")
    parser.add_argument("--csv", type=Path, help="write every metric by step to this file, and no rows")
    parser.add_argument(
        "--map", action="append", default=[], metavar="COLUMN=METRIC", help="what a column of a table measures"
    )
    parser.add_argument("--model", help="name in conf/model, or any other name with both sizes")
    parser.add_argument("--n-params", type=_parameters, help="all parameters of the model")
    parser.add_argument("--n-params-non-embedding", type=_parameters, help="without embedding and output matrix")
    parser.add_argument("--algorithm", help="default: algorithm.adv_estimator of the source's configuration")
    parser.add_argument("--domain-mix")
    parser.add_argument("--data-scale")
    parser.add_argument("--n-unique", type=argument(Count), help="different problems trained on")
    parser.add_argument("--seed", type=argument(Seed), help="default: data.seed of the source, else numbered in order")
    parser.add_argument("--gpus", type=argument(Count), help="GPUs of each run, for GPU-seconds")
    parser.set_defaults(execute=run)


def run(options: argparse.Namespace) -> int:
    """Import what was named; returns the exit code.

    Raises:
        ResultsError: a source cannot be read, or a row cannot be made of it; nothing is written then.
    """
    from dataclasses import asdict, replace

    from analysis.imports.names import in_our_terms
    from analysis.imports.reading import read_source, readable
    from analysis.imports.rows import Labels, row_of
    from sweeper.host.files import open_results, write_atomic
    from sweeper.host.secret import hidden
    from sweeper.rows.row import read_row, row_path, write_row
    from sweeper.rows.table import TRACKED

    labels = Labels(**{name: getattr(options, name) for name in Labels.__dataclass_fields__})
    said = [f"--{name.replace('_', '-')}" for name, value in asdict(labels).items() if value is not None]
    if options.csv is not None and said:
        raise ResultsError(f"{', '.join(said)}: of a row, and --csv writes none; leave one of them out")
    renamed = dict(_pair(text) for text in options.map)
    histories = [history for path in options.sources for history in read_source(path, renamed=renamed)]
    if options.csv is not None:
        if options.csv.exists():
            raise ResultsError(f"--csv {options.csv} is there already and is not overwritten; choose another name")
        write_atomic(options.csv, hidden(_table(histories)))
        print(f"{options.csv}: {len(histories)} runs")
        for history in histories:
            for topic, words in history.said.items():
                print(f"  {history.name}, {topic}: {words}")
        return 0
    rows = []
    for number, told in enumerate(histories):
        history = told
        with readable(history.path):
            if TRACKED not in history.summary:
                history = in_our_terms(history, {} if history.kind == "table" else renamed)
            rows.append(row_of(history, labels, number=number))
            read_row(history.path, rows[-1].to_json())  # what is written can be read
    open_results(options.results)
    for row in rows:
        path = row_path(options.results, row.run_id)
        if path.exists():
            same = replace(read_row(path), imported=row.imported) == row
            print(f"{path}: there already{'' if same else ', with other labels; remove it by hand to import again'}")
            continue
        print(write_row(options.results, row))
        for name, reason in (row.imported.missing if row.imported else {}).items():
            print(f"  {name}: {reason}")
    return 0


def _parameters(text: str) -> int:
    """A number of parameters, also as 7e9 or 7B."""
    number, times = (text[:-1], _UNITS[text[-1].upper()]) if text[-1:].upper() in _UNITS else (text, 1)
    try:
        value = Decimal(number) * times
        text = str(int(value)) if value == int(value) else text
    except (ArithmeticError, ValueError, OverflowError):
        pass
    return int(argument(Parameters)(text))


def _pair(text: str) -> tuple[str, str]:
    column, found, metric = text.partition("=")
    if not found or not column or not metric:
        raise ResultsError(f"--map {text!r}: write COLUMN=METRIC")
    return column, metric


def _table(histories: "list[History]") -> str:
    """One line per run and step, one column per metric; an empty cell was not logged."""
    import pandas as pd

    frame = pd.DataFrame([values for item in histories for _, values in item.steps])
    frame.insert(0, "step", [step for item in histories for step, _ in item.steps], allow_duplicates=True)
    frame.insert(0, "run", [item.name for item in histories for _ in item.steps], allow_duplicates=True)
    return frame.to_csv(index=False, lineterminator="\n")
