"""A tool of ours as verl knows tools: it counts a prompt's tokens with the schema, and hands the object to the loop."""

from pathlib import Path
from typing import Any

from verl.tools.base_tool import BaseTool
from verl.tools.schemas import OpenAIFunctionToolSchema

from sweeper.agent.plain_agent import agent_of, plain
from sweeper.agent.tools.registry import tool
from sweeper.spec.agent import Agent


class VerlTool(BaseTool):  # type: ignore[misc]  # verl has no types
    """Made from `config` in verl's YAML: `tool`, `agent` (`plain_agent.plain`), `own` (a folder or null).

    verl's constructor is not called: it prints the schema in every process.
    """

    def __init__(self, config: dict[str, Any], tool_schema: Any = None) -> None:
        self.config = config
        own = config["own"]
        self.tool = tool(config["tool"], agent_of(config["agent"]), None if own is None else Path(own))
        self.tool_schema = tool_schema or OpenAIFunctionToolSchema.model_validate(self.tool.schema)
        self.name = self.tool.name

    async def execute(self, *_: Any, **__: Any) -> Any:
        """Refused: only `sweeper.agent.loop.ToolLoop` keeps a trajectory's state and limits.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"{self.name} runs in sweeper.agent.loop.ToolLoop alone")

    @classmethod
    def config_of(cls, name: str, agent: Agent, own: Path | None) -> dict[str, Any]:
        """What `config` is for one of `agent.tools`."""
        return {"type": "native", "tool": name, "agent": plain(agent), "own": None if own is None else str(own)}


def dumped(found: VerlTool) -> dict[str, Any]:
    """The schema as verl shows it to chat templates, for its data and its rollout alike."""
    schema: dict[str, Any] = found.tool_schema.model_dump(exclude_unset=True, exclude_none=True)
    return schema
