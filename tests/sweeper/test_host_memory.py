"""Host memory that a job is refused without."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from sweeper.host.errors import ConfigError
from sweeper.plan.host_memory import RUN, least
from sweeper.plan.refusals import check
from tests.sweeper.points import over, spec

QWEN = ("model_family=qwen2.5", "cluster=slurm")


@pytest.mark.parametrize(
    ("overrides", "bytes_a_parameter"),
    [
        (["model=qwen2.5-7b"], 4),  # one process reads it
        (["model=qwen2.5-0.5b"], 4 * 4),  # each of four does: input and output matrix are one
        (["model=qwen2.5-14b"], 12),  # weights and moments are offloaded
        (["model=qwen2.5-14b", "algorithm=ppo"], 24),  # a critic's too
        (["model=qwen2.5-14b", "algorithm.kl.in_loss=true"], 16),  # beside the reference
        (["model=qwen2.5-72b"], 4),  # a quarter of them on each of four nodes is less than what is read
        (["model=qwen2.5-7b", "cluster=slurm_cpu"], 12),  # states have no other place
    ],
)
def test_a_node_takes(overrides: list[str], bytes_a_parameter: int) -> None:
    run = spec(*over(QWEN, overrides))
    assert sum(least(run).values()) == pytest.approx(RUN + bytes_a_parameter * run.model.architecture.n_params)


def test_a_job_with_less_memory_than_reading_its_model_takes_is_refused_with_what_would_do() -> None:
    with pytest.raises(ConfigError, match=r"cluster\.memory_gb_per_gpu=1 gives a job 8\.6 GB .* at least") as told:
        check(spec(*QWEN, "model=qwen2.5-7b", "cluster.memory_gb_per_gpu=1"), family="qwen2.5")
    assert "the model in float32 30.5 GB); set cluster.memory_gb_per_gpu=4 or more" in str(told.value)
    check(spec(*QWEN, "model=qwen2.5-7b", "cluster.memory_gb_per_gpu=4"), family="qwen2.5")
    forced = ("cluster.memory_gb_per_gpu=1", "cluster.check_memory=false")
    check(spec(*QWEN, "model=qwen2.5-7b", *forced), family="qwen2.5")


def test_verl_reads_a_model_whose_matrices_are_one_in_every_process() -> None:
    found = find_spec("verl")
    assert found is not None
    assert found.submodule_search_locations
    engine = (Path(found.submodule_search_locations[0]) / "workers/engine/fsdp/transformer_impl.py").read_text()
    assert "use_meta_tensor=not self.model_config.hf_config.tie_word_embeddings" in engine
    assert "torch.float32 if not self.engine_config.forward_only" in engine
