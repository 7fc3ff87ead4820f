"""An agent on vLLM: real verl trains it over several turns, and pass@k measures it in full rounds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from data_prep.materialise import materialise
from data_prep.spec import Tasks
from data_prep.synthetic.tasks import STRINGS
from sweeper.evaluation.acting import Acting
from sweeper.inputs.data import data_spec
from sweeper.inputs.models import prepare
from sweeper.inputs.tiny import tokens_of
from sweeper.job.run import begin
from sweeper.rows.counts import read_counts, scores
from sweeper.rows.trajectories import Trajectories
from sweeper.rows.trajectory_metrics import LOST, from_metrics
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from sweeper.training.train import train
from tests.sweeper.points import spec
from tests.vllm.test_training import VLLM

pytestmark = pytest.mark.vllm

STEPS = 3
N = 16
TOKENS = tokens_of(STRINGS[Tasks.agent], acts=True)
SETTINGS = (
    *("model_family=tiny-agent", "model=tiny-agent-40k", "agent=calculator", "domain_mix=math", "cluster.device=cpu"),
    # vLLM's attention on CPU needs heads of 32 dimensions; it draws no token beyond the tokenizer's.
    *(
        "model.architecture.hidden_size=64",
        f"model.architecture.vocab_size={tokens_of(STRINGS[Tasks.agent], acts=True)}",
    ),
    *("model.warm_start.steps=300", "model.warm_start.n_examples=9600", "data_scale.n_unique=64"),
    *(f"training.total_steps={STEPS}", "training.train_batch_size=8", "training.ppo_mini_batch_size=8"),
    *("training.lr_warmup_steps=0", "algorithm.rollout_n=4", "algorithm.entropy_coeff=0.1"),
    *("eval.domains=[math]", "eval.val_problems_per_domain=2", "eval.problems_per_domain=8"),
    *VLLM,
)


@pytest.fixture(scope="module")
def one() -> RunSpec:
    return spec(*SETTINGS)


@pytest.fixture(scope="module")
def model(one: RunSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    return prepare(one, folder, log=folder / "log").path


def test_three_steps_of_tool_use_are_trained_on_what_vllm_drew(one: RunSpec, model: Path, tmp_path: Path) -> None:
    run = RunDir(results_dir=tmp_path, run_id=RunId("run"))
    data = materialise(data_spec(one), tmp_path / "data")
    job = begin(run, one, run.new_attempt())
    train(job, model=model, train_file=data.train, val_file=data.val)
    steps = [json.loads(line)["data"] for line in job.attempt.metrics.read_text().splitlines()]
    trained = [data for data in steps if "critic/score/mean" in data]
    assert len(trained) == STEPS
    calls = 0.0
    for data in trained:
        assert data["actor/grad_norm"] > 0
        assert data["training/rollout_probs_diff_mean"] < 1e-5
        assert data["training/rollout_probs_diff_max"] < 1e-3
        assert data[LOST] == 0.0
        found = from_metrics(data)
        assert isinstance(found, Trajectories)
        assert found.n == sum(found.ended.values()) == 8 * 4
        calls += found.calls
    assert calls > 0


def test_an_evaluation_on_vllm_counts_what_the_agent_did(one: RunSpec, model: Path, tmp_path: Path) -> None:
    data = materialise(data_spec(one), tmp_path / "data")
    out, told = tmp_path / "counts.jsonl", tmp_path / "agent.json"
    acting = Acting.of(one, tmp_path)
    assert acting is not None
    told.write_text(acting.to_json())
    said = {"model": model, "data": data.evaluation, "out": out, "agent": told, "n": N, "seed": 0, "engine": "vllm"}
    command = [
        sys.executable,
        "-m",
        "sweeper.evaluation.evaluate",
        *(f"--{key}={value}" for key, value in said.items()),
    ]
    subprocess.run([*command, f"--max-tokens={one.training.max_response_length}"], check=True)
    counts = read_counts(out)
    assert [count.n for count in counts] == [N] * 8
    [everything, *_] = scores(counts, [1, N])
    assert everything.trajectories is not None
    assert everything.trajectories.n == 8 * N
    assert everything.trajectories.calls > 0
    assert everything.trajectories.observed_tokens > 0
    assert len(everything.pass_at_turns) == one.agent.max_turns
