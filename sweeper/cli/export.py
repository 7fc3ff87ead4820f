"""The trained model of a run as a Hugging Face folder with a model card (--to FOLDER).

Weights as the run's own evaluation read them, low-rank adapters merged; tokenizer, chat template, generation config;
README.md says what it was made from, with pass@k, cost and the line that serves it.
"""

import argparse
import shlex
from pathlib import Path

from sweeper.cli.verb import add_json, add_results, answer, results_folder, say_damaged


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("which", metavar="run", nargs="?", help="the start or end of a run id")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="absent or empty; never overwritten")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.oversight.model_card import unread_rows
    from sweeper.oversight.model_folder import export
    from sweeper.runs.folder import find_run

    run_dir = find_run(results_folder(options), options.which)
    export(run_dir, options.to)
    files = {path.name: path.stat().st_size for path in sorted(options.to.iterdir())}
    size = sum(files.values())

    def text() -> str:
        serve = f"vllm serve {shlex.quote(str(options.to))}"
        return f"{run_dir.run_id}: {len(files)} files, {size / 1e6:,.1f} MB\nserve it: {serve}"

    answer(options, lambda: {"run_id": run_dir.run_id, "folder": str(options.to), "files": files}, text)
    return say_damaged(unread_rows(run_dir), what="the card's law of size is fitted without it")
