"""A run on rows that only a reward function of the user's own can score: real verl, from the command to the report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.rows.counts import read_counts
from sweeper.rows.row import Status, problems_path, read_rows

pytestmark = [pytest.mark.verl, pytest.mark.nightly]

# Half a point for any answer, more for more blanks, which no scorer of ours would give.
REWARD = """\
VERSION = "1"
def score(data_source, solution_str, ground_truth, extra_info):
    assert data_source == "mycorp__verse" and extra_info["level"] < 3
    share = solution_str.count(" ") / max(1, len(solution_str))
    return {"score": 0.5 + share / 2, "acc": share > 0.1}
"""
SETTINGS = (
    "model=tiny-40k",
    "model.warm_start.steps=10",
    "model.warm_start.n_examples=640",
    "data_root=data",
    "data_scale.n_unique=32",
    "domain_mix=own",
    "reward.path=my_rewards.py:score",
    "training.total_steps=2",
    "training.save_freq=2",
    "eval.domains=[own]",
    "eval.n_samples=8",
    "eval.ks=[1,8]",
    "eval.problems_per_domain=8",
    "eval.val_problems_per_domain=8",
    "eval.val_freq=1",
)


def test_a_run_is_trained_validated_and_measured_with_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "my_rewards.py").write_text(REWARD)
    rows = [
        {
            "data_source": "mycorp__verse",
            "prompt": [{"role": "user", "content": f"{number} + {number + 1} is"}],
            "reward_model": {"ground_truth": str(2 * number + 1)},
            "extra_info": {"level": number % 3},
        }
        for number in range(48)
    ]
    (tmp_path / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "sweeper", *SETTINGS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    results = tmp_path / "results"
    (row,) = read_rows(results)
    assert row.status is Status.completed
    rewards = {point.step: point.reward for point in row.curve if point.reward is not None}
    assert sorted(rewards) == [1, 2]
    assert all(0.5 <= reward <= 1.0 for reward in rewards.values())
    run = results / "runs" / row.run_id
    for step in (0, 1, 2):
        answers = [json.loads(line) for line in (run / "val" / f"{step}.jsonl").read_text().splitlines()]
        assert len(answers) == 8
        for answer in answers:
            share = answer["output"].count(" ") / max(1, len(answer["output"]))
            assert (answer["score"], answer["acc"]) == (pytest.approx(0.5 + share / 2), float(share > 0.1))
    counts = read_counts(problems_path(results, row.run_id))
    assert {(count.data_source, count.domain) for count in counts} == {("mycorp__verse", "own")}
    for base in (True, False):
        score = row.score(base=base)
        assert score is not None
        assert set(score.outcomes) <= {"correct", "wrong", "truncated"}
    tables = subprocess.run([sys.executable, "-m", "sweeper", "results"], cwd=tmp_path, capture_output=True, text=True)
    assert tables.returncode == 0, tables.stderr
    assert (results / "reports" / "all.html").is_file(), done.stdout
