"""Verdicts that hang on a limit of time: from the scorer's words to a run's row and its columns."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from verl.trainer.ppo.v1 import replay_buffer

from rewards.problem.verdict import Late, Outcome, Verdict
from rewards.route.scorers import scorer_of
from sweeper.host.machine import Device
from sweeper.rows.curve import curve_point, read_curve
from sweeper.rows.late_verdicts import NOT_COUNTED, LateVerdicts, from_metrics, metrics, of_steps
from sweeper.rows.row import read_row, write_row
from sweeper.rows.table import query, record, records, text
from sweeper.training import sampler
from sweeper.training.overrides import other_sampler, verl_overrides
from tests.sweeper.points import spec
from tests.sweeper.rows import row
from tests.sweeper.test_overrides import FILES, REFILL


def scores(*late: str) -> list[dict[str, Any]]:
    return [{"reward_extra_info": {"score": 0.0, "late": one}, "turn_scores": []} for one in late]


@pytest.mark.parametrize(
    ("source", "late"),
    [
        ("codegen__livecodebench", Late.PROGRAM),
        ("codegen__synthetic_sum", Late.PROGRAM),
        ("simulation__cruxeval-o", Late.PROGRAM),
        ("math__math", Late.ALGEBRA),
        ("stem__web", Late.ALGEBRA),
        ("logic__reasoning_gym__x", Late.SCORER),
    ],
)
def test_a_verdict_says_what_was_late_and_a_judge_that_failed_is_late_too(source: str, late: Late) -> None:
    made = replace(scorer_of(source), read=lambda question: question, score=lambda *_: Verdict(outcome=Outcome.TIMEOUT))
    assert made.verdict("", None).as_dict()["late"] == late  # type: ignore[arg-type]
    right = replace(made, score=lambda *_: Verdict(outcome=Outcome.CORRECT))
    assert right.verdict("", None).as_dict()["late"] == ""  # type: ignore[arg-type]
    assert Verdict(outcome=Outcome.ERROR, judge_failed=True).as_dict()["late"] == Late.JUDGE


def test_a_steps_late_verdicts_are_metrics_from_which_the_curve_has_them_back() -> None:
    told = metrics(scores("", "program", "judge", "program"))
    assert (told["verdict/sum/n"], told["verdict/sum/program"], told["verdict/late_mean"]) == (4.0, 2.0, 0.75)
    assert curve_point(1, told).verdicts == LateVerdicts(n=4, late={"judge": 1, "program": 2})
    assert from_metrics({"critic/score/mean": 0.5}) is None


def test_of_scores_that_are_not_ours_nothing_is_counted() -> None:
    assert metrics([*scores(""), {"turn_scores": []}]) == {}
    assert metrics([]) == {}


def test_verl_adds_up_the_counts_of_a_steps_batches_and_takes_the_mean_of_the_share() -> None:
    from verl.trainer.ppo.v1.utils import MetricsAggregator

    together = MetricsAggregator()
    for step in (scores("", "scorer"), scores("algebra", "scorer")):
        together.add_step_metrics(metrics(step), sample_count=2)
    told = together.get_aggregated_metrics()
    assert from_metrics(told) == LateVerdicts(n=4, late={"algebra": 1, "scorer": 2})
    assert told["verdict/late_mean"] == 0.75


@pytest.mark.parametrize("kind", ["CountingReplayBuffer", "FastReplayBuffer"])
def test_the_samplers_of_runs_without_an_agent_log_them_of_training_alone(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sweeper.verl_cpu import sampler as fast

    def sample(self: Any, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(keys=["u0_0_0", "u0_1_0"]), {"verls": 1.0}

    monkeypatch.setattr(replay_buffer.ReplayBuffer, "sample", sample)
    monkeypatch.setattr("transfer_queue.kv_batch_get", lambda **_: {"extra_fields": scores("", "algebra")})
    made = getattr(fast if kind.startswith("Fast") else sampler, kind)(
        trainer_mode="sync", trainer_config={}, max_off_policy_threshold=None, max_off_policy_strategy="drop",
        sampler_kwargs={},
    )  # fmt: skip
    _, told = made.sample(1, "train", 1)
    assert (told["verls"], told["verdict/sum/algebra"]) == (1.0, 1.0)
    assert made.sample(1, "val", 1)[1] == {"verls": 1.0}


def test_on_gpus_too_a_run_has_the_sampler_that_counts_unless_another_is_asked_for() -> None:
    def names(*words: str) -> list[str]:
        run = spec(*words)
        return [item for item in verl_overrides(run, FILES, Device.cuda) if "custom_sampler.name" in item]

    assert names() == ["trainer.v1.sampler.custom_sampler.name=CountingReplayBuffer"]
    others = (REFILL, "+verl.trainer.v1.trainer_mode=colocate_async")
    assert [names(word) for word in others] == [[], []]
    own = "+verl.trainer.v1.sampler.custom_sampler={path: a.py, name: Mine}"
    for word in (*others, own):
        assert "counts no verdicts" in str(other_sampler(spec(word)))
    assert other_sampler(spec()) is None


def test_a_run_has_the_sum_of_its_steps_or_says_why_it_has_none() -> None:
    one, other = LateVerdicts(n=4, late={"program": 1}), LateVerdicts(n=4, late={"algebra": 2, "program": 1})
    assert of_steps([one, other], None) == (LateVerdicts(n=8, late={"algebra": 2, "program": 2}), None)
    assert of_steps([one, None], None) == (None, "1 of 2 steps logged nothing of their verdicts")
    assert of_steps([None], "verl.x: another sampler") == (None, "verl.x: another sampler")
    assert of_steps([], None) == (None, "no step was trained")


def test_a_row_keeps_them_and_one_of_before_says_that_it_is_of_before(tmp_path: Path) -> None:
    counted = replace(row(spec()), verdicts=LateVerdicts(n=8, late={"program": 2}), verdicts_missing=None)
    path = write_row(tmp_path, counted)
    assert read_row(path).verdicts == counted.verdicts
    told = json.loads(path.read_text())
    del told["verdicts"], told["verdicts_missing"]
    old = read_row(path, json.dumps(told))
    assert (old.verdicts, old.verdicts_missing) == (None, NOT_COUNTED)
    assert "verdicts" not in old.to_json()
    absent = replace(counted, verdicts=None, verdicts_missing="no step was trained")
    assert json.loads(absent.to_json())["verdicts_missing"] == "no step was trained"


def test_their_share_is_a_column_only_where_a_run_has_any_and_is_told_below_the_table() -> None:
    plain = replace(row(spec("seed=0")), run_id="plain", verdicts=LateVerdicts(n=100, late={}))
    late = replace(row(spec("seed=1")), run_id="late", verdicts=LateVerdicts(n=100, late={"judge": 1, "program": 3}))
    assert "late_verdicts" not in record(plain)
    assert "late" not in text([plain, replace(plain, verdicts=None)])
    found = records([plain, late, replace(plain, verdicts=None)])
    assert [one["late_verdicts"] for one in found] == [0.0, 0.04, None]
    assert [one["late_program"] for one in found] == [0.0, 0.03, None]
    assert "late: 4 of 100 verdicts in training (4.00%) of 1 run" in text([plain, late]).replace("\n", " ")
    assert query([plain], "select late_verdicts from results")[1] == [(0.0,)]


def test_timeouts_of_an_evaluation_are_a_column_beside_them() -> None:
    plain = row(spec())
    timed = replace(plain.trained[0], outcomes={"correct": 30, "timeout": 2, "wrong": 32})
    assert record(replace(plain, trained=(timed,)))["evaluation_timeouts"] == 2 / 64
    assert "evaluation_timeouts" not in record(plain)


def test_the_curve_of_a_file_has_them_by_step(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    data = {"critic/score/mean": 0.5, **metrics(scores("scorer"))}
    path.write_text(json.dumps({"step": 1, "data": data}) + "\n")
    assert [point.verdicts for point in read_curve([path])] == [LateVerdicts(n=1, late={"scorer": 1})]
