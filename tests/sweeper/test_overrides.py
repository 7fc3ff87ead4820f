import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString
from hypothesis import example, given
from hypothesis import strategies as st

from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.spec.agent import Agent
from sweeper.spec.dotted import render
from sweeper.spec.run import RunSpec
from sweeper.training.overrides import Files, verl_overrides
from tests.sweeper.points import spec

GOLDEN = Path(__file__).parent / "golden"
FILES = Files(
    model=Path("/run/model"),
    train=Path("/run/train.parquet"),
    val=Path("/run/val.parquet"),
    checkpoints=Path("/run/checkpoints"),
    validations=Path("/run/val"),
    rewards=Path("/results/rewards"),
    hydra=Path("/run/hydra"),
)
WHERE = {Device.cpu: (), Device.cuda: ("model_family=qwen2.5", "cluster=slurm")}


def overrides(run: RunSpec, device: Device = Device.cpu) -> dict[str, str]:
    items = verl_overrides(run, FILES, device)
    found = {key.lstrip("+"): value for key, _, value in (item.partition("=") for item in items)}
    assert len(found) == len(items), "a key is set twice"
    return found


@pytest.mark.parametrize("device", [Device.cpu, Device.cuda])
@pytest.mark.parametrize("algorithm", ["ppo", "grpo", "reinforce_plus_plus"])
def test_the_overrides_of_every_algorithm_are_the_reviewed_ones(
    algorithm: str, device: Device, update_golden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(48)))  # Ray is told of the job's cores
    run = spec(f"algorithm={algorithm}", *WHERE[device])
    text = "\n".join(verl_overrides(run, FILES, device)).replace(run.run_id, "RUN_ID") + "\n"
    path = GOLDEN / f"{algorithm}_{device}.txt"
    if update_golden:
        path.write_text(text)
    assert text == path.read_text(), "if the change is meant: pytest --update-golden, then review the diff"


AGENTS = {
    "calculator_cpu": (Device.cpu, "agent=calculator", "model.tool_format=hermes"),
    "calculator_cuda": (Device.cuda, "agent=calculator", "model.tool_format=hermes", *WHERE[Device.cuda]),
    "higher_lower_cpu": (Device.cpu, "agent=higher_lower"),
}


@pytest.mark.parametrize("name", AGENTS)
def test_the_overrides_of_an_agent_are_those_of_a_run_without_one_and_the_reviewed_ones(
    name: str, update_golden: bool
) -> None:
    device, *words = AGENTS[name]
    run = spec(*words)
    alone = replace(run, agent=Agent())
    files = replace(FILES, agent=Path("/run/attempts/1/agent"))
    plain = {item.partition("=")[0] for item in verl_overrides(alone, files, device)}
    before = set(verl_overrides(alone, files, device))
    more = [item for item in verl_overrides(run, files, device) if item not in before]
    more = [item for item in more if not item.startswith("trainer.experiment_name=")]
    text = "\n".join([*more, ""])
    path = GOLDEN / f"agent_{name}.txt"
    if update_golden:
        path.write_text(text)
    assert text == path.read_text(), "if the change is meant: pytest --update-golden, then review the diff"
    keys = {item.partition("=")[0] for item in verl_overrides(run, files, device)}
    assert plain <= keys


@pytest.mark.parametrize(
    "key", ["trainer.v1.sampler.custom_sampler.path=a.py", "trainer.v1.sampler.sync_refill_failed_groups=true"]
)
def test_what_would_take_the_place_of_an_agents_sampler_is_refused(key: str) -> None:
    run = spec("agent=calculator", "model.tool_format=hermes", f"+verl.{key}")
    with pytest.raises(ConfigError, match="an agent's run has a sampler of its own"):
        verl_overrides(run, FILES, Device.cpu)
    verl_overrides(spec(f"+verl.{key}"), FILES, Device.cpu)


REFILL = "+verl.trainer.v1.sampler.sync_refill_failed_groups=true"


def test_groups_are_refilled_on_cpu_too_for_verl_does_so_in_its_own_sampler_alone() -> None:
    with_ours = [item for item in verl_overrides(spec(), FILES, Device.cpu) if "custom_sampler" in item]
    assert len(with_ours) == 2
    assert not [item for item in verl_overrides(spec(REFILL), FILES, Device.cpu) if "custom_sampler" in item]


@pytest.mark.parametrize("overrides", [(), ("agent=calculator", "model_family=tiny-agent")])
def test_verls_trainer_makes_a_buffer_that_filters_where_the_algorithm_does(overrides: tuple[str, ...]) -> None:
    import verl
    from hydra import compose, initialize_config_dir
    from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync

    runs = {"plain": spec(*overrides), "filters": spec(*overrides, "algorithm=dapo")}
    made: dict[str, Any] = {}
    with initialize_config_dir(str(Path(verl.__path__[0]) / "trainer" / "config"), version_base=None):
        for name, run in runs.items():
            trainer = object.__new__(PPOTrainerSync)
            told = [item for item in verl_overrides(run, FILES, Device.cpu) if not item.startswith("hydra.")]
            trainer.config, trainer.trainer_mode = compose("ppo_trainer", overrides=told), "sync"
            made[name] = trainer._build_replay_buffer()
    assert type(made["plain"]) is type(made["filters"])
    assert made["plain"].filter_groups_metric is None
    filters = made["filters"]
    assert (filters.filter_groups_metric, filters.train_batch_size, filters.gen_batch_size) == ("reward", 16, 1)
    assert filters.refill_fn is not None


@pytest.mark.parametrize("device", [Device.cpu, Device.cuda])
def test_what_another_sampler_would_ignore_is_refused(device: Device) -> None:
    own = "+verl.trainer.v1.sampler.custom_sampler.path=a.py"
    with pytest.raises(ConfigError, match=r"sync_refill_failed_groups changes nothing beside verl\.trainer"):
        verl_overrides(spec(REFILL, own), FILES, device)
    for other in (own, REFILL, "+verl.trainer.v1.trainer_mode=colocate_async"):
        with pytest.raises(ConfigError, match=r"algorithm\.filter_groups=true needs our sampler"):
            verl_overrides(spec("algorithm=dapo", other), FILES, device)


_TEXT = st.text(st.characters(exclude_characters="$", exclude_categories=["Cs", "Cc"]))
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT
_KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda key: key not in ("null", "true", "false", "nan", "inf")
)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3))


@example("true")
@example("1e3")
@example("a\\'b\"c\\")
@example("pkg://rewards")
@given(_VALUES)
def test_a_rendered_value_is_read_back_by_hydra_as_it_was(value: Any) -> None:
    override = OverridesParser.create().parse_override(f"key={render(value)}")
    assert _kinds(_plain(override.value())) == _kinds(value)


def _plain(value: Any) -> Any:
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return value


def _kinds(value: Any) -> Any:
    """The value with its types, since 1 == 1.0 == True."""
    if isinstance(value, list):
        return [_kinds(item) for item in value]
    if isinstance(value, dict):
        return {key: _kinds(item) for key, item in value.items()}
    return type(value).__name__, value


def test_a_default_that_the_user_replaces_gives_way() -> None:
    run = spec("+verl.actor_rollout_ref.actor.use_dynamic_bsz=false")
    assert overrides(spec())["actor_rollout_ref.actor.use_dynamic_bsz"] == "true"
    assert overrides(run)["actor_rollout_ref.actor.use_dynamic_bsz"] == "false"


def test_a_gradient_is_clipped_where_verl_looks() -> None:
    found = overrides(spec("algorithm=ppo", "training.grad_clip=0.5"))
    assert {key: value for key, value in found.items() if "clip_grad" in key} == {
        "actor_rollout_ref.actor.optim.clip_grad": "0.5",
        "critic.optim.clip_grad": "0.5",
    }


def test_a_key_only_the_user_sets_comes_last() -> None:
    run = spec("+verl.trainer.balance_batch=false")
    assert verl_overrides(run, FILES, Device.cpu)[-1] == "trainer.balance_batch=false"


def test_a_nested_user_value_sets_only_its_leaves() -> None:
    run = spec("+verl.actor_rollout_ref.actor.optim={betas: [0.9, 0.95]}")
    found = overrides(run)
    assert found["actor_rollout_ref.actor.optim.betas"] == "[0.9,0.95]"
    assert "actor_rollout_ref.actor.optim.lr" in found


def test_lora_sets_rank_alpha_and_modules_and_merges_for_the_rollout() -> None:
    found = overrides(
        spec("algorithm.lora.rank=8", "algorithm.lora.alpha=16", "algorithm.lora.target_modules=[q_proj]")
    )
    lora = {key.removeprefix("actor_rollout_ref.model."): value for key, value in found.items() if "lora" in key}
    assert lora == {"lora_rank": "8", "lora_alpha": "16", "lora.merge": "true"}
    assert found["actor_rollout_ref.model.target_modules"] == "[q_proj]"


def test_without_lora_no_adapter_key_is_set() -> None:
    assert not [key for key in overrides(spec()) if "lora" in key]


def test_kl_in_the_loss_and_kl_in_the_reward_are_separate_switches() -> None:
    in_loss = overrides(spec("algorithm.kl.in_loss=true", "algorithm.kl.loss_coef=0.02"))
    in_reward = overrides(spec("algorithm.kl.in_reward=true", "algorithm.kl.reward_coef=0.03"))
    switches = ("actor_rollout_ref.actor.use_kl_loss", "algorithm.use_kl_in_reward")
    assert [in_loss[key] for key in switches] == ["true", "false"]
    assert [in_reward[key] for key in switches] == ["false", "true"]
    assert in_loss["actor_rollout_ref.actor.kl_loss_coef"] == "0.02"
    assert in_reward["algorithm.kl_ctrl.kl_coef"] == "0.03"


@pytest.mark.parametrize(("algorithm", "has_critic"), [("ppo", True), ("grpo", False), ("reinforce_plus_plus", False)])
@pytest.mark.parametrize("device", [Device.cpu, Device.cuda])
def test_only_an_algorithm_with_a_critic_configures_one(algorithm: str, has_critic: bool, device: Device) -> None:
    found = overrides(spec(f"algorithm={algorithm}", *WHERE[device]), device)
    assert any(key.startswith("critic.") for key in found) == has_critic


def test_a_step_size_set_for_the_regime_wins_over_the_models_own() -> None:
    assert overrides(spec("model.actor_lr=0.005"))["actor_rollout_ref.actor.optim.lr"] == "0.005"
    assert overrides(spec("training.actor_lr=0.004"))["actor_rollout_ref.actor.optim.lr"] == "0.004"
    assert spec("training.actor_lr=0.004").run_id == spec("model.actor_lr=0.004").run_id


def test_the_seed_reaches_data_rollout_and_actor() -> None:
    found = overrides(spec("seed=7", "algorithm=ppo"))
    seeded = {key for key, value in found.items() if key.endswith("seed") and value == "7"}
    assert seeded >= {
        "data.seed",
        "actor_rollout_ref.rollout.seed",
        "actor_rollout_ref.actor.fsdp_config.seed",
        "critic.fsdp.seed",
    }


def test_wandb_is_a_logger_only_when_asked_for() -> None:
    assert overrides(spec())["trainer.logger"] == "[console,file]"
    assert overrides(spec("logging.wandb=true"))["trainer.logger"] == "[console,file,wandb]"


def test_workers_are_forked_only_where_there_is_a_fork_server() -> None:
    key = "ray_kwargs.ray_init.runtime_env.py_executable"
    assert key not in overrides(spec())
    assert [item for item in spec_with_forks() if item.startswith(f"++{key}=")]


def spec_with_forks() -> tuple[str, ...]:
    import dataclasses

    return verl_overrides(spec(), dataclasses.replace(FILES, fork_socket=Path("/run/fork")), Device.cpu)


def test_a_run_on_gpus_has_a_ray_of_its_own_like_one_on_cpus() -> None:
    ray = "ray_kwargs.ray_init."
    for device, gpus in ((Device.cpu, "1"), (Device.cuda, "4")):
        found = overrides(spec(*WHERE[device]), device)
        assert found[f"{ray}address"] == "local"  # whatever RAY_ADDRESS says
        assert found[f"{ray}include_dashboard"] == "false"  # it has a port of its own choice, the same for all
        assert found[f"{ray}num_gpus"] == gpus
        assert int(found[f"{ray}num_cpus"]) >= 6
        over_nodes = overrides(spec(*WHERE[device], "model.resources.nodes=2"), device)
        assert not [key for key in over_nodes if key.startswith(ray) and "runtime_env" not in key]


def test_a_small_model_decodes_all_its_sequences_from_cuda_graphs() -> None:
    key = "actor_rollout_ref.rollout.cudagraph_capture_sizes"

    def sizes(*asked: str) -> list[int]:
        found = overrides(spec(*asked, *WHERE[Device.cuda]), Device.cuda).get(key, "[]")
        return [int(size) for size in found.strip("[]").split(",") if size]

    small = sizes("model=qwen2.5-3b")
    assert small == sorted(set(small))
    assert (small[0], small[-1]) == (1, 1024)
    assert max(after / before for before, after in pairwise(small)) <= 2
    assert sizes("model=qwen2.5-3b", "model.resources.max_num_seqs=700")[-2:] == [640, 700]
    assert sizes("model=qwen2.5-3b", "model.resources.max_num_seqs=512") == []  # vLLM's own
    assert sizes("model=qwen2.5-7b") == []
