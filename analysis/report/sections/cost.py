"""Where the compute goes: model FLOPs by phase, beside the published convention and the time of the devices."""

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.drawing.answer import Scale, Stack, Stacks
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section, Table
from analysis.estimates.numerals import scientific, short
from analysis.report.evidence import Evidence
from analysis.runs.selection import Run
from sweeper.rows.money import Money
from sweeper.rows.row import Flops, ResultRow

TITLE = "Where the compute goes"
MONEY = "cost_"  # before a currency: a column
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
    costs = _costs(evidence.runs, evidence.costs)
    if costs.empty:
        return Section(anchor="cost", title=TITLE, missing=("No run has a ledger of FLOPs.",))
    accountings = sorted({run.row.flops.accounting for run in evidence.runs if run.row.flops})
    lead = (
        f"Every FLOPs axis of this page is model FLOPs of training, all phases, accounting {', '.join(accountings)}; "
        "evaluation is apart. Published laws often count 6NT (N parameters, T tokens) instead; exponents hardly depend "
        "on the choice, gains per FLOP and comparisons of algorithms do."
    )
    missing = ["GPU-seconds: none of these runs used a GPU."] if costs["gpu_seconds"].isna().all() else []
    unpriced = sum(run.row.run_id not in evidence.costs for run in evidence.runs)
    if evidence.costs and unpriced:
        missing.append(f"Money: {unpriced} of {len(evidence.runs)} runs have no price, or no measured GPU-hours.")
    return Section(
        anchor="cost",
        title=TITLE,
        lead=(lead,),
        figures=(draw(_shares(costs), name="cost"),),
        tables=(_table(costs),),
        missing=tuple(missing),
    )


def _costs(runs: Sequence[Run], paid: Mapping[str, Money]) -> pd.DataFrame:
    """Means over the runs of a model and algorithm; NaN where a run has none. A column for each currency."""
    each = pd.DataFrame([_record(run.row, run.row.flops) for run in runs if run.row.flops and run.row.flops.total])
    if each.empty:
        return each
    for currency in sorted({money.currency for money in paid.values()}):
        amounts = [paid.get(run.row.run_id) for run in runs if run.row.flops and run.row.flops.total]
        each[MONEY + currency] = [
            money.amount if money and money.currency == currency else float("nan") for money in amounts
        ]
    by = each.groupby(["model", "algorithm"], sort=False)
    costs = by.agg(_mean).reset_index()
    costs.insert(2, "runs", by.size().to_numpy())
    costs.insert(list(costs).index("evaluation"), "total_over_6nt", costs["total"] / costs["6nt"])
    return costs


def _mean(values: "pd.Series[float]") -> float:
    return float(values.astype(float).mean(skipna=False))


def _record(row: ResultRow, flops: Flops) -> dict[str, object]:
    return {
        "model": row.model,
        "algorithm": row.algorithm,
        **{name: getattr(flops, name) for name in PHASES},
        "total": flops.total,
        "6nt": flops.published_6nt,
        "evaluation": flops.evaluation,
        "tokens": row.train_tokens,
        "gpu_seconds": row.gpu_seconds,
        "train_seconds": row.timing.train_s if row.timing else None,
    }


def _shares(costs: pd.DataFrame) -> Stacks:
    shares = costs[list(PHASES)].astype(float).fillna(0.0).div(costs["total"], axis="index")
    lines = [
        Stack(label=f"{model}, {algorithm}", shares=tuple(own), note=scientific(total))
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
    titles = {"model": "Model", "algorithm": "Algorithm", "runs": "Runs", "total": "Total", "6nt": "6NT"}
    titles |= {"total_over_6nt": "Total / 6NT", "evaluation": "Evaluation", "tokens": "Tokens"}
    titles |= {"gpu_seconds": "GPU-seconds", "train_seconds": "Seconds of training"}
    priced = {name: f"Cost, {name.removeprefix(MONEY)}" for name in map(str, costs) if name.startswith(MONEY)}
    return frame_table(
        costs,
        name="cost_table",
        caption="Means over runs. 6NT: six times the nominal size times the tokens of the rollouts, the "
        "convention of arXiv:2509.25300.",
        titles=titles | priced,
        forms={"total": scientific, "6nt": scientific, "evaluation": scientific, "tokens": short}
        | dict.fromkeys(priced, ",.2f"),
        fold=24,
    )
