from dataclasses import replace

import pytest

from sweeper.host.errors import ConfigError
from sweeper.rows.failure_class import FailureClass
from sweeper.runs.adjustment import applied, differing
from sweeper.runs.retry_changes import Case, Decision, decide, gpu_hours_limit
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec

QWEN = ("model_family=qwen2.5", "cluster=slurm", "model=qwen2.5-7b")


def case(
    failure_class: FailureClass,
    *,
    run: RunSpec | None = None,
    evidence: str = "CUDA out of memory",
    phase: str | None = "train",
    nodes: tuple[str, ...] = (),
    failures: int = 1,
    gpu_hours: float = 0.0,
    asked: bool = False,
) -> Case:
    return Case(
        spec=run or spec(*QWEN),
        failure_class=failure_class,
        evidence=evidence,
        phase=phase,
        nodes=nodes,
        failures=failures,
        gpu_hours=gpu_hours,
        asked=asked,
    )


def climb(failure_class: FailureClass, run: RunSpec, evidence: str = "") -> tuple[list[dict[str, object]], Decision]:
    """Every rung in turn, and what is said at the end."""
    rungs: list[dict[str, object]] = []
    for _ in range(20):
        decision = decide(case(failure_class, run=run, evidence=evidence))
        if not decision.changes:
            return rungs, decision
        rungs.append(dict(decision.changes))
        run = applied(run, decision.changes)
    raise AssertionError("no end")


def test_a_gpu_out_of_memory_in_training_climbs_to_the_longest_sequence_and_then_offloads() -> None:
    run = spec(*QWEN)
    rungs, end = climb(FailureClass.cuda_oom, run)
    tokens = [
        rung["model.resources.actor_tokens_per_gpu"] for rung in rungs if "model.resources.actor_tokens_per_gpu" in rung
    ]
    longest = run.training.max_prompt_length + run.training.max_response_length
    assert tokens == sorted(tokens, reverse=True)  # type: ignore[type-var]
    assert tokens[-1] == longest
    assert {"model.resources.offload": True} in rungs
    assert rungs[-1] == {"model.resources.gpu_memory_utilization": 0.3}
    assert not end.retry
    assert "that is a new point" in end.words


def test_sequence_parallel_ranks_share_the_longest_sequence() -> None:
    run = spec(*QWEN)
    run = replace(run, model=replace(run.model, resources=replace(run.model.resources, sequence_parallel=4)))
    rungs, _ = climb(FailureClass.cuda_oom, run)
    assert min(int(str(rung.get("model.resources.actor_tokens_per_gpu", 10**9))) for rung in rungs) == 6144 // 4


@pytest.mark.parametrize(
    ("evidence", "share"),
    [
        ("ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`", 0.7),
        ("ValueError: Free memory on device cuda:0 (19.77/22.05 GiB) on startup is less than desired", 0.5),
        ("CUDA Error: out of memory at /workspace/csrc/cumem_allocator.cpp:62", 0.5),
    ],
)
def test_vllm_gets_more_memory_if_it_lacks_some_and_less_if_the_gpu_does(evidence: str, share: float) -> None:
    run = spec(*QWEN)
    run = replace(run, model=replace(run.model, resources=replace(run.model.resources, gpu_memory_utilization=0.6)))
    decision = decide(case(FailureClass.vllm_oom, run=run, evidence=evidence))
    assert decision.changes == {"model.resources.gpu_memory_utilization": share}


def test_host_memory_is_raised_where_it_was_stated() -> None:
    run = spec(*QWEN, "cluster.memory_gb_per_gpu=100")
    rungs = decide(case(FailureClass.host_oom, run=run))
    assert rungs.changes == {"cluster.memory_gb_per_gpu": 150}


def test_the_one_node_of_a_job_is_excluded_and_of_several_the_one_that_is_named() -> None:
    one = decide(case(FailureClass.node, nodes=("n3",), evidence="uncorrectable ECC error"))
    assert one.changes == {"cluster.exclude": ["n3"]}
    named = decide(case(FailureClass.node, nodes=("n3", "n4"), evidence="NODE_FAIL on n4"))
    assert named.changes == {"cluster.exclude": ["n4"]}
    assert decide(case(FailureClass.node, nodes=("n3", "n4"), evidence="NCCL error")).changes == {}


@pytest.mark.parametrize(
    "failure_class", [FailureClass.config, FailureClass.data, FailureClass.reward, FailureClass.other_weights]
)
def test_what_needs_a_fix_is_tried_again_only_when_asked_for(failure_class: FailureClass) -> None:
    refused = decide(case(failure_class))
    assert not refused.retry
    assert f"retry --class {failure_class}" in refused.words
    assert decide(case(failure_class, asked=True)).retry


def test_a_run_is_not_tried_again_without_end() -> None:
    run = spec(*QWEN)
    assert decide(case(FailureClass.unknown, failures=run.cluster.max_failures - 1)).retry
    assert not decide(case(FailureClass.unknown, failures=run.cluster.max_failures)).retry
    assert "GPU-hours" in decide(case(FailureClass.unknown, gpu_hours=gpu_hours_limit(run))).words
    capped = spec(*QWEN, "cluster.max_failed_gpu_hours=2")
    assert not decide(case(FailureClass.unknown, run=capped, gpu_hours=2.5)).retry
    assert decide(case(FailureClass.unknown, run=capped, gpu_hours=1.5)).retry


@pytest.mark.parametrize("failure_class", [FailureClass.timeout, FailureClass.preempted, FailureClass.cancelled])
def test_what_slurm_or_a_person_ended_goes_on_as_it_was(failure_class: FailureClass) -> None:
    decision = decide(case(failure_class, failures=0))
    assert decision.retry
    assert decision.changes == {}


def test_an_adjustment_never_changes_the_mathematics() -> None:
    run = spec()
    changed = applied(run, {"model.resources.offload": True, "cluster.exclude": ["n1"], "training.save_freq": 3})
    assert changed.run_id == run.run_id
    assert changed.model.resources.offload
    assert changed.cluster.exclude == ("n1",)
    with pytest.raises(ConfigError, match="that is a new point"):
        applied(run, {"training.max_response_length": 10})


def test_what_differs_between_two_configurations_of_a_run_can_be_applied() -> None:
    before, now = spec(), spec("model.resources.offload=true", "cluster=slurm", "training.save_freq=3")
    changes = differing(before, now)
    assert changes["model.resources.offload"] is True
    assert applied(before, changes) == now
    assert differing(before, before) == {}
