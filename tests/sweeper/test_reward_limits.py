"""Limits of programs that the user sets: in the identity where they are, and the same in training and evaluation."""

import json
from pathlib import Path

import pytest

from rewards import compute_score
from rewards.route.scorers import scorer_of
from sweeper.evaluation import evaluate
from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.inputs.own_reward import refuse_idle
from sweeper.rows.base_counts import suite_digest
from sweeper.training.overrides import verl_overrides
from tests.sweeper.points import spec
from tests.sweeper.test_overrides import FILES

LIMIT = "reward.limits={codegen__taco: 10}"


def test_a_limit_changes_the_id_and_its_absence_none() -> None:
    assert spec(LIMIT).run_id != spec().run_id == spec("reward.limits={}").run_id
    assert spec(LIMIT).run_id == spec("reward.limits={CodeGen__TACO: 10}").run_id
    assert spec(LIMIT).run_id != spec("reward.limits={codegen__taco: 11}").run_id
    names = [suite_digest(spec(*words), model_digest="m", data_digest="d") for words in ((), (LIMIT,))]
    assert names[0] != names[1]


def test_training_and_evaluation_are_told_the_same() -> None:
    assert spec(LIMIT).reward.program_limits == ("codegen__taco=10",)
    told = [item for item in verl_overrides(spec(LIMIT), FILES, Device.cpu) if "reward_kwargs" in item]
    assert (
        told == ["++reward.custom_reward_function.reward_kwargs.limits=[codegen__taco=10]"]
        or "codegen__taco=10" in told[0]
    )
    needed = ["--model=m", "--data=d", "--out=o", "--max-tokens=8"]
    assert evaluate.parse([*needed, "--limit=codegen__taco=10"]).limit == ["codegen__taco=10"]


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("reward.limits={math__math: 10}", "no data_source of programs"),
        ("reward.limits={poetry: 10}", "no data_source of programs"),
        ("reward.limits={codegen__taco: 0}", "at least 1"),
        ("reward.limits={codegen__taco: 1, CodeGen__TACO: 2}", "two entries of reward.limits"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_when_planned(word: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        spec(word)


def test_a_limit_of_no_program_of_the_run_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    counts = {"rows": 8, "sha256": "", "by_data_source": {"codegen__leetcode": 4, "math__math": 4}}
    manifest.write_text(json.dumps({"files": {"train": counts, "evaluation": counts}, "dropped": {}}))
    refuse_idle(spec("reward.limits={codegen__leetcode: 9}").reward, manifest)
    with pytest.raises(ConfigError, match=r"reward\.limits\.codegen__taco limits no program"):
        refuse_idle(spec(LIMIT).reward, manifest)


def test_the_longest_source_that_fits_has_its_limit_and_no_other_scorer_has_one() -> None:
    limits = ("codegen=9", "codegen__taco=10")
    found = [scorer_of(name, (), limits).cpu_s for name in ("codegen__taco__x", "codegen__leetcode", "math__math")]
    assert found == [10, 9, None]
    rules = scorer_of("codegen__taco", (), limits).rules
    assert rules is not None
    assert (rules.limits.cpu_s, rules.limits.wall_s) == (10, 16.0)


def test_a_verdict_within_one_limit_is_not_remembered_for_another() -> None:
    gold = json.dumps({"fn_name": "f", "inputs": [[1]], "outputs": [1]})
    burn = "t = time.process_time()\n    while time.process_time() - t < 1.6: pass"
    response = f"```python\nimport time\ndef f(x):\n    {burn}\n    return x\n```"
    found = [compute_score("codegen__taco", response, gold, limits=[f"codegen__taco={s}"]) for s in (1, 20)]
    assert [(one["outcome"], one["late"]) for one in found] == [("timeout", "program"), ("correct", "")]
