"""Where the compute goes: model FLOPs by phase, beside the published convention and the time of the devices."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.drawing.answer import Scale, Stack, Stacks
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section, Table
from analysis.estimates.numerals import short
from analysis.report.evidence import Evidence
from analysis.runs.selection import Run
from sweeper.rows.row import Flops

TITLE = "Where the compute goes"
PHASES = {
    "fine_tuning": "supervised fine-tuning",
    "generation": "generation",
    "log_prob": "old log-probabilities",
    "reference": "reference model",
    "actor": "actor update",
    "critic": "critic",
}


def section(evidence: Evidence) -> Section:
    """One line per model and algorithm: means over their runs."""
    costs = _costs(evidence.runs)
    if costs.empty:
        return Section(anchor="cost", title=TITLE, missing=("No run has a ledger of FLOPs.",))
    accountings = sorted({run.row.flops.accounting for run in evidence.runs if run.row.flops})
    lead = (
        f"Every FLOPs axis of this page is model FLOPs of training, all phases, accounting {', '.join(accountings)}; "
        "evaluation is apart. Published laws often count 6NT (N parameters, T tokens) instead; exponents hardly depend "
        "on the choice, gains per FLOP and comparisons of algorithms do."
    )
    return Section(
        anchor="cost",
        title=TITLE,
        lead=(lead,),
        figures=(draw(_shares(costs), name="cost"),),
        tables=(_table(costs),),
        missing=("GPU-seconds: none of these runs used a GPU.",) if costs["gpu_seconds"].isna().all() else (),
    )


def _costs(runs: Sequence[Run]) -> pd.DataFrame:
    """Means over the runs of a model and algorithm; None where a run has none."""
    groups: dict[tuple[str, str], list[tuple[Run, Flops]]] = {}
    for run in runs:
        if run.row.flops is not None and run.row.flops.total is not None:
            groups.setdefault((run.row.model, run.row.algorithm), []).append((run, run.row.flops))
    records = []
    for (model, algorithm), members in groups.items():
        rows, ledgers = [run.row for run, _ in members], [flops for _, flops in members]
        total, plain = _mean([flops.total for flops in ledgers]), _mean([flops.published_6nt for flops in ledgers])
        records.append(
            {
                "model": model,
                "algorithm": algorithm,
                "runs": len(members),
                **{name: _mean([getattr(flops, name) for flops in ledgers]) for name in PHASES},
                "total": total,
                "6nt": plain,
                "total_over_6nt": total / plain if total and plain else None,
                "evaluation": _mean([flops.evaluation for flops in ledgers]),
                "tokens": _mean([row.train_tokens for row in rows]),
                "gpu_seconds": _mean([row.gpu_seconds for row in rows]),
                "train_seconds": _mean([row.timing.train_s if row.timing else None for row in rows]),
            }
        )
    return pd.DataFrame(records)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _shares(costs: pd.DataFrame) -> Stacks:
    shares = costs[list(PHASES)].astype(float).fillna(0.0).div(costs["total"], axis="index")
    lines = [
        Stack(label=f"{model}, {algorithm}", shares=tuple(own), note=f"{total:.1e}")
        for model, algorithm, own, total in zip(
            costs["model"], costs["algorithm"], shares.to_numpy().tolist(), costs["total"], strict=True
        )
    ]
    return Stacks(
        title="Share of training FLOPs by phase",
        axis=Scale(label="share; at the right: FLOPs per run"),
        parts=tuple(PHASES.values()),
        lines=tuple(lines),
    )


def _table(costs: pd.DataFrame) -> Table:
    titles = {"model": "model", "algorithm": "algorithm", "runs": "runs", "total": "total", "6nt": "6NT"}
    titles |= {"total_over_6nt": "total / 6NT", "evaluation": "evaluation", "tokens": "tokens"}
    titles |= {"gpu_seconds": "GPU-seconds", "train_seconds": "seconds of training"}
    return frame_table(
        costs,
        name="cost_table",
        caption="Means over runs. 6NT: six times the nominal size times the tokens of the rollouts, the "
        "convention of arXiv:2509.25300.",
        titles=titles,
        forms={"total": ".2e", "6nt": ".2e", "total_over_6nt": ".2f", "evaluation": ".2e", "tokens": short},
        fold=24,
    )
