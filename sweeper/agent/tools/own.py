"""Tools of the user's own: `FILE.py:FUNCTION`, a typed function with a docstring."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeper.agent.arguments import fault_of
from sweeper.agent.own.inside import TOOL
from sweeper.agent.own.own_code import own_code
from sweeper.agent.tools.tool import Observation, failed, public
from sweeper.spec.agent import Agent, ToolLimits


class OwnTool:
    """Runs in a process of its own. What the function raises is a call that failed; what it returns, the observation.

    A parameter `state` is a dictionary that lasts as long as the trajectory, of what JSON can hold; a parameter `row`
    is the problem as tools may see it. Neither is an argument of the model's.
    """

    def __init__(self, path: Path, function: str, agent: Agent, version: str) -> None:
        """Starts a process of the file's.

        Args:
            path: Of the file, or of its copy.
            function: Its name.
            agent: Of the run.
            version: Digest of the file.

        Raises:
            OwnCodeError: The file does not load.
        """
        self.name, self.version = function, version
        self._feedback = agent.feedback
        self._code = own_code(TOOL, path, function, agent.limits.memory_mb)
        self.schema: dict[str, Any] = self._code.hello()["schema"]

    def run(
        self, arguments: Mapping[str, Any], state: dict[str, Any], row: Mapping[str, Any], limits: ToolLimits
    ) -> Observation:
        """What the function returns: text as it is, lists and dictionaries as JSON.

        Raises:
            OwnCodeError: The file does not load.
        """
        fault = fault_of(arguments, self.schema)
        if fault is not None:
            return failed(fault, feedback=self._feedback)
        own = state.get(self.name, {})
        request = {"arguments": dict(arguments), "state": own, "row": plain(public(row))}
        answer = self._code.ask(request, limits)
        if "error" in answer:
            return failed(answer["error"], feedback=self._feedback, cpu_s=answer["cpu_s"])
        state[self.name] = answer["state"]
        text = answer["text"]
        more = len(text.encode("utf-8", "replace")) - limits.output_bytes
        if more > 0:
            text = text.encode("utf-8", "replace")[: limits.output_bytes].decode("utf-8", "ignore")
            text += f"\n[{more:,} more bytes]"
        return Observation(text=text or "(no output)", ok=True, cpu_s=answer["cpu_s"])

    def close(self, state: dict[str, Any]) -> None:
        """Forgets what the function kept."""
        state.pop(self.name, None)


def plain(value: Any) -> Any:
    """A row's value as JSON has it: arrays of a parquet reader become lists, what has no form its text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return plain(value.tolist()) if hasattr(value, "tolist") else str(value)
