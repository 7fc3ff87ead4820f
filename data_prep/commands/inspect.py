"""`python -m data_prep inspect`: what is in data files, for a person or a program."""

import argparse
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from data_prep.commands.summary import Histogram, Spread, Summary, summarise
from data_prep.files.manifest import MANIFEST
from data_prep.prompt_style import OWN_STYLE, STYLES, chat_template
from data_prep.sources.column_guess import columns_command, guessed_columns, undeclared
from data_prep.sources.column_mapping import FILE_NAME
from data_prep.sources.finding import told
from data_prep.sources.role import Role
from data_prep.spec import DataError
from rewards.strict_json import json_text

_DESCRIPTION = """\
Shows the columns, counts by domain and source, lengths of prompts and answers, pass rates, and three samples (first,
middle, last) of data files, or of folders of them; and what is not read.

Ends with 0 if every row can be used, 1 if some cannot (see `validate`), 2 if the files cannot be shown as asked.
"""
_EPILOG = """\
examples:
  python -m data_prep inspect data/guru
  python -m data_prep inspect NAME --results results     data that runs were given, by the start or end of their name
  python -m data_prep inspect train.parquet --tokenizer models/qwen2.5-7b --prompt-style qwq
"""
_BAR = 40
_SHOWN = 700


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the verb `inspect`."""
    parser = subparsers.add_parser(
        "inspect",
        help="show what is in data files",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="data file, or folder, or name of data in the results folder",
    )
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="results folder (default: results)"
    )
    parser.add_argument(
        "--tokenizer", type=Path, help="a model's folder: lengths in its tokens, samples as it sees them"
    )
    parser.add_argument(
        "--prompt-style",
        choices=list(STYLES),
        default=OWN_STYLE,
        help="chat template to use in place of the tokenizer's",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Executes the verb; its exit code."""
    style = arguments.prompt_style
    template = chat_template(style)
    if arguments.tokenizer is None and template is not None:
        raise DataError(f"--prompt-style {style} needs --tokenizer: a template is rendered with a model's tokens.")
    paths = [_place(path, arguments.results / "data") for path in arguments.paths]
    summary = summarise(paths, tokenizer=arguments.tokenizer, chat_template=template)
    if arguments.json:
        report = asdict(summary) | {"problems": [str(found) for found in summary.problems]}
        print(json_text(report, ensure_ascii=False))
    else:
        print(text_of(summary))
        for folder in filter(Path.is_dir, paths):
            with suppress(DataError):  # a file that cannot be read is among the problems
                print(_proposed(folder), end="")
    return 1 if summary.problems else 0


def _place(path: Path, prepared: Path) -> Path:
    """The path, or the one folder of prepared data whose name starts or ends as it says."""
    if path.exists() or len(path.parts) != 1:
        return path
    names = sorted(item.name for item in prepared.iterdir() if (item / MANIFEST).is_file()) if prepared.is_dir() else []
    found = [name for name in names if name.startswith(path.name) or name.endswith(path.name)]
    if len(found) == 1:
        return prepared / found[0]
    there = ", ".join(found or names) or "none"
    which = f"{len(found)} in {prepared} are called so" if found else f"nor are there data of that name in {prepared}"
    raise DataError(f"there is no {path}, {which} (there: {there}).")


def _proposed(folder: Path) -> str:
    """A first `columns.yaml` for a folder that needs one: as guessed, or to be filled in."""
    if (folder / FILE_NAME).exists():
        return ""
    if guess := guessed_columns(folder, template=True):
        command = columns_command(folder, guess)
        return f"\na first {FILE_NAME}, guessed from the names of the columns:\n    {command}\n"
    names = [name for name, _ in undeclared(folder)]
    if not names:
        return ""
    lines = [f'"{name}": {{prompt: COLUMN, ground_truth: COLUMN, data_source: math__NAME}}' for name in names]
    command = columns_command(folder, lines)
    return f"\na first {FILE_NAME}, with COLUMN and NAME to fill in (docs/data.md):\n    {command}\n"


def text_of(summary: Summary) -> str:
    """The summary for a terminal."""
    rows, n = sum(file.rows for file in summary.files), len(summary.files)
    lines = [f"{rows} rows in {n} file{'' if n == 1 else 's'}", ""]
    first_with: dict[tuple[tuple[str, str], ...], str] = {}
    for file in summary.files:
        unusable = f", {file.unusable} unusable" if file.unusable else ""
        use = "" if file.role == Role.train else f", for {file.role.replace('_', ' ')}"
        lines.append(f"{file.name}: {file.rows} rows{unusable}{use}")
        known = first_with.setdefault(file.columns, file.name)
        if known == file.name:
            lines += [f"    {name}: {kind}" for name, kind in file.columns]
        else:
            lines.append(f"    columns as in {known}")
    lines += [f"note: {note}" for note in summary.notes]
    for title, counts in (("domain", summary.by_domain), ("data_source", summary.by_source)):
        lines += ["", *_bars(title, counts)]
    lines += ["", f"{'length':<20}{'rows':>8}{'least':>8}{'median':>8}{'90 %':>8}{'99 %':>8}{'most':>8}"]
    lines += [_spread("prompt, characters", summary.prompt_characters)]
    lines += [_spread("prompt, tokens", summary.prompt_tokens)] if summary.prompt_tokens else []
    lines += [_spread("answer, characters", summary.answer_characters)]
    for histogram in summary.difficulty:
        lines += ["", *_histogram(histogram)]
    for sample in summary.samples:
        lines += ["", f"--- {sample.place} ({sample.data_source})", _cut(sample.text)]
        lines += [f"--- answer: {_cut(sample.ground_truth)}"]
    if summary.problems:
        lines += ["", *told(summary.problems)]
    return "\n".join(lines)


def _histogram(histogram: Histogram) -> list[str]:
    unknown = (("unknown", histogram.unknown),) if histogram.unknown else ()
    return _bars(histogram.name, (*histogram.bars, *unknown))


def _bars(title: str, counts: tuple[tuple[str, int], ...]) -> list[str]:
    longest = max((count for _, count in counts), default=0)
    width = max([len(label) for label, _ in counts], default=0)
    lines = [title]
    for label, count in counts:
        # Whatever is there is seen, however small its share.
        bar = "█" * max(round(_BAR * count / longest), 1) if count else ""
        lines.append(f"    {label:<{width}} {count:>8} {bar}".rstrip())
    return lines


def _spread(title: str, spread: Spread | None) -> str:
    if spread is None:
        return f"{title:<20}{0:>8}"
    values = (spread.n, spread.least, spread.median, spread.p90, spread.p99, spread.most)
    return f"{title:<20}" + "".join(f"{value:>8}" for value in values)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} … (more with --json)"
