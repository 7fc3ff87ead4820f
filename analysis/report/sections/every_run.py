"""Every run of the selection: completed, failed with the reason, and missing."""

from collections.abc import Sequence

import pandas as pd

from analysis.drawing.frame_table import Form, frame_table
from analysis.drawing.page import Section
from analysis.estimates.numerals import scientific, short
from analysis.estimates.points import gain
from analysis.passk.estimate import NONE
from analysis.report.evidence import Evidence
from analysis.report.run_sections import anchor
from analysis.runs.selection import Point, Run, Selection
from sweeper.host.amounts import duration
from sweeper.rows.differences import between_rows
from sweeper.rows.table import Record, records

FOLD = 40  # lines from which the table stands behind a click
HIDDEN = ("n_params_active", "n_params_head", "prompt_tokens", "response_tokens")  # beside the ledger of FLOPs
TITLES = {
    "model": "Model",
    "n_params_non_embedding": "Parameters without embedding",
    "n_params": "All",
    "algorithm": "Algorithm",
    "data_scale": "Data",
    "problems_seen": "Problems seen",
    "domain_mix": "Mix",
    "seed": "Seed",
    "steps": "Steps",
}
RESULTS = {"base_pass@1": "Base pass@1", "pass@1": "Trained pass@1", "gain_pass@1": "Paired gain"}
OF_AGENTS = {"agent": "Agent", "turns": "Turns", "calls": "Calls", "used_a_tool": "Used a tool"}  # per trajectory
LAST = {"flops": "Training FLOPs", "wall_s": "Wall time", "log": "Log"}
STATE = {"run_id": "Run", "source_name": "Name in its source", "status": "Status", "reason": "Reason"}


def section(evidence: Evidence) -> Section:
    """One table; its data hold more columns than are shown."""
    frame = results_table(evidence.selection)
    ks = [f"{side}pass@{k}" for k in evidence.table_ks for side in ("base_", "")]
    own = {item.key: item.name for item in between_rows([run.row for run in evidence.selection.runs])}
    results = RESULTS | {name: name.replace("_", " ") for name in ks}
    titles = STATE | results | TITLES | OF_AGENTS | own | LAST
    empty = {name for name in ("reason", "log") if frame[name].isna().all()}  # every run has a result
    forms: dict[str, Form] = dict.fromkeys(("base_pass@1", "pass@1", *ks), ".3f")
    forms |= {"turns": ".2f", "calls": ".2f", "used_a_tool": ".2f"}
    forms |= {"n_params_non_embedding": short, "n_params": short, "wall_s": duration}
    table = frame_table(
        frame,
        name="results",
        caption="Gain: 95% interval over problems, paired.",
        titles={name: title for name, title in titles.items() if name in frame and name not in empty},
        forms=forms | {"gain_pass@1": "+.3f", "flops": scientific},
        links=[*map(anchor, evidence.selection.runs), *[""] * len(evidence.selection.missing)],
        alarm=(frame["status"] != "completed").tolist(),
        fold=FOLD,
    )
    return Section(anchor="runs", title="Every run", tables=(table,))


def results_table(selection: Selection) -> pd.DataFrame:
    """One line per run of the grid: completed, failed, and missing (no row yet)."""
    rows = [run.row for run in selection.runs]
    own = [item.key for item in between_rows(rows)]
    lines = [_record(run, flat, own) for run, flat in zip(selection.runs, records(rows), strict=True)]
    if any(row.imported for row in rows):  # how a run was called where it comes from
        for line, row in zip(lines, rows, strict=True):
            line["source_name"] = row.imported.name if row.imported else None
    lines += [{"run_id": run_id, "status": "missing", "reason": "no row yet"} for run_id in selection.missing]
    return pd.DataFrame(lines)


def _record(run: Run, flat: Record, own: Sequence[str]) -> dict[str, object]:
    """What `results` has of a run, but for its phases, with the interval of its gain."""
    row, names = run.row, list(flat)
    fields = [name for name in names[names.index("status") : names.index("total_s")] if not name.startswith("flops_")]
    scores = [name for name in names if "pass@" in name and "_" not in name.removeprefix("base_")]
    return {
        "run_id": row.run_id,
        "group_id": row.group_id,
        **{name: flat[name] for name in (*fields, *own) if name not in HIDDEN},
        "wall_s": flat["total_s"],
        **(gain(Point(series="", runs=(run,))) or NONE).columns("gain_pass@1", "gain_pass@1_"),
        **{name: flat[name] for name in scores},
        **{name: flat[name] for name in OF_AGENTS if name in flat},
        "reason": f"{row.failure.phase}: {row.failure.reason}" if row.failure else None,
        "log": row.failure.log if row.failure else None,
    }
