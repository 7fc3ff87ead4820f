"""What an agent did as columns of the results table; rows without an agent have none of them."""

from typing import Any

from sweeper.rows.row import ResultRow
from sweeper.rows.trajectories import Ended, Trajectories

# Sums of `Trajectories` by column, each per trajectory.
_MEANS = {
    **{name: name for name in ("turns", "calls", "errors", "refused", "used_a_tool")},
    **{name: name for name in ("generated_tokens", "observed_tokens", "tool_cpu_s")},
}
_NAMES = (*_MEANS, *(f"ended_{ended}" for ended in Ended))
NAMES = ("agent", *_NAMES, *(f"base_{name}" for name in _NAMES), "flops_prefill_repeated")
# Heads of the printed table by column.
PRINTED = {
    **{"turns": "turns", "calls": "calls", "errors": "errors", "used_a_tool": "used a tool"},
    **{"generated_tokens": "generated", "observed_tokens": "observed", "ended_answered": "answered"},
}


def agent_columns(row: ResultRow) -> dict[str, Any]:
    """Of the trained model's evaluation, and with `base_` before them of the base model's; none without an agent.

    `turns` ... `tool_cpu_s` are means per trajectory, `used_a_tool` and `ended_*` shares of the trajectories,
    `pass@K_Tturns` is pass@(k, T), each over all problems. What was not measured is None.
    """
    if row.agent is None:
        return {}
    columns: dict[str, Any] = {"agent": row.agent}
    for prefix, score in (("", row.score()), ("base_", row.score(base=True))):
        columns |= {f"{prefix}{name}": value for name, value in did(score.trajectories if score else None).items()}
    columns["flops_prefill_repeated"] = row.flops.prefill_repeated if row.flops else None
    for prefix, score in (("base_", row.score(base=True)), ("", row.score())):
        for at in score.pass_at_turns if score else ():
            columns |= {f"{prefix}pass@{point.k}_{at.turns}turns": point.value for point in at.pass_at_k}
    return columns


def did(found: Trajectories | None) -> dict[str, float | None]:
    """Means per trajectory, and shares of the trajectories, by column; all None where there were no trajectories."""
    if found is None or not found.n:
        return dict.fromkeys(_NAMES)
    means: dict[str, float | None] = {column: found.mean(name) for column, name in _MEANS.items()}
    return means | {f"ended_{ended}": found.ended.get(ended, 0) / found.n for ended in Ended}
