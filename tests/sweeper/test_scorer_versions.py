"""A scorer that is new or has changed gives new ids to the runs that score with it, and to no others."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rewards.gym import package
from rewards.route.scorers import _SCORERS, GRAPH, INTEGER, raised_versions, scorer_of
from sweeper.grid.expand import expand
from sweeper.host import machine
from sweeper.host.errors import ConfigError
from sweeper.inputs.scorer_versions import refuse_other_code
from sweeper.plan.plan import spec_from
from sweeper.plan.refusals import check
from sweeper.rows.base_counts import suite_digest
from sweeper.spec.run import RunSpec


def spec(*overrides: str) -> RunSpec:
    """Not through a cache: scorers differ from call to call."""
    return spec_from(expand(overrides, multirun=False).points[0].config)


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Scorers as a contributor leaves them: that of integers changed, and one added for reversed words."""

    def changed() -> None:
        monkeypatch.setitem(_SCORERS, "math__synthetic", replace(INTEGER, version=1))
        monkeypatch.setitem(_SCORERS, "logic__reversed", replace(GRAPH, family="reversed", version=1))
        scorer_of.cache_clear()

    yield changed
    monkeypatch.undo()
    scorer_of.cache_clear()


ONLY_LOGIC = ("domain_mix=logic", "eval.domains=[logic]")
ONLY_MATH = ("domain_mix=math", "eval.domains=[math]")


def test_of_the_scorers_that_have_left_suite_2_none_scores_synthetic_tasks() -> None:
    assert raised_versions() == {"code": 1, "gsm8k": 1, "math": 1, "reasoning gym": 1, "stem": 1, "table": 1}
    assert spec("domain_mix=code", "eval.domains=[code]").reward.versions == {}


@pytest.mark.parametrize(
    ("overrides", "versions"),
    [
        ((), {"integer": 1}),
        (ONLY_MATH, {"integer": 1}),
        (("domain_mix=logic",), {"integer": 1}),  # math is still evaluated
        (ONLY_LOGIC, {}),
    ],
)
def test_a_changed_scorer_renames_the_runs_of_its_source_alone(
    overrides: tuple[str, ...], versions: dict[str, int], change: Callable[[], None]
) -> None:
    before = spec(*overrides)
    change()
    after = spec(*overrides)
    assert after.reward.versions == versions
    assert (after.run_id == before.run_id) == (not versions)
    digests = {suite_digest(one, model_digest="m", data_digest="d") for one in (before, after)}
    assert len(digests) == (2 if versions else 1)


def test_a_run_scored_by_a_function_of_ones_own_does_not_care(change: Callable[[], None], tmp_path: Path) -> None:
    (tmp_path / "my_rewards.py").write_text("def score(**_): return 1.0\n")
    reward = f"{tmp_path}/my_rewards.py:score"
    everything, some = (f"reward.path={reward}",), (f"reward.sources={{math__synthetic: '{reward}'}}",)
    before = [spec(*own) for own in (everything, some)]
    change()
    assert [spec(*own).run_id for own in (everything, some)] == [one.run_id for one in before]


def rows(*sources: str) -> list[dict[str, object]]:
    return [
        {
            "data_source": source,
            "prompt": [{"role": "user", "content": f"problem {number}"}],
            "reward_model": {"ground_truth": "a"},
        }
        for number, source in enumerate(sources)
    ]


def write_jsonl(folder: Path, source: str) -> None:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows("logic__graph_logical", source)))


def write_parquet(folder: Path, source: str) -> None:
    pq.write_table(pa.Table.from_pylist(rows("logic__graph_logical", source)), folder / "rows.parquet")


def write_mapped(folder: Path, source: str) -> None:
    (folder / "rows.jsonl").write_text('{"question": "q", "answer": "a", "kind": "k"}\n')
    (folder / "columns.yaml").write_text(
        f'"*.jsonl": {{prompt: question, ground_truth: answer, data_source: {source}}}'
    )


def write_mapped_column(folder: Path, source: str) -> None:
    (folder / "rows.jsonl").write_text(json.dumps({"question": "q", "answer": "a", "kind": source}) + "\n")
    declared = "{prompt: question, ground_truth: answer, data_source_column: kind}"
    (folder / "columns.yaml").write_text(f'"*.jsonl": {declared}')


@pytest.mark.parametrize("write", [write_jsonl, write_parquet, write_mapped, write_mapped_column])
def test_a_new_scorer_renames_the_runs_on_folders_that_have_its_source(
    write: Callable[[Path, str], None], change: Callable[[], None], tmp_path: Path
) -> None:
    folders = {}
    for name, source in (("has", "logic__reversed_words"), ("has_not", "logic__zebra"), ("unknown", "poetry")):
        folders[name] = tmp_path / name
        folders[name].mkdir()
        write(folders[name], source)
    before = {name: spec(*ONLY_LOGIC, f"data_root={folder}") for name, folder in folders.items()}
    change()
    after = {name: spec(*ONLY_LOGIC, f"data_root={folder}") for name, folder in folders.items()}
    assert {name: one.reward.versions for name, one in after.items()} == {
        "has": {"reversed": 1},
        "has_not": {},
        "unknown": {},
    }
    assert [name for name in folders if after[name].run_id != before[name].run_id] == ["has"]
    # Of a domain that the run neither trains nor measures.
    assert spec(*ONLY_MATH, f"data_root={folders['has']}").reward.versions == {}


def test_a_run_on_problems_of_reasoning_gym_without_the_package_is_refused_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(tmp_path, "logic__reasoning_gym__countdown")
    planned = spec(f"data_root={tmp_path}", *ONLY_LOGIC)
    assert planned.reward.versions == {"reasoning gym": 1}
    monkeypatch.setattr(package, "VERSION", "0.1.26")
    package.require.cache_clear()
    with pytest.raises(ConfigError, match=r"has tasks of reasoning-gym: .*Install it: make setup in a checkout"):
        check(planned, family="tiny")


@pytest.mark.parametrize("verl", ["0.9.1", "0.9.2"])
def test_a_run_made_for_other_scorers_or_another_verl_is_refused_where_it_would_run(
    verl: str, change: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "versions", lambda: {"verl": verl})
    run, logic = spec(), spec(*ONLY_LOGIC)
    if verl == run.verl_version:
        refuse_other_code(run)
        change()
        refuse_other_code(logic)  # its scorers are the same
    with pytest.raises(ConfigError, match=r"was made for .* launch its command again, which makes another run of it"):
        refuse_other_code(run)
    with pytest.raises(ConfigError, match="was made for reward suite"):
        refuse_other_code(replace(run, reward_suite="1"))


@pytest.mark.parametrize("name", ["scorers", "versions"])
def test_what_is_filled_in_cannot_be_set(name: str) -> None:
    value = "[{source: a, file: b, function: c, digest: d}]" if name == "scorers" else "{math: 1}"
    with pytest.raises(ConfigError, match=rf"reward\.{name} is filled in from reward\.path"):
        spec(f"reward.{name}={value}")
