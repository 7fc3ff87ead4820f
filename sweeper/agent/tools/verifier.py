"""Lets the model check an answer before it gives it: by the problem's public tests, or by its form alone."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rewards.code.program import score_program
from rewards.code.source_rules import rules_of
from rewards.problem.extraction import code_blocks, last_answer, last_boxed
from rewards.problem.question import BadGroundTruth
from rewards.problem.verdict import Outcome
from rewards.sandbox.execution import cpu_spent
from sweeper.agent.tools.python import sandbox_limits
from sweeper.agent.tools.tool import Observation, failed, function_schema, public
from sweeper.spec.agent import Agent, ToolLimits

_MOST_CHARACTERS = 64_000
_SAYS = {
    Outcome.CORRECT: "passes the public tests",
    Outcome.WRONG: "fails the public tests",
    Outcome.NO_ANSWER: "there is no program in it",
    Outcome.TOO_LONG: "is too long to be run",
    Outcome.TIMEOUT: "ran past a limit in the public tests",
    Outcome.ERROR: "could not be run",
}


class Verifier:
    """It sees `public(row)` alone, in which there is no gold: what it says cannot tell the answer, nor be paid."""

    name = "verifier"
    version = "2"

    def __init__(self, agent: Agent) -> None:
        self._feedback = agent.feedback
        self.schema = function_schema(
            self.name,
            "Checks an answer before you give it: runs a program against the public tests of the problem, or says "
            "whether an answer has a form that can be read. It does not know whether an answer is right.",
            {"answer": {"type": "string", "description": "the whole answer, as you would give it"}},
        )

    def run(
        self, arguments: Mapping[str, Any], state: dict[str, Any], row: Mapping[str, Any], limits: ToolLimits
    ) -> Observation:
        """What the public tests say of a program, or whether there is an answer in the text.

        Raises:
            SandboxUnavailable: There is no isolation here, and the row has public tests.
        """
        del state
        answer, seen = arguments.get("answer"), public(row)
        if not isinstance(answer, str) or len(answer) > _MOST_CHARACTERS:
            return failed(f"answer must be text of at most {_MOST_CHARACTERS:,} characters", feedback=self._feedback)
        begun = time.thread_time() + cpu_spent()
        try:
            text = self._tested(answer, seen, limits) if "public_tests" in seen else _form(answer)
        except BadGroundTruth:
            return failed("the public tests of this problem cannot be read", feedback=self._feedback)
        return Observation(text=text, ok=True, cpu_s=time.thread_time() + cpu_spent() - begun)

    def _tested(self, answer: str, seen: Mapping[str, Any], limits: ToolLimits) -> str:
        tests = seen["public_tests"]
        text = tests if isinstance(tests, str) else json.dumps(tests, default=lambda value: value.tolist())
        response = answer if code_blocks(answer) else f"```python\n{answer}\n```"
        rules = replace(rules_of(str(seen.get("data_source", ""))), limits=sandbox_limits(limits), any_fence=True)
        verdict = score_program(response, text, str(seen.get("prefix", "")), rules)
        if verdict.outcome is Outcome.CORRECT or self._feedback:
            return _SAYS[verdict.outcome]
        return _SAYS[Outcome.WRONG]

    def close(self, state: dict[str, Any]) -> None:
        """Nothing is held."""


def _form(answer: str) -> str:
    found = last_boxed(answer) or last_answer(answer)
    if found is not None:
        return f"an answer is there: {found.strip()}"
    if code_blocks(answer):
        return "a program is there"
    return "no answer is there: nothing in \\boxed{}, in <answer></answer> or in a block of code"
