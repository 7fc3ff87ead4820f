"""The estimate against configurations that ran, and against arithmetic done by hand."""

import json
from dataclasses import replace

import pytest

from sweeper.plan.fit import misfit
from sweeper.plan.gpu import GIB, GPUS
from sweeper.plan.memory import LOGITS_WITH_ENTROPY, Memory, Peak, memory_of
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec

# What ran, from the scripts of arXiv:2509.25300 and of Reasoning360 (arXiv:2506.14965): GPU, model, nodes, GPUs a node,
# TP, SP, token budgets of update and log-prob, utilisation, offload, lengths, batch, mini-batch, responses a prompt.
# The first name no GPU, so the smallest is assumed; the second ran on H200, with a utilisation that they do not state.
RAN = {
    "0.5b": ("A100", "0.5b", 1, 4, 1, 1, 73728, 86016, 0.65, False, 2048, 4096, 512, 128, 8),
    "1.5b": ("A100", "1.5b", 1, 4, 1, 1, 73728, 86016, 0.65, False, 2048, 4096, 512, 128, 8),
    "3b": ("A100", "3b", 1, 4, 1, 1, 49152, 61440, 0.60, False, 2048, 4096, 512, 128, 8),
    "7b": ("A100", "7b", 1, 4, 1, 1, 36864, 36864, 0.65, False, 2048, 4096, 512, 128, 8),
    "7b on eight": ("A100", "7b", 1, 8, 2, 1, 24576, 36864, 0.70, False, 2048, 4096, 512, 128, 8),
    "14b": ("A100", "14b", 1, 8, 1, 1, 49152, 61440, 0.65, False, 2048, 4096, 512, 128, 8),
    "32b": ("A100", "32b", 2, 8, 8, 8, 6144, 6144, 0.80, True, 2048, 4096, 32, 8, 8),
    "72b": ("A100", "72b", 4, 8, 8, 8, 6144, 6144, 0.70, True, 1024, 2048, 256, 128, 8),
    "guru 7b": ("H200", "7b", 4, 8, 1, 1, 36864, 30720, 0.60, True, 4096, 8192, 512, 64, 16),
    "guru 32b": ("H200", "32b", 16, 8, 4, 8, 36864, 30720, 0.60, True, 4096, 8192, 512, 64, 16),
}
SET = (
    "nodes",
    "gpus_per_node",
    "tensor_parallel",
    "sequence_parallel",
    "actor_tokens_per_gpu",
    "log_prob_tokens_per_gpu",
    "gpu_memory_utilization",
    "offload",
)


def on(gpu_type: str, model: str, *overrides: str, **resources: float) -> RunSpec:
    """A model with the resources that it was published with, some of them changed, on a GPU type."""
    run = spec("model_family=qwen2.5", "cluster=slurm", f"model=qwen2.5-{model}", *overrides)
    published = dict(zip(SET, RAN[model][2:], strict=False))
    changed = replace(run.model, resources=replace(run.model.resources, **{**published, **resources}))
    return replace(run, model=changed, cluster=replace(run.cluster, gpu_type=gpu_type))


def memory(run: RunSpec) -> Memory:
    found = memory_of(run)
    assert found is not None
    return found


def phase(run: RunSpec, name: str) -> Peak:
    return next(peak for peak in memory(run).peaks if peak.phase == name)


def cooler(run: RunSpec) -> RunSpec:
    return replace(run, training=replace(run.training, temperature=0.6))


@pytest.mark.parametrize("name", RAN)
def test_published_configurations_that_ran_fit(name: str) -> None:
    gpu, model, nodes, gpus, tp, sp, update, log_prob, share, offload, prompt, response, batch, mini, n = RAN[name]
    run = on(
        gpu,
        model,
        nodes=nodes,
        gpus_per_node=gpus,
        tensor_parallel=tp,
        sequence_parallel=sp,
        actor_tokens_per_gpu=update,
        log_prob_tokens_per_gpu=log_prob,
        gpu_memory_utilization=share,
        offload=offload,
    )
    kl = replace(run.algorithm.kl, in_loss=True)
    run = replace(
        run,
        algorithm=replace(run.algorithm, kl=kl, rollout_n=n),
        training=replace(
            run.training,
            max_prompt_length=prompt,
            max_response_length=response,
            train_batch_size=batch,
            ppo_mini_batch_size=mini,
        ),
    )
    assert misfit(run) is None, memory(run)


def test_72b_on_eight_gpus_of_80_gb_does_not_fit_and_more_nodes_are_the_cure() -> None:
    run = on("H100", "72b", nodes=1, offload=False)
    reason = misfit(run)
    assert reason is not None
    assert "qwen2.5-72b does not fit: phase actor needs an estimated" in reason
    assert "model.resources.nodes=" in reason


def test_sharded_states_take_16_bytes_a_parameter_over_all_gpus() -> None:
    run = on("A100", "7b")
    actor = phase(run, "actor")
    states = sum(actor.parts[name] for name in ("weights", "gradients", "moments"))
    assert states == pytest.approx(16 * run.model.architecture.n_params / 4)


def test_logits_take_two_bytes_a_token_and_vocabulary_entry() -> None:
    run = on("A100", "0.5b")
    log_prob = memory(run).peaks[1]
    assert log_prob.parts["logits"] == 86016 * 151936 * 2


@pytest.mark.parametrize("name", ["log_prob", "reference", "actor"])
def test_another_temperature_than_one_takes_a_second_copy_of_the_logits(name: str) -> None:
    run = on("A100", "0.5b", "algorithm.kl.in_loss=true")
    assert phase(run, name).parts["logits"] > 0
    assert phase(cooler(run), name).parts["logits"] == 2 * phase(run, name).parts["logits"]


def test_the_entropys_copies_hold_what_a_temperature_adds() -> None:
    run = on("A100", "0.5b", "algorithm.entropy_coeff=0.001")
    assert phase(run, "actor").parts["logits"] == LOGITS_WITH_ENTROPY * 73728 * 151936 * 2
    assert phase(cooler(run), "actor").parts["logits"] == phase(run, "actor").parts["logits"]


def test_a_critic_has_no_logits_to_scale() -> None:
    run = on("H200", "7b", "algorithm=ppo")
    assert phase(cooler(run), "critic") == phase(run, "critic")


def test_adapters_are_merged_in_shards_that_come_back_to_the_gpu() -> None:
    plain, adapted = on("H100", "72b"), on("H100", "72b", "algorithm.lora.rank=32")
    assert phase(plain, "hand_over").parts["trainer"] == 0  # streamed from host memory, a matrix at a time
    assert phase(adapted, "hand_over").parts["trainer"] > 4 * plain.model.architecture.n_params / 32
    embedding = plain.model.architecture.n_params_embedding
    assert phase(plain, "hand_over").parts["gathered"] == 4 * embedding
    assert phase(adapted, "hand_over").parts["gathered"] == 6 * embedding


def test_a_micro_batch_is_no_larger_than_what_a_gpu_is_given() -> None:
    run = on("A100", "0.5b")
    small = replace(run, training=replace(run.training, train_batch_size=4, ppo_mini_batch_size=4))
    assert memory(small).peaks[1].parts["logits"] == 4 * 8 * 6144 / 4 * 151936 * 2


def test_the_kv_cache_takes_what_the_engines_share_leaves() -> None:
    run = on("H100", "14b")
    found = memory(run)
    per_token = 2 * 2 * 48 * 8 * 128  # bytes: keys and values, bfloat16, layers x KV heads x width of a head
    rollout = found.peaks[0].parts
    share = rollout["weights"] + rollout["workspace"] + rollout["KV cache"]
    assert share == pytest.approx(0.65 * GPUS["H100"].memory)
    assert found.kv_tokens == pytest.approx(rollout["KV cache"] / per_token, rel=1e-4)


def test_an_engine_whose_share_does_not_hold_its_weights_is_told_to_spread_or_take_more() -> None:
    reason = misfit(on("A100", "32b", tensor_parallel=1))
    assert reason is not None
    assert "gpu_memory_utilization=0.8 gives it 63 GiB" in reason
    assert reason.endswith("set model.resources.gpu_memory_utilization=0.85")


def test_offloading_takes_the_trainer_off_the_gpu_during_the_rollout() -> None:
    kept, moved = (memory(on("A100", "7b", offload=offload)) for offload in (False, True))
    assert kept.peaks[0].parts["trainer"] == pytest.approx(12 * on("A100", "7b").model.architecture.n_params / 4)
    assert moved.peaks[0].parts["trainer"] == 0


def test_a_critic_adds_its_states_and_a_phase() -> None:
    grpo, ppo = memory(on("H200", "7b")), memory(on("H200", "7b", "algorithm=ppo"))
    assert [peak.phase for peak in grpo.peaks] == ["rollout", "log_prob", "actor", "hand_over"]
    assert [peak.phase for peak in ppo.peaks] == ["rollout", "log_prob", "critic", "actor", "hand_over"]
    assert ppo.peaks[-2].total > grpo.peaks[-2].total + 10 * GIB
    assert "logits" not in ppo.peaks[2].parts or ppo.peaks[2].parts["logits"] == 0


def test_adapters_need_no_gradients_and_moments_of_the_frozen_weights() -> None:
    run = on("A100", "7b", "algorithm.lora.rank=32")
    parts = phase(run, "actor").parts
    width = 28 * (2 * (3584 + 3584) + 2 * (3584 + 512) + 3 * (3584 + 18944))
    assert parts["moments"] == pytest.approx(8 * 32 * width / 4)
    assert parts["weights"] > 4 * run.model.architecture.n_params / 4


@pytest.mark.parametrize(
    ("model", "overrides", "resources"),
    [
        ("7b", ["algorithm=ppo"], {}),
        ("14b", ["algorithm=ppo"], {}),
        ("14b", [], {"gpus_per_node": 4}),
        ("7b", [], {"actor_tokens_per_gpu": 98304}),
        ("7b", [], {"log_prob_tokens_per_gpu": 262144}),
        ("7b", [], {"gradient_checkpointing": False}),
        ("32b", [], {"tensor_parallel": 1, "nodes": 1}),
    ],
)
def test_the_setting_it_says_to_change_makes_it_fit(
    model: str, overrides: list[str], resources: dict[str, float]
) -> None:
    reason = misfit(on("H100", model, *overrides, **resources))
    assert reason is not None
    words = [word.removeprefix("model.resources.").split("=") for word in reason.rpartition("; set ")[2].split()]
    cure = {key: json.loads(value) for key, value in words}
    assert misfit(on("H100", model, *overrides, **(resources | cure))) is None


def test_nothing_is_said_without_a_known_gpu() -> None:
    assert memory_of(spec()) is None
    assert memory_of(on("B300", "7b")) is None
    run = on("H100", "72b", nodes=1)
    assert misfit(replace(run, cluster=replace(run.cluster, gpu_type=None))) is None
