"""A calculator that does one operation per call, so that a problem of k operations needs k calls."""

import re
import time
from collections.abc import Mapping
from typing import Any

from sweeper.agent.tools.tool import Observation, failed, function_schema
from sweeper.spec.agent import Agent, ToolLimits

_DIGITS = 12
_ONE = re.compile(rf"\s*(-?[0-9]{{1,{_DIGITS}}})\s*([+\-*])\s*(-?[0-9]{{1,{_DIGITS}}})\s*")


class Calculator:
    """`a+b`, `a-b` or `a*b` of whole numbers, exactly."""

    name = "calculator"
    version = "1"

    def __init__(self, agent: Agent) -> None:
        self._feedback = agent.feedback
        self.schema = function_schema(
            self.name,
            "Does one operation on two whole numbers.",
            {"expression": {"type": "string", "description": "a+b, a-b or a*b"}},
        )

    def run(
        self, arguments: Mapping[str, Any], state: dict[str, Any], row: Mapping[str, Any], limits: ToolLimits
    ) -> Observation:
        """The result in decimal digits."""
        del state, row, limits
        begun = time.thread_time()
        found = _ONE.fullmatch(str(arguments.get("expression", ""))[:64])
        if found is None:
            return failed(
                f"expression must be a+b, a-b or a*b of whole numbers of at most {_DIGITS} digits",
                feedback=self._feedback,
                cpu_s=time.thread_time() - begun,
            )
        left, right = int(found[1]), int(found[3])
        result = {"+": left + right, "-": left - right, "*": left * right}[found[2]]
        return Observation(text=str(result), ok=True, cpu_s=time.thread_time() - begun)

    def close(self, state: dict[str, Any]) -> None:
        """Nothing is held."""
