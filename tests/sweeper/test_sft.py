"""What verl's trainer of fine-tuning is told: read back from verl's own classes, and its own cutting of batches."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sweeper.host.errors import ConfigError, RunFailedError
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.inputs import fine_tuning
from sweeper.inputs.models import PreparedModel
from sweeper.plan.fit import misfit
from sweeper.plan.memory import memory_of
from sweeper.plan.refusals import check
from sweeper.rows.flops import Tokens
from sweeper.spec.model import Resources, WarmStart
from sweeper.spec.run import RunSpec
from sweeper.training.sft import FineTuning, SftShare, sft_overrides
from tests.sweeper.points import over, spec

# Composes verl's configuration with what it reads on standard input, and cuts a batch of one longest row.
VERL = """
import json, sys, torch, verl
from pathlib import Path
from hydra import compose, initialize_config_dir
from tensordict import TensorDict
from verl.utils.config import omega_conf_to_dataclass
from verl.utils.seqlen_balancing import rearrange_micro_batches

answers = []
for overrides in json.load(sys.stdin):
    with initialize_config_dir(str(Path(verl.__file__).parent / "trainer/config"), version_base=None):
        config = compose("sft_trainer_engine", overrides=[item for item in overrides if not item.startswith("hydra.")])
    engine = omega_conf_to_dataclass(config.engine)
    row = torch.ones(1, config.data.max_length, dtype=torch.long)
    width = engine.ulysses_sequence_parallel_size
    try:
        rearrange_micro_batches(
            TensorDict({"input_ids": row, "attention_mask": row}, batch_size=1),
            max_token_len=config.data.max_token_len_per_gpu * width,  # as workers/engine/utils.py has it
        )
        refused = None
    except AssertionError as error:
        refused = str(error)
    answers.append({
        "class": type(engine).__name__, "strategy": engine.strategy, "width": width, "refused": refused,
        "offload": [engine.param_offload, engine.optimizer_offload], "padding": not config.model.use_remove_padding,
    })
print(json.dumps(answers))
"""
RESOURCES = {
    "as a 32B model on 80 GB": Resources(nodes=4, gpus_per_node=8, sequence_parallel=8, actor_tokens_per_gpu=6144),
    "more than a node's rings": Resources(nodes=2, gpus_per_node=4, sequence_parallel=8, actor_tokens_per_gpu=6144),
    "one GPU": Resources(actor_tokens_per_gpu=4096),
}
LONGEST = 9216


def told(resources: Resources, *, tokens: int | None = None) -> tuple[str, ...]:
    share = SftShare.of(resources, LONGEST)
    wanted = FineTuning(
        model=Path("/m"),
        data=Path("/d.parquet"),
        settings=WarmStart(steps=4),
        max_length=LONGEST,
        share=share if tokens is None else replace(share, tokens=tokens, sequence_parallel=1),
    )
    return sft_overrides(wanted, Path("/w"), Device.cuda)


@cache
def heard() -> dict[str, dict[str, Any]]:
    asked = {name: told(resources) for name, resources in RESOURCES.items()}
    asked["without sequence parallelism"] = told(RESOURCES["as a 32B model on 80 GB"], tokens=6144)
    command = [sys.executable, "-c", VERL]
    done = subprocess.run(command, input=json.dumps(list(asked.values())), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(asked, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize(("name", "width"), list(zip(RESOURCES, (8, 4, 1), strict=True)))
def test_verl_splits_rows_among_the_gpus_of_one_node_and_takes_the_longest(name: str, width: int) -> None:
    found = heard()[name]
    assert (found["class"], found["strategy"]) == ("FSDPEngineConfig", "fsdp2")
    assert found["width"] == width
    assert not found["padding"]  # verl splits only rows that are packed
    assert found["offload"] == [False, False]
    assert found["refused"] is None


def test_verl_refuses_a_row_that_is_longer_than_a_budget_without_sequence_parallelism() -> None:
    assert (
        "max_token_len must be greater than the sequence length" in heard()["without sequence parallelism"]["refused"]
    )


@pytest.mark.parametrize(
    ("wanted", "n_rows", "batch"), [(64, 1000, 64), (64, 50, 48), (60, 1000, 56), (64, 8, 8), (64, 63, 56)]
)
def test_a_batch_is_as_large_for_every_worker(wanted: int, n_rows: int, batch: int) -> None:
    assert SftShare.of(Resources(gpus_per_node=8), LONGEST).batch(wanted, n_rows) == batch


def test_fewer_rows_than_workers_are_refused() -> None:
    share = SftShare.of(Resources(gpus_per_node=8, sequence_parallel=2), LONGEST)
    assert share.batch(64, 4) == 4
    with pytest.raises(RunFailedError, match="3 rows a step for 4 workers"):
        share.batch(64, 3)


SMALL = ("data_scale.n_unique=1024", "data_scale.epochs=1", "training.total_steps=null", "data.sft_share=0.25")


def large(model: str, gpu_type: str, *more: str) -> RunSpec:
    chosen = ("model_family=qwen2.5", "cluster=slurm", f"model=qwen2.5-{model}", f"cluster.gpu_type={gpu_type}")
    return spec(*over((*chosen, *SMALL), more))


def test_fine_tuning_holds_all_states_on_one_node_whatever_is_offloaded() -> None:
    run = large("32b", "H100")
    found = memory_of(run)
    assert found is not None
    tuned = found.peaks[0]
    assert tuned.phase == "fine_tuning"
    states = sum(tuned.parts[name] for name in ("weights", "gradients", "moments"))
    assert states == pytest.approx(16 * run.model.architecture.n_params / 8)
    assert "engine asleep" not in tuned.parts
    assert memory_of(large("32b", "H100", "data.sft_share=0")) is not None


def test_a_run_without_fine_tuning_has_no_such_phase() -> None:
    found = memory_of(spec("model_family=qwen2.5", "cluster=slurm"))
    assert found is not None
    assert "fine_tuning" not in [peak.phase for peak in found.peaks]


@pytest.mark.parametrize(("model", "gpu_type"), [("7b", "H100"), ("14b", "H100"), ("32b", "H100"), ("32b", "H200")])
def test_fine_tuning_of_the_presets_fits(model: str, gpu_type: str) -> None:
    assert misfit(large(model, gpu_type)) is None


@pytest.mark.parametrize("gpu_type", ["H100", "H200"])
def test_fine_tuning_that_does_not_fit_a_node_is_refused_with_the_way_out(gpu_type: str) -> None:
    with pytest.raises(ConfigError, match=r"phase fine_tuning needs .* runs on one node.*data\.sft_share=0"):
        check(large("72b", gpu_type), family="qwen2.5")


def test_fewer_problems_to_fine_tune_on_than_gpus_are_refused_at_plan() -> None:
    few = ("data_scale.n_unique=1030", "data_scale.epochs=1", "training.total_steps=null", "data.sft_share=0.005")
    run = spec("model_family=qwen2.5", "cluster=slurm", "model=qwen2.5-7b", *few, "training.sft.batch_size=8")
    assert run.n_sft == 5
    with pytest.raises(ConfigError, match=r"data\.sft_share: 5 problems to fine-tune on for 8 workers"):
        check(run, family="qwen2.5")


@pytest.mark.parametrize(("n_rows", "batch", "said"), [(50, 48, True), (64, 64, False), (200, 64, False)])
def test_a_run_says_that_its_batch_of_fine_tuning_is_another_and_only_then(
    n_rows: int, batch: int, said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    import pyarrow
    from pyarrow import parquet

    trained = []

    def run_sft(wanted: FineTuning, *_: object, out: Path, **__: object) -> Tokens:
        trained.append(wanted.settings)
        (out / "config.json").write_text("{}")
        return Tokens(sequences=1, total=1)

    monkeypatch.setattr(fine_tuning, "run_sft", run_sft)
    data = tmp_path / "sft.parquet"
    parquet.write_table(pyarrow.table({"messages": ["x"] * n_rows}), data)
    base = PreparedModel(path=tmp_path, digest="0")
    children = Children(device=Device.cpu, threads=1, log=tmp_path / "log")
    found = fine_tuning.fine_tuned(large("7b", "H100"), base, data, tmp_path, children)
    assert found.conversations == n_rows
    assert trained[0].batch_size == batch
    assert trained[0].steps == round(2.0 * n_rows / batch)
    assert (f"training.sft.batch_size: {batch} instead of {n_rows}" in capsys.readouterr().out) == said
