"""What the trajectories of an agent did, summed over some of them: of a problem, of a score, of a training step."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Ended(StrEnum):
    """How a trajectory ended."""

    answered = "answered"  # the model's last turn called no tool; or the environment ended
    turn_limit = "turn_limit"  # agent.max_turns were taken, and the last one called a tool
    call_limit = "call_limit"  # a call beyond agent.max_calls was refused, and the next turn called again
    context_limit = "context_limit"  # the next observation or turn did not fit
    turn_cut = "turn_cut"  # a turn was cut off at agent.turn_tokens or at the end of the context


LIMITS = tuple(ended for ended in Ended if ended is not Ended.answered)  # unfinished: scored as wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectories:
    """Sums over `n` trajectories.

    Attributes:
        n: How many; those that were lost are none of them.
        turns: Of the model.
        calls: Of tools that were run; of an environment, its steps.
        errors: Calls that were malformed, of an unknown tool, with wrong arguments, or that failed or ran past a limit.
        refused: Calls beyond the budget.
        used_a_tool: Trajectories with at least one call.
        generated_tokens: That the model drew.
        observed_tokens: That tools, the environment and the template put between its turns.
        prefilled_again_tokens: Tokens before a turn that an engine without a prefix cache encodes again: over all turns
            but the first, the length of what came before.
        tool_cpu_s: CPU seconds inside tools and environments.
        ended: How many by `Ended`.
        correct_at_turns: Right answers given within at most 1, 2, ... turns; empty where that was not measured.
    """

    n: int
    turns: int
    calls: int
    errors: int
    refused: int
    used_a_tool: int
    generated_tokens: int
    observed_tokens: int
    prefilled_again_tokens: int
    tool_cpu_s: float
    ended: dict[str, int]
    correct_at_turns: tuple[int, ...] = ()

    @classmethod
    def total(cls, parts: Iterable["Trajectories"]) -> "Trajectories | None":
        """All together; None of none."""
        found = list(parts)
        if not found:
            return None
        ended: Counter[str] = Counter()
        for one in found:
            ended.update(one.ended)
        sums = {name: sum(getattr(one, name) for one in found) for name in SUMMED}
        turns = {len(one.correct_at_turns) for one in found}
        at_turns = zip(*(one.correct_at_turns for one in found), strict=True) if len(turns) == 1 else ()
        return cls(**sums, ended=dict(sorted(ended.items())), correct_at_turns=tuple(map(sum, at_turns)))

    def mean(self, name: str) -> float:
        """A sum by its name, per trajectory."""
        return float(getattr(self, name)) / self.n


SUMMED = tuple(name for name in Trajectories.__dataclass_fields__ if name not in ("ended", "correct_at_turns"))
