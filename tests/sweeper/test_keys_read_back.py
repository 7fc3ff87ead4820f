"""What we set is what verl's objects hold: every key of every kind of run, read where verl's code reads it.

An override that composes says nothing: verl lists keys that no code reads, and overwrites others on the way.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import transfer_queue
import verl
from omegaconf import DictConfig, OmegaConf

import conf
from sweeper.grid.expand import expand, group_options
from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.plan.plan import spec_from
from sweeper.spec.model import WarmStart
from sweeper.spec.run import RunSpec
from sweeper.training.overrides import Files, verl_overrides
from sweeper.training.sft import FineTuning, SftShare, sft_overrides
from tests.sweeper import verl_objects

# By the beginning of a key: the object that holds what follows it. The longest counts.
HOLDERS = {
    "actor_rollout_ref.actor.": "actor_loss.",  # what the loss function is given
    "actor_rollout_ref.actor.fsdp_config.": "actor.engine_config.",
    "actor_rollout_ref.actor.optim.": "actor.optimizer_config.",
    "actor_rollout_ref.actor.checkpoint.": "actor.checkpoint_config.",
    "actor_rollout_ref.model.": "actor.model_config.",
    "actor_rollout_ref.ref.fsdp_config.": "ref.engine_config.",
    "actor_rollout_ref.rollout.": "rollout.",
    "critic.": "critic_loss.",
    "critic.fsdp.": "critic.engine_config.",
    "critic.optim.": "critic.optimizer_config.",
    "critic.model.": "critic.model_config.",
    "reward.custom_reward_function.reward_kwargs.": "reward.kwargs.",
    "": "config.",  # read as it is: data, trainer, algorithm, reward, transfer_queue, ray_kwargs
}
# Those that are read under another name, or elsewhere, than they are written.
ELSEWHERE = {
    # Of the worker's configuration an engine gets its own; the loss's copy of these is read by nobody.
    "actor_rollout_ref.actor.strategy": "actor.engine_config.strategy",
    "actor_rollout_ref.actor.use_dynamic_bsz": "actor.engine_config.use_dynamic_bsz",
    "actor_rollout_ref.actor.ppo_max_token_len_per_gpu": "actor.engine_config.max_token_len_per_gpu",
    "actor_rollout_ref.actor.ulysses_sequence_parallel_size": "actor.engine_config.ulysses_sequence_parallel_size",
    # Log-probabilities are the actor's to compute, whatever part of verl's configuration they are set in.
    "actor_rollout_ref.rollout.log_prob_max_token_len_per_gpu": "actor.engine_config.infer_max_token_len_per_gpu",
    "actor_rollout_ref.rollout.log_prob_use_dynamic_bsz": "actor.engine_config.use_dynamic_bsz",
    "actor_rollout_ref.ref.log_prob_max_token_len_per_gpu": "ref.engine_config.infer_max_token_len_per_gpu",
    "actor_rollout_ref.ref.log_prob_use_dynamic_bsz": "ref.engine_config.use_dynamic_bsz",
    "critic.strategy": "critic.engine_config.strategy",
    "critic.ppo_infer_max_token_len_per_gpu": "critic.engine_config.max_token_len_per_gpu",
    "data.train_batch_size": "trainer.train_dataloader.batch_size",
    "data.dataloader_num_workers": "trainer.train_dataloader.num_workers",
    "trainer.total_training_steps": "actor.optimizer_config.total_training_steps",
    "trainer.n_gpus_per_node": "pools.global_pool.0",
}
SFT_HOLDERS = {
    "model.": "worker.model_config.",
    "engine.": "worker.engine_config.",
    "optim.": "worker.optimizer_config.",
    "checkpoint.": "worker.checkpoint_config.",
    "": "config.",
}
SFT_ELSEWHERE = {
    "data.train_batch_size": "trainer.train_dataloader.batch_size",
    "data.num_workers": "trainer.train_dataloader.num_workers",
    "trainer.total_training_steps": "worker.optimizer_config.total_training_steps",
}
ON_CPUS = ("tiny", "smollm2")
FAMILIES = sorted(path.stem for path in (Path(conf.__path__[0]) / "model_family").glob("*.yaml"))
ALGORITHMS = ("ppo", "grpo", "reinforce_plus_plus")  # with each KL term, for all sizes of all families
OTHERS = ("dr_grpo", "dapo", "rloo", "gspo", "cispo", "scalerl", "reinforce_plus_plus_baseline")
# Where verl trains: FSDP, vLLM and what hands them their settings. Other engines read keys that ours do not.
OTHER_ENGINES = re.compile(
    r"trainer/config/|workers/config/(?!optimizer)|megatron|mcore|torchtitan|veomni|automodel|turbo|sglang|trtllm|npu|"
    r"/models/|_v0|ray_trainer|fully_async|separate_async|one_step"
)


@dataclass(frozen=True)
class Wrong:
    """A key whose value did not arrive."""

    key: str
    place: str
    said: Any
    held: Any


def where(key: str, holders: dict[str, str], elsewhere: dict[str, str]) -> str:
    prefix = max((one for one in holders if key.startswith(one)), key=len)
    return elsewhere.get(key, holders[prefix] + key.removeprefix(prefix))


ABSENT, MISSING = object(), object()


def at(objects: verl_objects.Objects, place: str) -> Any:
    """What is in a place: `ABSENT` where the run has no such part, `MISSING` where the part has no such place."""
    found: Any = objects
    for number, name in enumerate(place.split(".")):
        if isinstance(found, list | tuple):
            found = found[int(name)] if int(name) < len(found) else MISSING
        elif isinstance(found, dict | DictConfig):
            found = found.get(name, MISSING)
        else:
            found = getattr(found, name, MISSING)
        if number == 0 and found is None:
            return ABSENT
        if found is MISSING:
            return MISSING
    return found


def plain(value: Any) -> Any:
    value = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def not_held(
    overrides: Sequence[str], name: str, holders: dict[str, str], elsewhere: dict[str, str]
) -> tuple[list[Wrong], set[str]]:
    """The keys whose value did not arrive, and those whose part the run does not have."""
    config = verl_objects.composed(name, overrides)
    objects = verl_objects.of_sft(config) if holders is SFT_HOLDERS else verl_objects.of_rl(config)
    found, absent = [], set()
    for key in keys_of(overrides):
        place, said = where(key, holders, elsewhere), plain(OmegaConf.select(config, key))
        held = at(objects, place)
        if held is ABSENT:
            absent.add(key)
        elif plain(held) != said:
            found.append(Wrong(key, place, said, held))
    return found, absent


def keys_of(overrides: Iterable[str]) -> list[str]:
    keys = (item.partition("=")[0].lstrip("+") for item in overrides)
    return [key for key in keys if not key.startswith("hydra.") and key != "sweeper"]


@pytest.fixture(scope="module", autouse=True)
def session() -> Iterator[None]:
    with verl_objects.session():
        yield


@pytest.fixture(scope="module")
def files(tiny_model: Path) -> Files:
    some = Path("/run")
    return Files(
        model=tiny_model, train=some, val=some, checkpoints=some, validations=some, rewards=some, hydra=some,
        fork_socket=some,
    )  # fmt: skip


def overrides_of(run: RunSpec, files: Files) -> tuple[str, ...]:
    device = Device.cuda if run.cluster.device is Device.cuda else Device.cpu
    return verl_overrides(run, files, device)


def points(family: str, *words: str) -> list[RunSpec]:
    on = () if family in ON_CPUS else ("cluster=slurm",)
    found = []
    for point in expand((f"model_family={family}", *on, *words), multirun=None).points:
        try:
            found.append(spec_from(point.config))
        except ConfigError:  # a combination that the plan refuses
            continue
    return found


EVERY = (f"algorithm={','.join(ALGORITHMS)}", "algorithm.kl.in_loss=false,true", "algorithm.kl.in_reward=false,true")


@cache
def some_points() -> list[RunSpec]:
    """Each algorithm, three of them with each KL term and two with LoRA, for one size of a family of either device."""
    found = []
    for family, model in (("tiny", "tiny-40k"), ("qwen2.5", "qwen2.5-72b")):
        found += points(family, f"model={model}", *EVERY)
        found += points(family, f"model={model}", "algorithm=ppo,grpo", "algorithm.lora.rank=8")
        found += points(family, f"model={model}", f"algorithm={','.join(OTHERS)}")
    return found


def distinct(runs: Iterable[RunSpec], files: Files) -> dict[tuple[str, ...], RunSpec]:
    """By overrides, without what names a run: verl holds names as it is told them, which one run of each shows."""
    found: dict[tuple[str, ...], RunSpec] = {}
    for run in runs:
        shape = tuple(item for item in overrides_of(run, files) if not item.startswith("trainer.experiment_name="))
        found.setdefault(shape, run)
    return found


def test_a_configuration_that_overrides_are_put_into_is_the_one_that_hydra_composes(files: Files) -> None:
    for run in (points("tiny", "algorithm=ppo")[0], points("qwen2.5", "algorithm.lora.rank=8")[0]):
        overrides = overrides_of(run, files)
        composed = verl_objects.by_hydra("ppo_trainer", verl_objects.told(overrides))
        assert verl_objects.composed("ppo_trainer", overrides) == composed


def assert_held(runs: Iterable[RunSpec], files: Files) -> None:
    present: set[str] = set()
    every: set[str] = set()
    for run in distinct(runs, files).values():
        overrides = overrides_of(run, files)
        wrong, absent = not_held(overrides, "ppo_trainer", HOLDERS, ELSEWHERE)
        if run.algorithm.filter_groups:  # prompts are then drawn one by one, until a batch of them has signal
            size = run.training.train_batch_size
            wrong.remove(Wrong("data.train_batch_size", "trainer.train_dataloader.batch_size", size, 1))
        assert not wrong, f"{run.run_id}: verl does not compute with what we set: {wrong}"
        every |= set(keys_of(overrides))
        present |= set(keys_of(overrides)) - absent
    assert every == present, "keys of a part that none of these runs has"


def test_what_we_set_is_what_verls_objects_hold(files: Files) -> None:
    assert_held(some_points(), files)


@pytest.mark.nightly
@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in ON_CPUS])
def test_what_we_set_is_what_verls_objects_hold_in_every_run_on_gpus(family: str, files: Files) -> None:
    words = ("model=" + ",".join(models_of(family)), "cluster.gpu_type=A100,H100,H200", *EVERY)
    assert_held(points(family, *words, "algorithm.lora.rank=0,8"), files)


@pytest.mark.nightly
@pytest.mark.parametrize("family", ON_CPUS)
def test_what_we_set_is_what_verls_objects_hold_in_every_run_on_cpus(family: str, files: Files) -> None:
    words = ("model=" + ",".join(models_of(family)), *EVERY, "algorithm.lora.rank=0,8")
    assert_held(points(family, *words), files)


def models_of(family: str) -> list[str]:
    (point,) = expand((f"model_family={family}",), multirun=None).points
    return str(point.config["model_family"]["models"]).split(",")


def test_every_family_and_algorithm_is_one_of_these() -> None:
    assert set(group_options()["model_family"]) == set(FAMILIES) > set(ON_CPUS)
    assert set(group_options()["algorithm"]) == {*ALGORITHMS, *OTHERS}


# Of one process, and of GPUs that share rows.
SHARES = {
    Device.cpu: SftShare(processes=1, sequence_parallel=1, tokens=4321),
    Device.cuda: SftShare(processes=8, sequence_parallel=4, tokens=4321),
}


@pytest.mark.parametrize("device", [Device.cpu, Device.cuda])
def test_what_we_set_for_fine_tuning_is_what_verls_objects_hold(device: Device, files: Files, tmp_path: Path) -> None:
    settings = WarmStart(steps=7, batch_size=24, lr=0.0017, seed=5)
    wanted = FineTuning(model=files.model, data=Path("/run"), settings=settings, max_length=321, share=SHARES[device])
    overrides = sft_overrides(wanted, tmp_path, device)
    wrong, absent = not_held(overrides, "sft_trainer_engine", SFT_HOLDERS, SFT_ELSEWHERE)
    assert not wrong
    assert not absent


def test_the_critics_keys_that_verl_lists_and_does_not_read_are_found(files: Files) -> None:
    # As it was: composed, and verl trained a critic of 72B without sequence parallelism on 32,768 tokens at once.
    run = points("qwen2.5", "model=qwen2.5-72b", "algorithm=ppo")[0]
    left = [item for item in overrides_of(run, files) if "critic.ppo_infer" not in item and "critic.fsdp.u" not in item]
    as_it_was = [*left, "critic.ppo_max_token_len_per_gpu=6144", "critic.ulysses_sequence_parallel_size=8"]
    objects = verl_objects.of_rl(verl_objects.composed("ppo_trainer", as_it_was))
    engine = objects["critic"].engine_config
    assert (engine.max_token_len_per_gpu, engine.ulysses_sequence_parallel_size) == (32768, 1)
    for key in ("critic.ppo_max_token_len_per_gpu", "critic.ulysses_sequence_parallel_size"):
        assert not is_read(where(key, HOLDERS, ELSEWHERE))


def test_the_critic_of_72b_has_the_budget_and_the_sequence_parallelism_of_its_actor(files: Files) -> None:
    run = points("qwen2.5", "model=qwen2.5-72b", "algorithm=ppo")[0]
    objects = verl_objects.of_rl(verl_objects.composed("ppo_trainer", overrides_of(run, files)))
    actor, critic = objects["actor"].engine_config, objects["critic"].engine_config
    assert critic.ulysses_sequence_parallel_size == actor.ulysses_sequence_parallel_size == 8
    assert critic.max_token_len_per_gpu == critic.infer_max_token_len_per_gpu == actor.max_token_len_per_gpu == 6144


def test_the_reward_that_verl_loads_is_ours(files: Files) -> None:
    import rewards

    overrides = overrides_of(points("tiny")[0], files)
    assert verl_objects.of_rl(verl_objects.composed("ppo_trainer", overrides))["reward"].function is (
        rewards.compute_score
    )


@cache
def source(path: str) -> str:
    """The Python of verl and of its queue in the files whose path matches, of the engines that ours is one of."""
    folders = [Path(str(package.__path__[0])) for package in (verl, transfer_queue)]
    files = ((file, str(file.relative_to(folder.parent))) for folder in folders for file in folder.rglob("*.py"))
    return "\n".join(
        file.read_text() for file, name in files if re.search(path, name) and not OTHER_ENGINES.search(name)
    )


# By object: the files that read it, and what they call it. Elsewhere the same name is another object's.
READERS = {
    "": (r"", r""),
    "actor_loss.": (r"utils/losses|core_algos|v1/trainer_base", r"actor|actor_config|config"),
    "actor_loss.policy_loss.": (r"utils/losses", r"policy_loss"),
    "critic_loss.": (r"utils/losses|v1/trainer_base", r"critic|critic_cfg|config"),
    "config.trainer.": (r"trainer/", r"trainer"),
    "config.trainer.v1.": (r"", r""),
}


def is_read(place: str) -> bool:
    """Whether some line of verl reads the last name of a place from the object that it is a part of."""
    path, owner = READERS[max((one for one in READERS if place.startswith(one)), key=len)]
    name = re.escape(place.rpartition(".")[2])
    ways = rf"\.{name}\b(?!\s*=[^=])|\.(?:get|pop)\(\s*[\"']{name}[\"']|\[[\"']{name}[\"']\]|, [\"']{name}[\"']"
    return re.search(rf"\b(?:{owner})(?:{ways})" if owner else ways, source(path)) is not None


# Read by Ray, transformers, torch or our reward function, whole: no line of verl names them.
HANDED_ON = (
    "config.ray_kwargs.ray_init.",
    "actor.model_config.override_config.",
    "critic.model_config.override_config.",
)
HANDED_ON += ("worker.model_config.override_config.", "worker.optimizer_config.override_optimizer_config.")
HANDED_ON += ("reward.kwargs.",)


def test_every_place_is_read_by_some_line_of_verl(files: Files) -> None:
    every = {where(key, HOLDERS, ELSEWHERE) for run in some_points() for key in keys_of(overrides_of(run, files))}
    some = Path("/run")
    for device, share in SHARES.items():
        wanted = FineTuning(model=some, data=some, settings=WarmStart(steps=1), max_length=8, share=share)
        every |= {where(key, SFT_HOLDERS, SFT_ELSEWHERE) for key in keys_of(sft_overrides(wanted, some, device))}
    assert [place for place in sorted(every) if not place.startswith(HANDED_ON) and not is_read(place)] == []
