"""The questions of the field, by name: one file each, asked of the runs of a selection.

Importing this package is cheap: a question's file is imported when it is asked.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.drawing.answer import Answer
    from analysis.runs.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a question leaves to the one who asks.

    Attributes:
        margin: Difference of pass@1 that counts as none, in (0, 1); set it before looking at the results.
        target: Validation accuracy to be reached (R*), in (0, 1); None: the question states which it took.
    """

    margin: float = 0.01
    target: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with its heading; `ask` answers it."""

    name: str
    title: str
    text: str

    def ask(self, selection: "Selection", settings: Settings | None = None) -> "Answer":
        """Answer it from the runs of a selection. Never raises for want of data: the answer says what is missing."""
        module = import_module(f"analysis.questions.{self.name}")
        found: Answer = module.answer(self, selection, settings or Settings())
        return found


_ASKED = (  # name, title, text
    ("size", "Model size", "How does performance after training change with model size?"),
    ("steps", "Training steps", "How does performance change with training steps?"),
    ("data", "Data", "How does performance change with the number of problems seen in training?"),
    ("compute", "Compute", "How does performance change with training compute?"),
    (
        "sample_efficiency",
        "Sample efficiency",
        "How many samples does each model size, or each configuration of one size, need to reach a given performance?",
    ),
    (
        "compute_efficiency",
        "Compute efficiency",
        "What does a FLOP gain, what does a given performance cost, and how much compute does one configuration save?",
    ),
    ("marginal_return", "Marginal return", "What does one more doubling of problems seen, or of their reuse, add?"),
    ("reuse", "Data reuse", "How often can each problem be reused before performance suffers?"),
    (
        "sft_share",
        "Fine-tuning and RL",
        "Which share of a fixed number of problems should go to supervised fine-tuning before RL?",
    ),
    (
        "rollout_allocation",
        "Rollouts at fixed compute",
        "How many responses per prompt are best at a fixed number of samples, and how does that move with compute?",
    ),
    ("curriculum", "Curriculum", "Does an ordered curriculum beat mixed order, or are they equivalent?"),
    ("transfer", "Transfer", "How much of a domain's own gain does training on another domain give?"),
    ("min_data", "Minimum data", "How few problems of a domain are enough?"),
    ("stability", "Stability", "Did training overfit, narrow or collapse?"),
    ("algorithm", "Algorithms", "Which algorithm is best at the same compute?"),
    ("unseen_size", "An unseen size", "Do the smaller models predict the largest?"),
    ("rest_of_run", "The rest of a run", "Does the first part of a run predict its last?"),
    ("agent_turns", "Turns of an agent", "How does performance change with the turns that an agent is allowed?"),
    ("tool_gain", "Gain of a tool", "What does a tool add, at equal samples, generated tokens and FLOPs?"),
    ("tool_use", "Use of a tool", "Does the model use its tools when it needs them, and where do calls go wrong?"),
)
QUESTIONS = {name: Question(name=name, title=title, text=text) for name, title, text in _ASKED}
