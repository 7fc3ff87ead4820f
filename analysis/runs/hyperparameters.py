"""Settings of a run beside its model, algorithm and data, in words; None in rows that do not hold them."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial

from sweeper.rows.differences import between_rows
from sweeper.rows.row import ResultRow
from sweeper.spec.agent import NONE


def kl_term(row: ResultRow) -> str | None:
    """How the policy is held near its reference, with the coefficient."""
    if row.kl_loss_coef is None or row.kl_reward_coef is None:
        return None
    terms = {"loss": row.kl_loss_coef, "reward": row.kl_reward_coef}
    said = [f"{place} {value:g}" for place, value in terms.items() if value]
    return f"KL {' and '.join(said)}" if said else "no KL"


def lora(row: ResultRow) -> str | None:
    """The rank of the adapters, or that there are none."""
    if row.lora_rank is None:
        return None
    return f"LoRA rank {row.lora_rank}" if row.lora_rank else "no LoRA"


def rollouts(row: ResultRow) -> str | None:
    """Responses per prompt."""
    return None if row.rollout_n is None else f"{row.rollout_n} rollouts"


def agent(row: ResultRow) -> str:
    """What the policy acts in, by its name; `none` in rows of earlier versions, which had no other."""
    return row.agent or NONE


HYPERPARAMETERS: dict[str, Callable[[ResultRow], str | None]] = {"KL": kl_term, "LoRA": lora, "rollouts": rollouts}


def other_settings(rows: Sequence[ResultRow]) -> dict[str, Callable[[ResultRow], str]]:
    """Further settings that tell the rows apart, each in words ("lr 3e-4"), without those that the others tell."""
    told: list[tuple[Hashable, ...]] = [
        (
            *(row.model, row.algorithm, row.domain_mix, row.curriculum, row.n_unique, row.n_sft, row.steps),
            agent(row),
            *(said(row) for said in HYPERPARAMETERS.values()),
        )
        for row in rows
    ]
    found: dict[str, Callable[[ResultRow], str]] = {}
    for item in between_rows(rows):
        finer = [(*key, text) for key, text in zip(told, item.texts, strict=True)]
        if len(set(finer)) > len(set(told)):
            told = finer
            words = {row.run_id: f"{item.name} {text}" for row, text in zip(rows, item.texts, strict=True)}
            found[item.name] = partial(_of_run, words)
    return found


def _of_run(words: dict[str, str], row: ResultRow) -> str:
    return words[row.run_id]


def goes_with_algorithm(rows: Sequence[ResultRow], value: Callable[[ResultRow], Hashable]) -> bool:
    """Whether every algorithm has one value only: its name says it, as REINFORCE++ has a KL reward in verl's recipe."""
    return len({(row.algorithm, value(row)) for row in rows}) == len({row.algorithm for row in rows})
