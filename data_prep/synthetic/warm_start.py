"""What a tiny base model has seen before RL: problems with right and wrong answers, and agents at work."""

import random
from types import ModuleType

from data_prep.spec import Tasks
from data_prep.synthetic import chain, higher_lower, lookup
from data_prep.synthetic.conversation import Conversation
from data_prep.synthetic.tasks import DOMAINS, GENERATOR_VERSION, VERSIONS, Split, problems, side_of

# Whose conversations there are, in turn. Half of them calculate, or the smallest models would not know how; games, the
# easiest, are few.
_AT_WORK: tuple[ModuleType, ...] = (chain, lookup, chain, lookup, chain, lookup, chain, higher_lower)


def rows_of(tasks: Tasks, n: int, *, seed: int, error_rate: float, tool_share: float) -> list[dict[str, object]]:
    """What a model is warm-started on: `conversation_rows` for agents' tasks, else `warm_start_rows`."""
    if tasks is Tasks.agent:
        return conversation_rows(n, seed=seed, error_rate=error_rate, tool_share=tool_share)
    return warm_start_rows(n, seed=seed, error_rate=error_rate)


def warm_start_rows(n: int, *, seed: int, error_rate: float) -> list[dict[str, object]]:
    """Rows for verl's supervised fine-tuning (`MultiTurnSFTDataset`), from train problems only, domains in turn.

    Args:
        n: Rows.
        seed: Decides problems and mistakes.
        error_rate: Share of rows, 0 to 1, whose solution is wrong, exactly (rounded to a row). Pretraining data are
            imperfect too; what a model learns from them is a mixture that reinforcement can sharpen.

    Returns:
        `messages` (the user's prompt, the assistant's solution), `data_source` and `is_correct`.

    Raises:
        ValueError: error_rate outside [0, 1].
    """
    if not 0.0 <= error_rate <= 1.0:
        raise ValueError(f"error_rate={error_rate} must be in [0, 1]")
    streams = [problems(domain, Split.TRAIN, seed=seed, may_repeat=True) for domain in DOMAINS]
    rng = random.Random(f"{GENERATOR_VERSION}|warm start|{seed}")
    wrong = set(rng.sample(range(n), round(n * error_rate)))
    rows: list[dict[str, object]] = []
    for index in range(n):
        problem = next(streams[index % len(streams)])
        is_correct = index not in wrong
        answer = problem.solution if is_correct else rng.choice(problem.mistakes)
        rows.append(
            {
                "messages": [
                    {"role": "user", "content": problem.prompt},
                    {"role": "assistant", "content": answer},
                ],
                "data_source": problem.data_source,
                "is_correct": is_correct,
            }
        )
    return rows


def conversation_rows(n: int, *, seed: int, error_rate: float, tool_share: float) -> list[dict[str, object]]:
    """Rows for verl's supervised fine-tuning on agents at work, from train problems only, kinds of tasks in turn.

    Args:
        n: Rows.
        seed: Decides problems, mistakes and who calls.
        error_rate: Share of rows, 0 to 1, that end with a wrong answer, exactly (rounded to a row).
        tool_share: Share of rows, 0 to 1, that call tools or play on; the others answer at once. Exactly, as
            `error_rate`, and independent of it.

    Returns:
        `messages` (roles system, user, assistant, tool), `data_source` and `is_correct`.

    Raises:
        ValueError: a share outside [0, 1].
    """
    for name, share in (("error_rate", error_rate), ("tool_share", tool_share)):
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name}={share} must be in [0, 1]")
    salt = f"{VERSIONS[Tasks.agent]}|warm start|{seed}"
    rng = random.Random(salt)
    wrong, calling = (set(rng.sample(range(n), round(n * share))) for share in (error_rate, tool_share))
    rows: list[dict[str, object]] = []
    for index in range(n):
        kind = _AT_WORK[index % len(_AT_WORK)]
        own = random.Random(f"{salt}|{index}")
        level = own.randint(1, kind.LEVELS)  # all alike, or few would show many calls
        rows.append(_to_train_on(kind, level, own, calls=index in calling, slips=index in wrong).row)
    return rows


def _to_train_on(kind: ModuleType, level: int, rng: random.Random, *, calls: bool, slips: bool) -> Conversation:
    while True:
        found: Conversation = kind.conversation(level, rng, calls=calls, slips=slips)
        if side_of(found.problem) is Split.TRAIN:
            return found
