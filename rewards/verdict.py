"""What a scorer says about one answer."""

from dataclasses import dataclass
from enum import StrEnum

_SHOWN_CHARACTERS = 200


class Outcome(StrEnum):
    """Why an answer got its score. Exactly one holds for each answer."""

    CORRECT = "correct"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"  # nothing in the required format was found
    TIMEOUT = "timeout"  # the candidate program or the comparison overran its limit
    ERROR = "error"  # the scorer itself failed; scored 0 and counted, never hidden as WRONG


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One answer's outcome and the answer as the scorer read it."""

    outcome: Outcome
    pred: str = ""

    def as_dict(self) -> dict[str, float | str]:
        """The form that verl stacks over a batch: the same keys whatever the source.

        `score` is the reward, `acc` exact correctness; both 0.0 or 1.0 for every scorer so far.
        """
        value = 1.0 if self.outcome is Outcome.CORRECT else 0.0
        return {
            "score": value,
            "acc": value,
            "outcome": str(self.outcome),
            "pred": self.pred[:_SHOWN_CHARACTERS],
        }


def verdict_of(is_correct: bool, pred: str) -> Verdict:
    """CORRECT or WRONG."""
    return Verdict(outcome=Outcome.CORRECT if is_correct else Outcome.WRONG, pred=pred)
