"""Every run of the selection: completed, failed with the reason, and missing."""

import pandas as pd

from analysis.drawing.page import DASH, Line, Section, Table, columns
from analysis.estimates.numerals import short, signed
from analysis.estimates.points import gain, pass_at, value_at
from analysis.passk.estimate import NONE
from analysis.report.evidence import Evidence
from analysis.runs.selection import Point, Run, Selection
from sweeper.host.amounts import duration
from sweeper.rows.table import record

FOLD = 40  # lines from which the table stands behind a click
COLUMNS = (  # of the results table
    "status",
    "model",
    "n_params",
    "n_params_non_embedding",
    "algorithm",
    "domain_mix",
    "data_scale",
    "n_unique",
    "n_sft",
    "reuse",
    "curriculum",
    "rollout_n",
    "lora_rank",
    "kl_loss_coef",
    "kl_reward_coef",
    "seed",
    "steps",
    "train_samples",
    "train_tokens",
    "flops",
    "gpu_seconds",
)


def section(evidence: Evidence) -> Section:
    """One table; its data hold more columns than are shown."""
    selection, ks = evidence.selection, evidence.table_ks
    head = (
        "model",
        "parameters without embedding",
        "all",
        "algorithm",
        "data",
        "seed",
        "steps",
        "base pass@1",
        "trained pass@1",
        "paired gain",
        *(f"pass@{k}" for k in ks),
        "training FLOPs",
        "wall time",
        "status",
    )
    numbers = (*head[1:3], *head[5:9], "training FLOPs", "wall time")
    lines = [_line(run, ks) for run in selection.runs]
    lines += [
        Line(cells=(f"{run_id}: missing, no row yet",), alarm=True, span_last=len(head)) for run_id in selection.missing
    ]
    table = Table(
        name="results",
        caption="Gain: 95% interval over problems, paired; pass@k as base → trained. The run id shows on the model's "
        "name and is in the data.",
        columns=columns(*head, numbers=numbers),
        lines=tuple(lines),
        data=results_table(selection),
        folded=len(lines) > FOLD,
    )
    return Section(anchor="runs", title="Every run", tables=(table,))


def results_table(selection: Selection) -> pd.DataFrame:
    """One line a run of the grid: completed, failed, and missing (no row yet)."""
    records = [_record(run) for run in selection.runs]
    records += [{"run_id": run_id, "status": "missing", "reason": "no row"} for run_id in selection.missing]
    return pd.DataFrame(records)


def _record(run: Run) -> dict[str, object]:
    row, alone = run.row, Point(series="", runs=(run,))
    improvement = gain(alone) or NONE
    flat = record(row)
    found: dict[str, object] = {"run_id": row.run_id, "group_id": row.group_id}
    found |= {name: flat[name] for name in COLUMNS}
    found |= {
        "wall_s": flat["total_s"],
        "gain_pass@1": improvement.value,
        "gain_pass@1_low": improvement.low,
        "gain_pass@1_high": improvement.high,
    }
    for prefix, base in (("base_", True), ("", False)):
        score = row.score(base=base)
        found |= {f"{prefix}pass@{item.k}": item.value for item in (score.pass_at_k if score else ())}
    failure = row.failure
    return found | {"reason": f"{failure.phase}: {failure.reason}" if failure else None}


def _line(run: Run, ks: list[int]) -> Line:
    row, alone = run.row, Point(series="", runs=(run,))
    head = (
        row.model,
        short(row.n_params_non_embedding),
        short(row.n_params),
        row.algorithm,
        row.data_scale if row.domain_mix == "uniform" else f"{row.data_scale} {row.domain_mix}",
        str(row.seed),
        DASH if row.steps is None else str(row.steps),
    )
    if row.failure:
        text = f"{row.status}: {row.failure.phase}: {row.failure.reason} (log: {row.failure.log})"
        return Line(cells=(*head, text), alarm=True, span_last=6 + len(ks), title=row.run_id)
    before, after, improvement = pass_at(alone, 1, base=True), pass_at(alone, 1), gain(alone)
    more = (
        " → ".join(
            DASH if value is None else f"{value:.3f}" for value in (value_at(alone, k, base=True), value_at(alone, k))
        )
        for k in ks
    )
    cells = (
        *head,
        f"{before.value:.3f}" if before else DASH,
        f"{after.value:.3f}" if after else DASH,
        signed(improvement) if improvement else DASH,
        *more,
        f"{row.flops.total:.2e}" if row.flops and row.flops.total is not None else DASH,
        duration(row.timing.total_s) if row.timing and row.timing.total_s is not None else DASH,
        str(row.status),
    )
    return Line(cells=cells, title=row.run_id)
