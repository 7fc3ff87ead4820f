"""A conversation of the warm start: a problem, what an agent says and sees, and whether it ends with the answer."""

from dataclasses import dataclass

from data_prep.synthetic.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """How an agent works on a problem.

    `turns` are (role, text) in order, of the roles `system` (the name of the tool that there is), `user` (the problem,
    and what an environment answers), `assistant` and `tool`. The last is the assistant's answer.
    """

    problem: Problem
    turns: tuple[tuple[str, str], ...]
    is_correct: bool

    @property
    def row(self) -> dict[str, object]:
        """As the supervised trainer reads it."""
        return {
            "messages": [{"role": role, "content": text} for role, text in self.turns],
            "data_source": self.problem.data_source,
            "is_correct": self.is_correct,
        }
