"""Loops of an agent outside verl's workers: the same classes, in this process and without Ray."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from verl.experimental.agent_loop.agent_loop import DictConfigWrap, ToolListWrap

from sweeper.agent.environment import EnvironmentLoop
from sweeper.agent.loop import ToolLoop
from sweeper.agent.plain_agent import plain
from sweeper.agent.turns import TurnLoop
from sweeper.agent.verl_tool import VerlTool
from sweeper.spec.agent import Agent


class Loops:
    """Makes one loop per trajectory, each with a server of its own or the same.

    Args:
        agent: Of the run; it acts.
        tokenizer: Of the model, with its chat template.
        model_type: Of the model's `config.json`: decides what verl puts between turns.
        style: verl's parser of tool calls, `agent.format` or `model.tool_format`; None of an environment.
        max_prompt_length: Most tokens of a prompt.
        max_response_length: Most tokens after it, observations among them.
        own: Folder with the files of the user's own tools and environments; None: there are none.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        tokenizer: Any,
        model_type: str,
        style: str | None,
        max_prompt_length: int,
        max_response_length: int,
        own: Path | None = None,
    ) -> None:
        turns = {"max_assistant_turns": agent.max_turns, "format": style}
        rollout: dict[str, Any] = {"prompt_length": max_prompt_length, "response_length": max_response_length}
        rollout |= {"full_determinism": False, "multi_turn": turns}
        config = OmegaConf.create({"actor_rollout_ref": {"rollout": rollout}, "data": {}})
        self._given = {
            "trainer_config": DictConfigWrap(config),
            "tokenizer": tokenizer,
            "processor": None,
            "dataset_cls": None,
            "data_config": DictConfigWrap(config.data),
            "hf_model_type": model_type,
            "agent": plain(agent),
        }
        self._kind: type[TurnLoop] = ToolLoop
        tools = [VerlTool(VerlTool.config_of(name, agent, own)) for name in agent.tools]
        if agent.environment is not None:
            self._kind = EnvironmentLoop
            self._given["own"] = None if own is None else str(own)
        self._given["tools"] = ToolListWrap(tools)

    def loop(self, server: Any) -> TurnLoop:
        """A trajectory's loop, to be made and run in the event loop.

        Args:
            server: Answers `await generate(request_id=..., prompt_ids=..., sampling_params=...)` as verl's client does
                (`LLMServerClient`, v0.9.1); each turn's most tokens are `sampling_params["max_tokens"]`.
        """
        return self._kind(server_manager=server, **self._given)
