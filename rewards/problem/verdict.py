"""What a scorer says about one answer."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

_SHOWN_CHARACTERS = 200


class Outcome(StrEnum):
    """Why an answer got its score. Exactly one holds for each answer."""

    CORRECT = "correct"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"  # nothing in the required format was found
    TOO_LONG = "too_long"  # a program of more characters than are read
    TIMEOUT = "timeout"  # the candidate program or the comparison overran its limit
    ERROR = "error"  # the scorer itself failed; scored 0 and counted, never hidden as WRONG


class Late(StrEnum):
    """What ran past its limit or did not answer: only such a verdict can depend on the machine's load."""

    PROGRAM = "program"  # of a model, its tests, or CRUXEval's function
    ALGEBRA = "algebra"
    JUDGE = "judge"  # gave no decision, in time or at all
    SCORER = "scorer"  # of reasoning-gym, or a function of the user's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One answer's outcome and the answer as the scorer read it.

    `credit`, in [0, 1), is how much of a wrong answer is right, for the sources that Guru trains with partial credit.
    `reward` is what a function of the user's own gave, any finite number; None: it follows from the outcome.
    `judge_failed` says that an ERROR is an outage of the judge. `late` says what a TIMEOUT is of.
    """

    outcome: Outcome
    pred: str = ""
    credit: float = 0.0
    reward: float | None = None
    judge_failed: bool = False
    late: Late | None = None

    def as_dict(self, *, partial_credit: bool = False) -> dict[str, float | str]:
        """The form that verl stacks over a batch: the same keys and types whatever the source.

        `acc` is exact correctness, 0.0 or 1.0. `score`, the reward, equals it unless `partial_credit` is wanted or a
        function of the user's own gave another.
        """
        correct = 1.0 if self.outcome is Outcome.CORRECT else 0.0
        earned = max(correct, self.credit) if partial_credit else correct
        return {
            "score": earned if self.reward is None else self.reward,
            "acc": correct,
            "outcome": str(self.outcome),
            # A lone surrogate, which a tokenizer can produce, would break whoever writes this as UTF-8.
            "pred": self.pred[:_SHOWN_CHARACTERS].encode("utf-8", "replace").decode(),
            "judge_error": 1.0 if self.judge_failed else 0.0,
            "late": str(Late.JUDGE if self.judge_failed else self.late or ""),
        }


def verdict_of(is_correct: bool, pred: str) -> Verdict:
    """CORRECT or WRONG."""
    return Verdict(outcome=Outcome.CORRECT if is_correct else Outcome.WRONG, pred=pred)


def judged(answer: str | None, is_right: Callable[[str], bool], most: int) -> Verdict:
    """NO_ANSWER where there is none, WRONG unread where it has more than `most` characters, else as `is_right` says."""
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    return verdict_of(len(answer) <= most and is_right(answer), answer)
