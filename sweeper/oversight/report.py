"""The report, rendered in a process of its own: nothing here imports `analysis`."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from rewards.program import EXIT_FAILED, EXIT_OK, last_words
from sweeper.host.errors import SweeperError


class Rendered(NamedTuple):
    """A page that was made."""

    page: Path
    headline: str  # the result in a sentence or two, as the page begins
    best: str | None  # the best configuration as the page has it; None: no pass@1 was measured


def render(results_dir: Path, grid: str | None, out: Path | None = None) -> Rendered:
    """Render a page, and its tables beside it; what could not be made of it is told on stderr.

    Args:
        results_dir: Root of the results.
        grid: Whose runs; None: all.
        out: The HTML file; None: `reports/<grid or "all">.html` below the results.

    Returns:
        The file, its headline (the first line that the process prints), and its best configuration (the second).

    Raises:
        SweeperError: it could not be rendered; says why.
    """
    out = results_dir / "reports" / f"{grid or 'all'}.html" if out is None else out
    out.parent.mkdir(parents=True, exist_ok=True)
    chosen = ["--grid", grid] if grid else []
    command = [sys.executable, "-m", "analysis", "report", "--results", str(results_dir), *chosen, "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (EXIT_OK, EXIT_FAILED):
        raise SweeperError(f"the rows are safe, but the report failed: {last_words(done.stderr)}")
    print(done.stderr, end="", file=sys.stderr)  # which rows and sections it lacks
    headline, second, *_ = [*done.stdout.splitlines(), "", ""]
    return Rendered(out, headline, second if second.startswith("best: ") else None)
