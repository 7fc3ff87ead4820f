"""What one trajectory did: the record that its loop makes, and what records add up to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sweeper.rows.trajectories import Ended, Trajectories

FIELD = "agent"  # of verl's `extra_fields`, and of the `extra_info` that its reward function gets


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One trajectory.

    Attributes:
        answer: Text of the model's last turn, without special tokens: all that may be scored. Empty unless the
            trajectory ended with an answer.
        correct: An environment's verdict; None: there is none, and the answer is scored.
        ended: How it ended.
        turns: Of the model.
        calls: Tool calls that were run, or failed before they could be; of an environment its steps.
        errors: Calls that were malformed, of an unknown tool, with wrong arguments, or that failed or ran past a limit.
        refused: Calls beyond `agent.max_calls`.
        generated: Tokens that the model drew.
        observed: Tokens between its turns: of tools, of the environment, of the template.
        prefilled_again: Over all turns but the first, tokens of the sequence before the turn.
        tool_cpu_s: CPU seconds inside tools and environment.
    """

    answer: str
    correct: bool | None = None
    ended: Ended
    turns: int
    calls: int
    errors: int
    refused: int
    generated: int
    observed: int
    prefilled_again: int
    tool_cpu_s: float

    def plain(self) -> dict[str, Any]:
        """Plain values alone: the record goes through verl's queue and its reward workers."""
        return asdict(self) | {"ended": str(self.ended)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Record":
        """The record that `plain` gave.

        Raises:
            KeyError: a field is missing.
        """
        values = {field.name: plain[field.name] for field in fields(cls)}
        return cls(**values | {"ended": Ended(values["ended"])})


def trajectories(
    records: Iterable[Record], correct: Sequence[bool] | None = None, *, max_turns: int = 0
) -> Trajectories | None:
    """What records add up to; None of none.

    Args:
        records: One per trajectory.
        correct: Whether each one's answer is right, in the order of `records`; None: not measured.
        max_turns: How many turns a trajectory may take: `correct_at_turns` is that long, if `correct` is given.

    Raises:
        ValueError: `correct` is of another length than `records`.
    """
    found = list(records)
    if not found:
        return None
    at_turns: tuple[int, ...] = ()
    if correct is not None:
        right = Counter(record.turns for record, one in zip(found, correct, strict=True) if one)
        at_turns = tuple(sum(n for turns, n in right.items() if turns <= most) for most in range(1, max_turns + 1))
    return Trajectories(
        n=len(found),
        turns=sum(record.turns for record in found),
        calls=sum(record.calls for record in found),
        errors=sum(record.errors for record in found),
        refused=sum(record.refused for record in found),
        used_a_tool=sum(record.calls > 0 for record in found),
        generated_tokens=sum(record.generated for record in found),
        observed_tokens=sum(record.observed for record in found),
        prefilled_again_tokens=sum(record.prefilled_again for record in found),
        tool_cpu_s=sum(record.tool_cpu_s for record in found),
        ended=dict(sorted(Counter(str(record.ended) for record in found).items())),
        correct_at_turns=at_turns,
    )
