"""Whether one GPU of this machine does what is planned of it: memory, pace, learning, resuming, a clean end.

Ten minutes a tier at most (in miniature thirty), and no hub. Exit code 1: something is wrong.
"""

import argparse
import json
import sys
from pathlib import Path

from sweeper.cli.verb import EXIT_FAILED, add_json, answer


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("--tier", type=int, choices=(1, 2), help="1: PyTorch alone; 2: the whole stack (default: both)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--small", action="store_true", help="in miniature on the processor: tries the proof itself")
    where.add_argument("--page", type=Path, metavar="FILE.md", help="also write a page, and its figures as FILE.json")
    out = Path("results/proof")
    parser.add_argument("--out", type=Path, default=out, metavar="DIR", help=f"for logs and runs (default: {out})")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.host.errors import ConfigError
    from sweeper.host.files import write_atomic
    from sweeper.oversight.check import Verdict
    from sweeper.oversight.proof.line import Line
    from sweeper.oversight.proof.page import page, row, text
    from sweeper.oversight.proof.proof import TIERS, prove
    from sweeper.training.context import now

    def tell(line: Line) -> None:
        print("  ".join(cell for cell in row(line) if cell), file=sys.stderr, flush=True)

    if options.page is not None and not options.page.parent.is_dir():
        raise ConfigError(f"--page {options.page}: there is no folder {options.page.parent}; make it first")
    folder = options.out.resolve() / now().replace(":", "")
    proof = prove(folder, tiers=(options.tier,) if options.tier else tuple(TIERS), small=options.small, tell=tell)
    if options.page is not None:
        write_atomic(options.page.with_suffix(".json"), proof.to_json())
        write_atomic(options.page, page(proof))
    code = answer(options, lambda: json.loads(proof.to_json()), lambda: f"{text(proof)}\nin {folder}")
    return EXIT_FAILED if proof.count(Verdict.wrong) else code
