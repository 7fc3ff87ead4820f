"""Where the compute goes: model FLOPs by phase, beside the published convention and the time of the devices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.drawing.page import DASH, Figure, Key, Line, Section, Table, columns
from analysis.drawing.svg import WIDTH_IN, inline_svg, new_panel, style
from analysis.estimates.numerals import short
from analysis.report.evidence import Evidence
from analysis.runs.selection import Run
from sweeper.rows.row import Flops

TITLE = "Where the compute goes"
PHASES = (
    ("fine_tuning", "supervised fine-tuning", "#000000"),
    ("generation", "generation", "#0072B2"),
    ("log_prob", "old log-probabilities", "#56B4E9"),
    ("reference", "reference model", "#CC79A7"),
    ("actor", "actor update", "#D55E00"),
    ("critic", "critic", "#E69F00"),
)
MOST_BARS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Means over the runs of a model and algorithm; None where a run has none."""

    model: str
    algorithm: str
    runs: int
    phases: tuple[float | None, ...]  # in the order of PHASES, FLOPs
    total: float
    plain: float | None  # 6NT, FLOPs
    evaluation: float | None  # FLOPs
    tokens: float | None
    gpu_seconds: float | None
    train_seconds: float | None

    def record(self) -> dict[str, object]:
        """As a line of data."""
        return {
            "model": self.model,
            "algorithm": self.algorithm,
            "runs": self.runs,
            **{name: value for (name, _, _), value in zip(PHASES, self.phases, strict=True)},
            "total": self.total,
            "6nt": self.plain,
            "evaluation": self.evaluation,
            "tokens": self.tokens,
            "gpu_seconds": self.gpu_seconds,
            "train_seconds": self.train_seconds,
        }


def section(evidence: Evidence) -> Section:
    """A bar a model and algorithm: means over their runs."""
    costs = _costs(evidence.runs)
    if not costs:
        return Section(anchor="cost", title=TITLE, missing=("No run has a ledger of FLOPs.",))
    accountings = sorted({run.row.flops.accounting for run in evidence.runs if run.row.flops})
    lead = [
        f"Every FLOPs axis of this page is model FLOPs of training, all phases, accounting {', '.join(accountings)}; "
        "evaluation is apart. Published laws often count 6NT (N parameters, T tokens) instead; exponents hardly depend "
        "on the choice, gains per FLOP and comparisons of algorithms do."
    ]
    if len(costs) > MOST_BARS:
        lead.append(f"Drawn: the first {MOST_BARS} of {len(costs)}.")
    used_gpu = any(cost.gpu_seconds is not None for cost in costs)
    return Section(
        anchor="cost",
        title=TITLE,
        lead=tuple(lead),
        figures=(_figure(costs),),
        tables=(_table(costs),),
        missing=() if used_gpu else ("GPU-seconds: none of these runs used a GPU.",),
    )


def _costs(runs: Sequence[Run]) -> list[Cost]:
    groups: dict[tuple[str, str], list[tuple[Run, Flops]]] = {}
    for run in runs:
        if run.row.flops is not None and run.row.flops.total is not None:
            groups.setdefault((run.row.model, run.row.algorithm), []).append((run, run.row.flops))
    found = []
    for (model, algorithm), members in groups.items():
        rows, ledgers = [run.row for run, _ in members], [flops for _, flops in members]
        plain = [flops.published_6nt for flops in ledgers]
        found.append(
            Cost(
                model=model,
                algorithm=algorithm,
                runs=len(members),
                phases=tuple(_mean([getattr(flops, name) for flops in ledgers]) for name, _, _ in PHASES),
                total=_mean([flops.total for flops in ledgers]) or 0.0,
                plain=_mean(plain),
                evaluation=_mean([flops.evaluation for flops in ledgers]),
                tokens=_mean([row.train_tokens for row in rows]),
                gpu_seconds=_mean([row.gpu_seconds for row in rows]),
                train_seconds=_mean([row.timing.train_s if row.timing else None for row in rows]),
            )
        )
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _figure(costs: list[Cost]) -> Figure:
    shown = costs[:MOST_BARS][::-1]
    several = len({cost.algorithm for cost in costs}) > 1
    labels = [f"{cost.model} {cost.algorithm}" if several else cost.model for cost in shown]
    with style("cost"):
        figure, axes = new_panel("Share of training FLOPs by phase", fitted=True)
        figure.set_size_inches(WIDTH_IN, 0.9 + 0.3 * len(shown))
        left = np.zeros(len(shown))
        for i, (_, _, colour) in enumerate(PHASES):
            share = np.array([(cost.phases[i] or 0.0) / cost.total for cost in shown])
            axes.barh(range(len(shown)), share, left=left, color=colour, edgecolor="white", linewidth=0.6, height=0.7)
            left = left + share
        for y, cost in enumerate(shown):
            axes.text(1.02, y, f"{cost.total:.1e}", va="center", fontsize=8)
        axes.set_yticks(range(len(shown)), labels)
        axes.set_xlim(0, 1)
        axes.set_xlabel("share; at the right: FLOPs of a run")
        axes.grid(visible=False, axis="y")
        panel = inline_svg(figure, name="cost", description="share of training FLOPs by phase")
    keys = tuple(
        Key(label=label, colour=colour, block=True)
        for i, (_, label, colour) in enumerate(PHASES)
        if any(cost.phases[i] for cost in costs)
    )
    return Figure(name="cost", keys=keys, panels=(panel,), data=pd.DataFrame([cost.record() for cost in costs]))


def _table(costs: list[Cost]) -> Table:
    heads = ("total", "6NT", "total / 6NT", "evaluation", "tokens", "GPU-seconds", "seconds of training")
    lines = [
        Line(
            cells=(
                cost.model,
                cost.algorithm,
                str(cost.runs),
                f"{cost.total:.2e}",
                f"{cost.plain:.2e}" if cost.plain else DASH,
                f"{cost.total / cost.plain:.2f}" if cost.plain else DASH,
                DASH if cost.evaluation is None else f"{cost.evaluation:.2e}",
                DASH if cost.tokens is None else short(cost.tokens),
                DASH if cost.gpu_seconds is None else f"{cost.gpu_seconds:.0f}",
                DASH if cost.train_seconds is None else f"{cost.train_seconds:.0f}",
            )
        )
        for cost in costs
    ]
    return Table(
        name="cost_table",
        caption="Means over runs. 6NT: six times the nominal size times the tokens of the rollouts, the "
        "convention of arXiv:2509.25300.",
        columns=columns("model", "algorithm", "runs", *heads, numbers=("runs", *heads)),
        lines=tuple(lines),
        data=pd.DataFrame([cost.record() for cost in costs]),
        folded=len(lines) > 24,
    )
