"""verl's YAML files of an agent, read by verl's own readers."""

from pathlib import Path
from typing import Any

import yaml

from sweeper.agent.files import write
from sweeper.spec.agent import Agent
from tests.sweeper.played import Script, call, shown, tokenizer


def test_verl_makes_the_tools_and_the_loop_that_the_files_name(tmp_path: Path, capsys: Any) -> None:
    import asyncio

    import hydra
    from omegaconf import OmegaConf
    from verl.experimental.agent_loop.agent_loop import DictConfigWrap, ToolListWrap
    from verl.tools.tool_registry import load_all_tools

    agent = Agent(name="costs ${3}", tools=("calculator",), max_turns=3, max_calls=1)
    found = write(agent, tmp_path / "agent")
    assert (found.loop, found.tools) == ("tools", tmp_path / "agent" / "tools.yaml")
    tools = load_all_tools(str(found.tools), None)
    assert capsys.readouterr().out == ""  # verl's own tools print their schemas in every process
    [loop_config] = OmegaConf.load(found.loops)
    turns = {"max_assistant_turns": 3, "format": "hermes"}
    rollout = {"prompt_length": 64, "response_length": 120, "full_determinism": False, "multi_turn": turns}
    config = OmegaConf.create({"actor_rollout_ref": {"rollout": rollout}, "data": {}})
    made = tokenizer()
    server = Script(made, [call("47*83"), call("1+1"), "3901"])

    async def one() -> Any:
        loop = hydra.utils.instantiate(
            config=loop_config,
            trainer_config=DictConfigWrap(config),
            server_manager=server,
            tokenizer=made,
            processor=None,
            hf_model_type="qwen2",
            dataset_cls=None,
            data_config=DictConfigWrap(config.data),
            tools=ToolListWrap(tools),
        )
        assert loop.agent == agent
        return await loop.run({}, raw_prompt=[{"role": "user", "content": "47*83=?"}])

    output = asyncio.run(one())
    assert [text for text, drawn in shown(output, made) if not drawn] == [
        "\n<|tool|>3901<|assistant|>", "\n<|tool|>no calls left<|assistant|>",
    ]  # fmt: skip


def test_an_environment_has_a_loop_and_no_tools(tmp_path: Path) -> None:
    found = write(Agent(environment="higher_lower", max_turns=3), tmp_path, own=Path("/results/agents"))
    assert (found.loop, found.tools) == ("environment", None)
    [loop] = yaml.safe_load(found.loops.read_text())
    assert (loop["_target_"], loop["own"]) == ("sweeper.agent.environment.EnvironmentLoop", "/results/agents")
    assert not (tmp_path / "tools.yaml").exists()
