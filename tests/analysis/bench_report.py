"""The report on 500 runs x 100 checkpoints, beside Altair making a page of as many plain panels: from `tests.bench`.

Run alone: `python -m tests.analysis.bench_report`.
"""

import resource
import tempfile
import time
from pathlib import Path

import altair
import pandas as pd

from analysis.report.report import write_report
from tests.analysis.whole_sweep import write_long_runs

RUNS, CHECKPOINTS = 500, 100


def main() -> None:
    """Print one line."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        write_long_runs(results, runs=RUNS, steps=CHECKPOINTS)
        start, cpu = time.monotonic(), _cpu()
        written = write_report(results, grid=None, out=results / "out.html")
        wall, ours = time.monotonic() - start, _cpu() - cpu
        panels = written.html.read_text().count('<div class="view"')
        size = written.html.stat().st_size / 1e6
    cpu = _cpu()
    line = altair.Chart(pd.DataFrame({"x": range(CHECKPOINTS), "y": range(CHECKPOINTS)})).mark_line()
    altair.vconcat(*(line.encode(x="x", y="y") for _ in range(panels))).to_html(inline=True)
    theirs = _cpu() - cpu
    print(
        f"report on {RUNS} runs x {CHECKPOINTS} checkpoints: {wall:.1f} s ({ours:.1f} s of CPU), {panels} panels, "
        f"{size:.1f} MB; Altair alone, a page of as many panels with one line: {theirs:.1f} s of CPU; "
        f"ratio {ours / theirs:.1f}",
        flush=True,
    )


def _cpu() -> float:
    """Seconds of this process and of those it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


if __name__ == "__main__":
    main()
