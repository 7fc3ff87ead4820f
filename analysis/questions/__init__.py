"""The questions of the field, by name: one file each, asked of the runs of a selection.

Importing this package is cheap: a question's file is imported when it is asked.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from analysis.drawing.answer import Answer
    from analysis.runs.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a question leaves to the one who asks.

    Attributes:
        margin: Difference of pass@1 that counts as none, in (0, 1); set it before looking at the results.
        target: pass@1 to be reached (R*); None: the question states which it took.
    """

    margin: float = 0.01
    target: float | None = None


class _Module(Protocol):
    def answer(self, question: "Question", selection: "Selection", settings: Settings) -> "Answer": ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with its heading; `ask` answers it."""

    name: str
    title: str
    text: str

    def ask(self, selection: "Selection", settings: Settings | None = None) -> "Answer":
        """Answer it from the runs of a selection. Never raises for want of data: the answer says what is missing."""
        module = cast("_Module", import_module(f"analysis.questions.{self.name}"))
        return module.answer(self, selection, settings or Settings())


QUESTIONS: dict[str, Question] = {
    "size": Question(
        name="size",
        title="Model size",
        text="How does performance after training change with model size?",
    ),
    "steps": Question(
        name="steps",
        title="Training steps",
        text="How does performance change with training steps?",
    ),
    "data": Question(
        name="data",
        title="Data",
        text="How does performance change with the number of problems seen in training?",
    ),
    "compute": Question(
        name="compute",
        title="Compute",
        text="How does performance change with training compute?",
    ),
    "sample_efficiency": Question(
        name="sample_efficiency",
        title="Sample efficiency",
        text="How many samples does each model size, or arm of one size, need to reach a given performance?",
    ),
    "compute_efficiency": Question(
        name="compute_efficiency",
        title="Compute efficiency",
        text="What does a FLOP gain, what does a given performance cost, and how much compute does one arm save?",
    ),
    "marginal_return": Question(
        name="marginal_return",
        title="Marginal return",
        text="What does one more doubling of problems seen, or of their reuse, add?",
    ),
    "reuse": Question(
        name="reuse",
        title="Data reuse",
        text="How often can each problem be reused before performance suffers?",
    ),
    "sft_share": Question(
        name="sft_share",
        title="SFT and RL",
        text="Which share of a fixed number of problems should go to supervised fine-tuning before RL?",
    ),
    "curriculum": Question(
        name="curriculum",
        title="Curriculum",
        text="Does an ordered curriculum beat mixed order, or are they equivalent?",
    ),
    "transfer": Question(
        name="transfer",
        title="Transfer",
        text="How much of a domain's own gain does training on another domain give?",
    ),
    "min_data": Question(
        name="min_data",
        title="Minimum data",
        text="How few problems of a domain are enough?",
    ),
    "stability": Question(
        name="stability",
        title="Stability",
        text="Did training overfit, narrow or collapse?",
    ),
    "algorithm": Question(
        name="algorithm",
        title="Algorithms",
        text="Which algorithm is best at the same compute?",
    ),
    "unseen_size": Question(
        name="unseen_size",
        title="An unseen size",
        text="Do the smaller models predict the largest?",
    ),
    "rest_of_run": Question(
        name="rest_of_run",
        title="The rest of a run",
        text="Does the first part of a run predict its last?",
    ),
}
