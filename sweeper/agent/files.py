"""The YAML files that tell verl of an agent: its loop, and its tools."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweeper.agent.plain_agent import plain
from sweeper.host.files import write_atomic
from sweeper.spec.agent import Agent

TOOLS, ENVIRONMENT = "tools", "environment"  # names of the loops in verl's registry
_TARGETS = {TOOLS: "sweeper.agent.loop.ToolLoop", ENVIRONMENT: "sweeper.agent.environment.EnvironmentLoop"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFiles:
    """What `write` wrote.

    Attributes:
        loop: Name of the loop, `rollout.agent.default_agent_loop`.
        loops: `rollout.agent.agent_loop_config_path`.
        tools: `rollout.multi_turn.tool_config_path`; None: an environment, which has none.
    """

    loop: str
    loops: Path
    tools: Path | None


def paths(agent: Agent, folder: Path) -> AgentFiles:
    """Where `write` writes."""
    in_environment = agent.environment is not None
    return AgentFiles(
        loop=ENVIRONMENT if in_environment else TOOLS,
        loops=folder / "loops.yaml",
        tools=None if in_environment else folder / "tools.yaml",
    )


def write(agent: Agent, folder: Path, own: Path | None = None) -> AgentFiles:
    """Write verl's files for an agent that acts.

    Args:
        agent: Of the run.
        folder: Absolute; made if it is not there.
        own: Folder with the files of the user's own tools and environments; None: there are none.
    """
    from sweeper.agent.verl_tool import VerlTool, dumped

    made = paths(agent, folder)
    folder.mkdir(parents=True, exist_ok=True)
    loop: dict[str, Any] = {"name": made.loop, "_target_": _TARGETS[made.loop], "agent": plain(agent)}
    if made.tools is None:
        loop["own"] = None if own is None else str(own)
    else:
        configs = [VerlTool.config_of(name, agent, own) for name in agent.tools]
        tools = [
            {"class_name": f"{VerlTool.__module__}.{VerlTool.__qualname__}", "config": config}
            | {"tool_schema": dumped(VerlTool(config))}
            for config in configs
        ]
        write_atomic(made.tools, yaml.safe_dump({"tools": tools}, sort_keys=False, allow_unicode=True))
    write_atomic(made.loops, yaml.safe_dump([loop], sort_keys=False, allow_unicode=True))
    return made
