"""An agent that real verl trains and pass@k measures in a job of a real SLURM."""

from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.launch.slurm.submit import submit
from sweeper.rows.row import Status, read_rows
from sweeper.runs.state import State
from tests.slurm.lab import Lab, all_are
from tests.slurm.test_submission import Make

pytestmark = [pytest.mark.slurm, pytest.mark.verl, pytest.mark.nightly]

OVERRIDES = (
    *("model_family=tiny-agent", "model=tiny-agent-40k", "agent=calculator", "domain_mix=math"),
    *("model.warm_start.steps=200", "model.warm_start.n_examples=6400", "data_scale.n_unique=64"),
    *("training.lr_warmup_steps=0", "eval.n_samples=8", "eval.ks=[1,8]", "eval.domains=[math]"),
    *("eval.problems_per_domain=16", "eval.val_problems_per_domain=8"),
)


def test_a_job_trains_an_agent_and_its_row_says_what_it_did(make: Make, lab: Lab, tmp_path: Path) -> None:
    one = make(*OVERRIDES)
    one = replace(one, cluster=replace(one.cluster, setup=()))  # no stand-in
    assert list(submit([one], tmp_path).submitted) == [one.run_id]
    assert all_are(tmp_path, State.done, 900, lab)
    (row,) = read_rows(tmp_path)
    assert row.status is Status.completed
    assert row.agent == "calculator"
    assert row.steps == 3
    (score,) = [score for score in row.trained if score.domain == "all"]
    assert score.trajectories is not None
    assert score.trajectories.n == 16 * 8
    assert score.trajectories.calls > 0
    assert len(score.pass_at_turns) == one.agent.max_turns
    trained = [point.trajectories for point in row.curve if point.reward is not None]
    assert len(trained) == 3
    assert all(done is not None and done.turns >= done.n for done in trained)
