"""The roofline against arithmetic, and its correction by measured runs."""

from dataclasses import replace

import pytest

from sweeper.plan.gpu import GPUS
from sweeper.plan.rates import (
    DECODE_SECONDS,
    HAND_OVER,
    MEAN_LENGTH,
    OFFLOAD,
    START_SECONDS,
    STEP_SECONDS,
    TRAINING_SHARE,
    TRAINING_SHARE_ACROSS,
)
from sweeper.plan.throughput import Calibrator, Lengths, roofline
from sweeper.rows.flops import planned_flops
from sweeper.spec.run import RunSpec
from sweeper.training.checkpoint import BANDWIDTH
from tests.sweeper.points import spec

GPU = ("model_family=qwen2.5", "cluster=slurm")


def seconds(run: RunSpec, lengths: Lengths | None = None) -> dict[str, float]:
    found = roofline(run, lengths)
    assert found is not None
    return found


def longest(run: RunSpec) -> Lengths:
    return Lengths.expected(run, 1.0)


def whole(run: RunSpec) -> float:
    return sum(seconds(run).values())


def test_passes_over_packed_sequences_take_their_flops_at_the_stated_share_of_peak() -> None:
    run = spec(*GPU, "model=qwen2.5-7b")
    flops = planned_flops(run).log_prob
    assert flops is not None
    gpus = run.model.resources.gpus_per_node
    at_peak = flops / gpus / GPUS["H100"].flops
    assert seconds(run, longest(run))["log_prob"] == pytest.approx(at_peak / TRAINING_SHARE)


def test_several_nodes_train_at_a_smaller_share() -> None:
    one, two = (spec(*GPU, "model=qwen2.5-7b", f"model.resources.nodes={nodes}") for nodes in (1, 2))
    share = TRAINING_SHARE / TRAINING_SHARE_ACROSS
    assert seconds(two)["actor"] == pytest.approx(seconds(one)["actor"] / 2 * share)


def test_a_plan_takes_prompts_and_answers_at_a_share_of_the_longest() -> None:
    run = spec(*GPU, "model=qwen2.5-7b")
    training = run.training
    expected = Lengths(prompt=MEAN_LENGTH * training.max_prompt_length, response=MEAN_LENGTH * 4096)
    assert seconds(run) == seconds(run, expected)
    assert seconds(run)["actor"] < seconds(run, longest(run))["actor"]


def test_a_step_lasts_as_long_as_its_longest_answer() -> None:
    run = spec(*GPU, "model=qwen2.5-7b")
    short = Lengths(prompt=100, response=10)
    weights = 2 * (run.model.architecture.n_params_non_embedding + run.model.architecture.n_params_head)
    one_token = DECODE_SECONDS + weights / (GPUS["H100"].bandwidth * 0.6)
    assert seconds(run, short)["generation"] > run.total_steps * 4096 * one_token
    # Which more GPUs do not shorten.
    wide = replace(run, model=replace(run.model, resources=replace(run.model.resources, nodes=8)))
    assert seconds(wide, short)["generation"] > 0.9 * seconds(run, short)["generation"]


def test_weights_on_their_way_take_time_by_their_size_and_offloading_more() -> None:
    run = spec(*GPU, "model=qwen2.5-72b")
    n, steps = run.model.architecture.n_params, run.total_steps
    kept = replace(run, model=replace(run.model, resources=replace(run.model.resources, offload=False)))
    assert seconds(kept)["between"] == pytest.approx(steps * (STEP_SECONDS + 4 * n / HAND_OVER))
    assert seconds(run)["between"] == pytest.approx(seconds(kept)["between"] + steps * 36 * n / 32 / OFFLOAD)


def test_saving_takes_the_bytes_of_its_checkpoints_at_the_assumed_bandwidth() -> None:
    run = spec(*GPU, "model=qwen2.5-7b", "cluster.max_loss_minutes=null")
    n = run.model.architecture.n_params
    assert run.total_steps // run.training.save_freq == 10
    assert seconds(run)["saving"] == pytest.approx(10 * 16 * n / BANDWIDTH)


def test_a_start_takes_time_by_the_models_that_are_read() -> None:
    run, anchored = spec(*GPU, "model=qwen2.5-72b"), spec(*GPU, "model=qwen2.5-72b", "algorithm.kl.in_loss=true")
    read = 2 * run.model.architecture.n_params / 1e9
    assert seconds(run)["start"] == pytest.approx(START_SECONDS + read)
    assert seconds(anchored)["start"] == pytest.approx(START_SECONDS + 2 * read)


def test_decoding_one_sequence_reads_every_weight_once_a_token() -> None:
    run = spec(*GPU, "model=qwen2.5-7b", "training.train_batch_size=8", "training.ppo_mini_batch_size=8")
    run = replace(run, algorithm=replace(run.algorithm, rollout_n=1))  # one sequence on each of eight engines
    arch = run.model.architecture
    weights = 2 * (arch.n_params_non_embedding + arch.n_params_head)
    least = run.total_steps * 4096 * weights / GPUS["H100"].bandwidth
    assert least < seconds(run)["generation"] < 3 * least


def test_more_bandwidth_speeds_up_generation_and_nothing_else() -> None:
    slow, fast = (seconds(spec(*GPU, "model=qwen2.5-14b", f"cluster.gpu_type={kind}")) for kind in ("H100", "H200"))
    assert fast["generation"] < slow["generation"]
    assert fast["actor"] == slow["actor"]


def test_a_reference_and_a_critic_take_time_where_they_are_used() -> None:
    assert seconds(spec(*GPU))["reference"] == seconds(spec(*GPU))["critic"] == 0
    assert seconds(spec(*GPU, "algorithm.kl.in_loss=true"))["reference"] > 0
    assert seconds(spec(*GPU, "algorithm=ppo"))["critic"] > 0


def test_a_gpu_of_unknown_type_has_no_roofline() -> None:
    assert roofline(spec(*GPU, "cluster.gpu_type=B300")) is None
    assert roofline(spec(*GPU, "cluster.gpu_type=null")) is None


def test_a_measured_run_of_the_same_model_corrects_longer_runs_of_it() -> None:
    run = spec(*GPU, "model=qwen2.5-7b")
    found = Calibrator([(run, 2 * whole(run))]).of_run(replace(run, training=replace(run.training, total_steps=500)))
    assert found is not None
    assert found.factor == pytest.approx(2)
    assert found.error is None  # one run cannot be predicted from others
    assert found.basis == "1 measured run of this model on H100"


def test_the_error_is_that_of_each_measured_run_predicted_from_the_others() -> None:
    run = spec(*GPU, "model=qwen2.5-7b")
    found = Calibrator([(run, factor * whole(run)) for factor in (1.0, 1.0, 2.0)]).of_run(run)
    assert found is not None
    assert found.factor == pytest.approx(1)
    # 1 from (1, 2): 1.5, off by half; the same again; 2 from (1, 1): off by half.
    assert found.error == pytest.approx(0.5)


def test_a_model_that_was_not_measured_is_corrected_by_the_one_nearest_in_size() -> None:
    small, large = spec(*GPU, "model=qwen2.5-0.5b"), spec(*GPU, "model=qwen2.5-14b")
    found = Calibrator([(small, 3 * whole(small)), (large, 2 * whole(large))]).of_run(spec(*GPU, "model=qwen2.5-7b"))
    assert found is not None
    assert found.factor == pytest.approx(2)
    assert found.basis == "measured runs of qwen2.5-14b on H100"
    assert found.error == pytest.approx(((3 / 2 - 1) + abs(2 / 3 - 1)) / 2)


def test_runs_on_another_kind_of_device_say_nothing() -> None:
    run = spec(*GPU, "model=qwen2.5-7b")
    assert Calibrator([(run, 100.0)]).of_run(spec(*GPU, "model=qwen2.5-7b", "cluster.gpu_type=A100")) is None
    assert Calibrator([(run, 100.0)]).of_run(spec()) is None


def test_all_nodes_of_a_run_evaluate() -> None:
    large = ("eval.problems_per_domain=1000", "training.max_response_length=4096", "model=qwen2.5-72b")

    def evaluation(nodes: int) -> float:
        phases = roofline(spec(*GPU, *large, "cluster.gpu_type=H100", f"model.resources.nodes={nodes}"))
        assert phases is not None
        return phases["evaluation"]

    assert evaluation(4) < 0.6 * evaluation(2)
