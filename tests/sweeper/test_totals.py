from pathlib import Path

import pytest

from sweeper.plan.base_models import BaseModels
from sweeper.plan.cost import Cost, Pricer
from sweeper.plan.rates import SPREAD
from sweeper.plan.totals import Totals, totals_of
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec

GPU = ("model_family=qwen2.5", "cluster=slurm")


def priced(tmp_path: Path, *runs: RunSpec) -> list[tuple[RunSpec, Cost]]:
    pricer = Pricer((), tmp_path)
    return [(run, pricer.cost(run)) for run in runs]


def totals(tmp_path: Path, *runs: RunSpec) -> Totals:
    return totals_of(priced(tmp_path, *runs), tmp_path, BaseModels())


def test_gpu_hours_are_the_sum_of_the_runs_and_one_evaluation_of_each_base_model(tmp_path: Path) -> None:
    runs = [spec(*GPU, f"seed={seed}") for seed in (0, 1)]
    (_, cost), _ = priced(tmp_path, *runs)
    assert cost.device_hours is not None
    assert cost.seconds is not None
    base = cost.seconds["evaluation"] / 3600 * cost.devices
    assert totals(tmp_path, *runs).gpu_hours == pytest.approx(2 * cost.device_hours + base)


def test_runs_wait_for_gpus_under_the_ceiling(tmp_path: Path) -> None:
    runs = [spec(*GPU, "cluster.max_gpus=8", f"seed={seed}") for seed in range(5)]  # four GPUs each
    found = totals(tmp_path, *runs)
    hours = priced(tmp_path, runs[0])[0][1].hours
    assert hours is not None
    assert (found.at_once, found.waves) == (2, 3)
    assert found.hours == pytest.approx(3 * hours)


@pytest.mark.parametrize("cluster", [(), (*GPU, "cluster.max_parallel=9")])
def test_no_more_runs_are_at_once_than_there_are(tmp_path: Path, cluster: tuple[str, ...]) -> None:
    found = totals(tmp_path, spec(*cluster))
    assert (found.at_once, found.waves) == (1, 1)


def test_runs_without_gpus_wait_for_nodes_however_many_processes_they_have(tmp_path: Path) -> None:
    jobs = ("cluster=slurm_cpu", "cluster.max_nodes=2", "model.resources.gpus_per_node=4")
    found = totals(tmp_path, *(spec(*jobs, f"seed={seed}") for seed in range(4)))
    assert (found.at_once, found.waves) == (2, 2)


def test_a_limit_on_runs_at_once_makes_waves_too(tmp_path: Path) -> None:
    found = totals(tmp_path, *(spec(*GPU, "cluster.max_parallel=1", f"seed={seed}") for seed in range(3)))
    assert found.waves == 3


def test_runs_without_an_estimate_make_the_price_unknown_and_the_waves_not(tmp_path: Path) -> None:
    found = totals(tmp_path, *(spec(f"seed={seed}") for seed in range(4)))
    assert found.device_hours is None
    assert found.hours is None
    assert found.unpriced == 4
    assert found.gpu_hours == 0.0
    assert found.waves == 2


def test_disk_holds_the_last_two_checkpoints_of_policy_and_critic(tmp_path: Path) -> None:
    grpo, ppo = (priced(tmp_path, spec(*GPU, f"algorithm={name}"))[0][1] for name in ("grpo", "ppo"))
    n = spec(*GPU).model.architecture.n_params
    assert grpo.checkpoint_bytes == 2 * 16 * n
    assert ppo.checkpoint_bytes == 2 * 28 * n


def test_a_price_that_nothing_measured_has_the_range_of_published_runs(tmp_path: Path) -> None:
    runs = [spec(*GPU, f"seed={seed}") for seed in (0, 1)]
    found = totals(tmp_path, *runs)
    assert found.device_hours is not None
    assert found.hours is not None
    assert found.device_hours_low == pytest.approx(SPREAD[0] * found.device_hours)
    assert found.device_hours_high == pytest.approx(SPREAD[1] * found.device_hours)
    assert (found.hours_low, found.hours_high) == pytest.approx((SPREAD[0] * found.hours, SPREAD[1] * found.hours))


def test_a_price_that_is_not_known_has_no_range(tmp_path: Path) -> None:
    found = totals(tmp_path, spec("seed=0"))
    assert (found.device_hours_low, found.device_hours_high, found.hours_low, found.hours_high) == (None,) * 4


def test_what_is_written_counts_every_checkpoint_and_the_last(tmp_path: Path) -> None:
    long = (*GPU, "training.total_steps=25", "cluster.max_loss_minutes=null")
    found = totals(tmp_path, spec(*long))
    n = spec(*GPU).model.architecture.n_params
    assert found.written_bytes == 3 * 16 * n  # of steps 10, 20 and 25
    assert found.disk_bytes < found.written_bytes


def test_nothing_to_run_takes_nothing(tmp_path: Path) -> None:
    found = totals_of([], tmp_path, BaseModels())
    assert (found.gpu_hours, found.device_hours, found.hours, found.waves) == (0.0, 0, 0.0, 0)
