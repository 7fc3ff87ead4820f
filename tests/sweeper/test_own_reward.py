"""A reward function of the user's own: in the id, frozen with the run, the same in training and in pass@k."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import parquet

from rewards.program import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from sweeper.evaluation.measure import measure
from sweeper.grid.expand import expand
from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.inputs.data import prepare_all, prepared
from sweeper.plan.data_look import looks
from sweeper.plan.plan import make_plan, spec_from
from sweeper.rows.base_counts import suite_digest
from sweeper.rows.counts import read_counts
from sweeper.rows.differences import differences
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import read_rows
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from sweeper.training.overrides import OWN_REWARDS, Files, verl_overrides
from tests.sweeper.points import over
from tests.sweeper.points import spec as cached_spec

# Half a point for any answer, so that what was scored with it shows.
REWARD = """\
VERSION = "1"
from helper import HALF
def score(data_source, solution_str, ground_truth, extra_info):
    return {"score": HALF, "acc": len(solution_str) % 2 == 0, "pred": f"{data_source}:{extra_info['level']}"}
"""
SMALL = (
    "domain_mix=own",
    "eval.domains=[own]",
    "eval.n_samples=4",
    "eval.ks=[1,4]",
    "eval.problems_per_domain=3",
    "eval.val_problems_per_domain=2",
    "data_scale.n_unique=16",
)


def spec(*overrides: str) -> RunSpec:
    """Not through a cache: files differ from call to call."""
    return spec_from(expand(overrides, multirun=False).points[0].config)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, which is the current one: a reward with its helper, and rows that only it can score."""
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "my_rewards.py").write_text(REWARD)
    (folder / "helper.py").write_text("HALF = 0.5\n")
    rows = [
        {
            "data_source": "mycorp__verse",
            "prompt": [{"role": "user", "content": f"a line on number {number}"}],
            "reward_model": {"ground_truth": {"rhymes": number}},
            "extra_info": {"level": number % 3},
        }
        for number in range(24)
    ]
    (folder / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(folder)
    return folder


def test_a_run_is_known_by_the_bytes_of_its_reward_and_not_by_where_they_lie(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = spec("reward.path=my_rewards.py:score")
    assert first.run_id != cached_spec().run_id
    assert first.reward.path == f"{project}/my_rewards.py:score"
    assert [(own.source, own.file, own.function, own.version) for own in first.reward.scorers] == [
        ("*", "my_rewards.py", "score", "1")
    ]
    moved = shutil.copytree(project, project.with_name("moved"))
    assert spec(f"reward.path={moved}/my_rewards.py:score").run_id == first.run_id
    monkeypatch.chdir(moved)
    assert spec("reward.path=./my_rewards.py:score").run_id == first.run_id
    (moved / "helper.py").write_text("HALF = 0.25\n")
    assert spec("reward.path=my_rewards.py:score").run_id != first.run_id
    assert RunSpec.from_json(first.to_json()) == first


def test_a_spec_that_was_frozen_before_rewards_were_a_setting_keeps_its_id() -> None:
    values = json.loads(cached_spec().to_json())
    del values["reward"]
    assert RunSpec.from_dict(values).run_id == cached_spec().run_id


def test_a_reward_for_some_sources_is_one_run_however_they_are_spelt(project: Path) -> None:
    del project
    written = [
        "reward.sources={MyCorp__Verse: my_rewards.py:score}",
        "+reward.sources.mycorp__verse=my_rewards.py:score",
        "reward.sources={other/mycorp__verse: my_rewards.py:score}",
    ]
    assert len({spec(override).run_id for override in written}) == 1
    assert spec(written[0]).run_id != spec("reward.path=my_rewards.py:score").run_id


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("reward.path=", r"reward\.path=: '' is no reward function: write FILE\.py:FUNCTION"),
        ("reward.path=my_rewards.py", r"write FILE\.py:FUNCTION"),
        ("reward.path=gone.py:score", r"reward\.path=gone\.py:score: .*gone\.py: No such file or directory"),
        ("reward.path=my_rewards.py:scor", "no function scor; there are: score"),
        ("reward.path=narrow.py:score", r"score\(answer\) must take data_source, solution_str, ground_truth, extra"),
        ("reward.path=broken.py:score", "broken.py line 1: not Python"),
        ("reward.path=needs.py:score", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("reward.sources={mycorp__x: gone.py:score}", r"reward\.sources\.mycorp__x=gone\.py:score: .*No such file"),
        ("reward.sources={a/x: my_rewards.py:score, X: my_rewards.py:score}", r"sources\.X: two entries .* source x"),
        ("reward.sources={__: my_rewards.py:score}", r"'__' is no data_source"),
    ],
)
def test_a_reward_that_cannot_be_used_is_refused_by_the_plan_in_one_line(
    override: str, words: str, project: Path
) -> None:
    (project / "narrow.py").write_text("def score(answer): return 1.0\n")
    (project / "broken.py").write_text("def score(\n")
    (project / "needs.py").write_text("import no_such_package\ndef score(**_): return 1.0\n")
    (run,) = make_plan(expand([override], multirun=False), project / "results").runs
    assert run.state is State.refused
    assert run.reason is not None
    assert re.search(words, run.reason)
    assert "\n" not in run.reason
    assert not (project / "results").exists()


@pytest.mark.parametrize(
    "key",
    [
        "reward.custom_reward_function.path",
        "reward.custom_reward_function.name",
        "reward.custom_reward_function.reward_kwargs.partial_credit",
        "custom_reward_function.path",
    ],
)
def test_verls_own_key_of_a_reward_is_refused_with_ours_named(key: str, tmp_path: Path) -> None:
    (run,) = make_plan(expand([f"+verl.{key}=my_rewards.py"], multirun=False), tmp_path).runs
    assert run.state is State.refused
    assert run.reason is not None
    assert run.reason.startswith(f"verl.{key}=my_rewards.py: reward.path decides ")


def test_the_file_is_frozen_with_the_run_and_editing_it_changes_nothing(project: Path) -> None:
    run, results = spec(*SMALL, "data_root=data", "reward.path=my_rewards.py:score"), project / "results"
    prepare_all([run], results, say=lambda _: None)
    (own,) = run.reward.scorers
    kept = results / "rewards" / own.digest
    assert sorted(path.name for path in kept.iterdir()) == ["helper.py", "my_rewards.py"]
    (project / "my_rewards.py").write_text("edited\n")
    assert (kept / "my_rewards.py").read_text() == REWARD
    prepared(run, results, tokenizer=None)
    (project / "my_rewards.py").unlink()
    prepared(run, results, tokenizer=None)


def test_a_file_that_was_edited_between_plan_and_launch_starts_nothing(project: Path) -> None:
    run, results = spec(*SMALL, "data_root=data", "reward.path=my_rewards.py:score"), project / "results"
    (project / "helper.py").write_text("HALF = 1.0\n")
    with pytest.raises(ConfigError, match=r"my_rewards\.py is not the file that the run was planned with"):
        prepare_all([run], results, say=lambda _: None)
    assert not list(results.glob("rewards/*"))


def test_rows_that_nobody_knows_are_prepared_where_a_reward_covers_them_and_refused_elsewhere(project: Path) -> None:
    results = project / "results"
    covered = prepared(spec(*SMALL, "data_root=data", "reward.path=my_rewards.py:score"), results, tokenizer=None)
    manifest = json.loads(covered.manifest.read_text())
    assert manifest["files"]["train"]["by_domain"] == {"own": 16}
    golds = {row["ground_truth"] for row in parquet.read_table(covered.train).column("reward_model").to_pylist()}
    assert all(gold.startswith('{"rhymes": ') for gold in golds)
    again = prepared(
        spec(*SMALL, "data_root=data", "reward.sources={mycorp: my_rewards.py:score}"), results, tokenizer=None
    )
    assert again.digest == covered.digest
    for sources in ((), ("reward.sources={mycorp__prose: my_rewards.py:score}",)):
        with pytest.raises(
            ConfigError, match=r"rows\.jsonl row 0: data_source 'mycorp__verse' is unknown.*reward\.path"
        ):
            prepare_all([spec(*SMALL, "data_root=data", *sources)], results, say=lambda _: None)


def test_golds_that_a_reward_of_ones_own_refuses_are_left_out(project: Path) -> None:
    asked = ("data_root=data", "reward.path=my_rewards.py:score", "data.cleaning.golds=true")
    asked = over(SMALL, (*asked, "data_scale.n_unique=null"))
    manifests = []
    score = "def score(solution_str, ground_truth, extra_info, **_):\n"
    score += "    return float(solution_str == ground_truth and extra_info['level'] > 0)\n"
    for right_answer in ("", "def right_answer(ground_truth, **_):\n    return ground_truth\n"):
        (project / "my_rewards.py").write_text(score + right_answer)
        [look] = looks([spec(*asked)], project / "results")
        assert look.prepared is None
        data = prepared(spec(*asked), project / "results", tokenizer=None)
        manifests.append(json.loads(data.manifest.read_text()))
        [look] = looks([spec(*asked)], project / "results")
        assert look.prepared == {split: file["rows"] for split, file in manifests[-1]["files"].items()}
    unchecked, checked = manifests
    assert "bad gold" not in unchecked["dropped"]
    assert 0 < checked["dropped"]["bad gold"] <= 8  # a third of 24 rows has level 0
    assert checked["files"]["train"]["rows"] + checked["dropped"]["bad gold"] == unchecked["files"]["train"]["rows"]


def test_runs_that_differ_in_their_reward_are_told_apart_by_its_name(project: Path) -> None:
    (project / "other.py").write_text(REWARD)
    files = ("reward.path=null", "reward.path=my_rewards.py:score", "reward.path=other.py:score")
    (told,) = differences([spec(file).settings() for file in files])
    assert (told.key, told.name) == ("reward.path", "reward")
    assert told.texts == ("unset", "my_rewards.py:score", "other.py:score")


def test_rows_of_no_domain_that_is_asked_for_are_refused_with_what_to_ask_for(project: Path) -> None:
    asked = ("data_root=data", "reward.path=my_rewards.py:score")
    words = r"problems of own \(24 rows\) alone, and math, code, logic, stem is asked for.*: domain_mix=own 'eval.dom"
    with pytest.raises(ConfigError, match=words):
        prepare_all([spec(*asked)], project / "results", say=lambda _: None)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ("reward.path=my_rewards.py:score", "reward.sources={mycorp__prose: my_rewards.py:score}"),
            r"reward\.sources\.mycorp__prose scores no problem of this run, whose data_source is mycorp__verse",
        ),
        (
            ("reward.path=my_rewards.py:score", "reward.sources={mycorp: my_rewards.py:score}"),
            r"reward\.path scores no problem of this run",
        ),
    ],
)
def test_a_reward_that_scores_nothing_is_refused_before_anything_starts(
    overrides: tuple[str, ...], words: str, project: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        prepare_all([spec(*SMALL, "data_root=data", *overrides)], project / "results", say=lambda _: None)


def own_kwargs(run: RunSpec, results: Path) -> dict[str, object]:
    """What verl's overrides of a run say about the reward function, as verl's own Hydra reads them."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    here = Path("/unused")
    files = Files(
        model=here, train=here, val=here, checkpoints=here, validations=here, hydra=here, rewards=results / "rewards"
    )
    items = OverridesParser.create().parse_overrides(list(verl_overrides(run, files, Device.cpu)))
    values = {item.key_or_group: item.value() for item in items}
    assert values["reward.custom_reward_function.path"] == "pkg://rewards"
    own = [getattr(text, "text", text) for text in values[OWN_REWARDS]]
    return {"path": "pkg://rewards", "name": "compute_score", "reward_kwargs": {"own": own}}


def test_verls_reward_manager_and_pass_at_k_score_with_it_alike(project: Path, tiny_model: Path) -> None:
    reward = pytest.importorskip("verl.trainer.ppo.reward", reason="needs verl")
    import numpy
    import torch
    from omegaconf import OmegaConf
    from tensordict import TensorDict
    from transformers import AutoTokenizer
    from verl import DataProto
    from verl.experimental.reward_loop.reward_manager import get_reward_manager_cls

    run, results = spec(*SMALL, "data_root=data", "reward.path=my_rewards.py:score"), project / "results"
    data, out = prepared(run, results, tokenizer=None), project / "counts.jsonl"
    (project / "my_rewards.py").unlink()  # nothing but the frozen copy is needed
    children = Children(device=Device.cpu, threads=1, log=project / "log")
    measure(run, children, results, model=tiny_model, data=data.evaluation, out=out, seed=0)
    counts = read_counts(out)
    assert {(count.data_source, count.domain) for count in counts} == {("mycorp__verse", "own")}
    kept = [json.loads(line) for line in out.with_name("counts.samples.jsonl").read_text().splitlines()]
    assert {count.problem_id for count in counts} == {one["problem_id"] for one in kept}
    assert sum(count.c for count in counts) not in (0, sum(count.n for count in counts))

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    score = reward.get_custom_reward_fn(
        OmegaConf.create({"reward": {"custom_reward_function": own_kwargs(run, results)}})
    )
    row = parquet.read_table(data.evaluation).to_pylist()[0]

    async def managed(response: str) -> dict[str, object]:
        manager = get_reward_manager_cls("naive")(OmegaConf.create({}), tokenizer, score)
        ids = torch.tensor([tokenizer(response, add_special_tokens=False)["input_ids"]])
        plain = {name: numpy.array([row[name]], dtype=object) for name in ("data_source", "reward_model", "extra_info")}
        batch = TensorDict({"responses": ids, "attention_mask": torch.ones_like(ids)}, batch_size=[1])
        found: dict[str, object] = await manager.run_single(DataProto(batch=batch, non_tensor_batch=plain))
        return found

    for response, acc in (("even", 1.0), ("odd", 0.0)):
        found = asyncio.run(managed(response))
        assert found["reward_score"] == 0.5
        extra = found["reward_extra_info"]
        assert isinstance(extra, dict)
        assert (extra["acc"], extra["outcome"]) == (acc, "correct" if acc else "wrong")
        assert extra["pred"] == f"mycorp__verse:{json.loads(row['extra_info']['rest'])['level']}"


def test_a_base_model_is_measured_anew_under_another_reward(project: Path) -> None:
    del project
    names = {
        suite_digest(run, model_digest="m", data_digest="d")
        for run in (
            cached_spec(),
            spec("reward.path=my_rewards.py:score"),
            spec("reward.sources={x: my_rewards.py:score}"),
            replace(spec("reward.path=my_rewards.py:score"), seed=3),
        )
    }
    assert len(names) == 3


def test_a_function_that_always_fails_ends_its_run_before_training_with_its_error_in_the_row(project: Path) -> None:
    pytest.importorskip("verl", reason="needs verl")
    (project / "my_rewards.py").write_text("def score(**_): return undefined\n")
    settings = (*SMALL, "model=tiny-40k", "model.warm_start.steps=0", "data_root=data", "training.total_steps=2")
    command = [sys.executable, "-m", "sweeper", *settings, "reward.path=my_rewards.py:score"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == EXIT_FAILED, done.stderr
    (row,) = read_rows(project / "results")
    assert row.failure is not None
    assert (row.failure.phase, row.failure.failure_class) == ("evaluate base", FailureClass.reward)
    told = r"failed for (1\d) of the last \1 answers; the last: NameError: name 'undefined' is not"  # answers overlap
    assert re.search(told, row.failure.reason), row.failure.reason


def test_partial_credit_is_a_setting_that_training_alone_uses() -> None:
    run = cached_spec("reward.partial_credit=true")
    assert run.run_id != cached_spec().run_id
    here = Path("/unused")
    files = Files(model=here, train=here, val=here, checkpoints=here, validations=here, hydra=here, rewards=here)
    assert "++reward.custom_reward_function.reward_kwargs.partial_credit=true" in verl_overrides(run, files, Device.cpu)
    assert suite_digest(run, model_digest="m", data_digest="d") == suite_digest(
        cached_spec(), model_digest="m", data_digest="d"
    )


def test_the_plan_shows_and_refuses_from_any_folder_without_a_traceback(project: Path) -> None:
    (project / "rewards.py").write_text("def score(**_): return 1.0\n")  # the name of our own package
    command = [sys.executable, "-m", "sweeper", "plan", "--json"]
    for name, code in (("rewards.py:score", EXIT_OK), ("gone.py:score", EXIT_USAGE)):
        done = subprocess.run([*command, f"reward.path={name}"], capture_output=True, text=True, env=dict(os.environ))
        assert done.returncode == code, done.stderr
        (run,) = json.loads(done.stdout)["data"]["runs"]
        assert (run["state"] == "new") == (name == "rewards.py:score")
        assert "Traceback" not in done.stdout + done.stderr
