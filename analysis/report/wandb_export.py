"""A written report as a run of wandb: the page, every table, and both as an artifact.

Where it goes and with which key is wandb's own environment (WANDB_API_KEY, WANDB_BASE_URL, WANDB_ENTITY,
WANDB_PROJECT); WANDB_MODE=offline writes a folder for `wandb sync`. Nothing of that is read or stored here.
"""

import re
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from sweeper.host.errors import ResultsError

PROJECT = "rl-scaling-sweeper"  # unless WANDB_PROJECT says otherwise


def require_wandb() -> None:
    """Check before anything is computed.

    Raises:
        ResultsError: wandb is not installed.
    """
    if find_spec("wandb") is None:
        raise ResultsError("--wandb: the package wandb is not installed; pip install wandb, or leave --wandb out")


def export(html: Path, tables: Path) -> str:
    """Log a report; returns the folder or address of the run.

    Args:
        html: The page.
        tables: Folder of its data files; the CSV files become tables.
    """
    import os

    import wandb

    name = re.sub(r"[^A-Za-z0-9_.-]", "-", html.stem)
    with wandb.init(
        project=os.environ.get("WANDB_PROJECT", PROJECT), name=f"report-{name}", job_type="report", dir=str(html.parent)
    ) as run:
        run.log({"report": wandb.Html(html.read_text(encoding="utf-8"), inject=False)})
        for path in sorted(tables.glob("*.csv")):
            if path.stat().st_size > 1:
                # Text keeps empty cells and mixed columns apart from numbers that were never measured.
                frame = pd.read_csv(path, dtype=str, keep_default_na=False)
                run.log({f"tables/{path.stem}": wandb.Table(dataframe=frame)})
        artifact = wandb.Artifact(f"report-{name}", type="report")
        artifact.add_file(str(html))
        artifact.add_dir(str(tables), name="tables")
        run.log_artifact(artifact)
        return str(run.url or run.dir)
