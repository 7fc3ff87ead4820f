"""What launches leave in `grids/`: nothing that was launched is lost, whatever is launched after it."""

import json
import re
from pathlib import Path

import pytest

from sweeper.host.errors import ConfigError, DamagedError
from sweeper.plan.plan import save_grid
from sweeper.rows.grid_file import Membership, grids, tell_others
from tests.sweeper.points import plan
from tests.sweeper.test_run_ids import ROW


def members(results: Path, name: str) -> set[str]:
    return {member.run_id for member in Membership.read(results, name).members}


def test_a_narrower_launch_of_a_grid_neither_removes_nor_adds_a_member_nor_gets_a_record(tmp_path: Path) -> None:
    whole = plan(tmp_path, "+grid=model_scale")
    save_grid(whole, tmp_path)
    written = (tmp_path / "grids" / "model_scale.json").read_bytes()
    for narrowed in (("model=tiny-40k,tiny-130k",), ("model=tiny-40k",), ("data_scale=n64", "training.total_steps=20")):
        found = plan(tmp_path, "+grid=model_scale", *narrowed)
        assert found.grid == "model_scale"
        save_grid(found, tmp_path)
        assert (tmp_path / "grids" / "model_scale.json").read_bytes() == written
    assert grids(tmp_path) == ["model_scale"]


def test_a_wider_launch_adds_its_runs_with_their_labels_in_the_order_of_the_axes(tmp_path: Path) -> None:
    for asked in (("model=tiny-130k",), ("model=tiny-40k,tiny-130k",), ("data_scale=n64", "seed=1")):
        save_grid(plan(tmp_path, "+grid=model_scale", *asked), tmp_path)
    record = Membership.read(tmp_path, "model_scale")
    assert record.axes == {
        "model": ("tiny-130k", "tiny-40k", "tiny-430k", "tiny-1.4m"),
        "data_scale": ("n64", "n320"),
    }
    assert [member.choice for member in record.members][:4] == [
        ("tiny-130k", "n64"),
        ("tiny-130k", "n64"),
        ("tiny-130k", "n320"),
        ("tiny-40k", "n64"),
    ]
    assert len({member.run_id for member in record.members}) == len(record.members) == 8


OTHER_LAUNCHES = [  # of model_scale, and what their records are called
    (("model_family=qwen2.5", "cluster=slurm"), "model_scale+qwen2.5"),
    (("training.total_steps=40",), "model_scale+total_steps=40"),
    (("training.actor_lr=1e-3,3e-4",), "model_scale+by_lr"),
    (("algorithm=ppo", "+verl.actor_rollout_ref.rollout.top_k=5"), "model_scale+ppo+top_k=5"),
]


def test_launches_that_ask_something_else_have_records_of_their_own(tmp_path: Path) -> None:
    save_grid(plan(tmp_path, "+grid=model_scale"), tmp_path)
    whole = members(tmp_path, "model_scale")
    for asked, name in OTHER_LAUNCHES:
        found = plan(tmp_path, "+grid=model_scale", *asked)
        save_grid(found, tmp_path)
        assert found.grid == name
        assert members(tmp_path, name) == {run.run_id for run in found.runs}
        assert members(tmp_path, "model_scale") == whole
    assert set(grids(tmp_path)) == {"model_scale", *(name for _, name in OTHER_LAUNCHES)}


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("seed=0,1", "by_seed"),
        ("training.actor_lr=1e-3,3e-4 seed=0,1", "by_lr"),
        ("model=tiny-40k training.actor_lr=1e-3,3e-4", "by_lr+tiny-40k"),
        ("model=tiny-40k,tiny-130k +verl.actor_rollout_ref.rollout.top_k=5,7", "by_model_top_k"),
        ("algorithm=grpo,ppo training.total_steps=3 results_dir=x", "by_algorithm+total_steps=3"),
        ("algorithm=grpo,ppo grid.name=mine", "mine"),
        ("+grid=algorithm grid.name=mine.2", "mine.2"),
    ],
)
def test_a_sweep_is_called_after_its_axes_and_what_is_fixed_or_as_the_user_says(
    arguments: str, name: str, tmp_path: Path
) -> None:
    assert plan(tmp_path, *arguments.split()).grid == name


def test_a_long_name_ends_in_a_digest_of_what_is_fixed(tmp_path: Path) -> None:
    fixed = [f"eval.n_samples={n}" for n in (8,)] + ["eval.ks=[1,8]", "training.temperature=0.7", "training.top_p=0.9"]
    names = {
        plan(tmp_path, "seed=0,1", *fixed, f"training.total_steps={steps}", "training.weight_decay=0.2").grid
        for steps in (3, 4)
    }
    assert len(names) == 2
    assert all(re.fullmatch(r"by_seed\+[0-9a-f]{6}", str(name)) for name in names)


@pytest.mark.parametrize("name", ["a/b", "..", "", ".hidden", "a b"])
def test_a_name_that_is_no_plain_component_of_a_path_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"grid\.name"):
        plan(tmp_path, "seed=0,1", f"grid.name='{name}'")


def test_what_the_user_gives_one_name_is_one_record(tmp_path: Path) -> None:
    for steps in (3, 4):
        save_grid(plan(tmp_path, "seed=0,1", f"training.total_steps={steps}", "grid.name=mine"), tmp_path)
    assert len(members(tmp_path, "mine")) == 4


def test_two_things_asked_for_whose_names_are_alike_get_records_of_their_own(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / "rows" / "train").mkdir(parents=True)
        line = ROW.replace("1 + 1", f"{folder} + 1")
        (tmp_path / folder / "rows" / "train" / "math.jsonl").write_text(line)
    asked = [plan(tmp_path, "seed=0,1", f"data_root={tmp_path / folder / 'rows'}") for folder in ("a", "b")]
    save_grid(asked[0], tmp_path)
    again = plan(tmp_path, "seed=0,1", f"data_root={tmp_path / 'b' / 'rows'}")
    assert asked[0].grid == "by_seed+data=rows"
    assert re.fullmatch(r"by_seed\+data=rows\+[0-9a-f]{6}", str(again.grid))


def test_a_record_of_an_earlier_version_is_kept_whatever_is_launched(tmp_path: Path) -> None:
    old = {"grid": "model_scale", "axes": {"model": ["qwen2.5-7b"]}, "run_ids": ["qwen2.5-7b_grpo-0123"]}
    (tmp_path / "grids").mkdir()
    (tmp_path / "grids" / "model_scale.json").write_text(json.dumps(old))
    found = plan(tmp_path, "+grid=model_scale")
    save_grid(found, tmp_path)
    assert members(tmp_path, "model_scale") == {"qwen2.5-7b_grpo-0123"}
    assert members(tmp_path, str(found.grid)) == {run.run_id for run in found.runs}
    (tmp_path / "grids" / "model_scale.json").write_text(json.dumps(old | {"run_ids": [found.runs[0].run_id]}))
    (tmp_path / "grids" / f"{found.grid}.json").unlink()
    assert plan(tmp_path, "+grid=model_scale").grid == "model_scale"


def test_a_grids_name_finds_its_record_and_says_which_where_there_are_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def launched(*asked: str) -> None:
        save_grid(plan(tmp_path, "+grid=model_scale", *asked), tmp_path)

    launched("model_family=qwen2.5", "cluster=slurm")
    assert Membership.read(tmp_path, "model_scale").name == "model_scale+qwen2.5"
    launched("training.total_steps=40")
    with pytest.raises(
        ConfigError, match=r"several ways: name one of model_scale\+qwen2\.5, model_scale\+total_steps=40"
    ):
        Membership.read(tmp_path, "model_scale")
    launched()
    assert Membership.read(tmp_path, "model_scale").name == "model_scale"
    tell_others(tmp_path, "model_scale")
    assert capsys.readouterr().err == (
        "this is model_scale; its grid was also launched as model_scale+qwen2.5, model_scale+total_steps=40\n"
    )


def test_a_damaged_record_is_named_with_its_cure_and_the_next_launch_writes_it_anew(tmp_path: Path) -> None:
    path = tmp_path / "grids" / "by_seed.json"
    for text in ("", "[]", "{}", '{"axes": {}, "run_ids": 3}', "null"):
        found = plan(tmp_path, "seed=0,1")
        save_grid(found, tmp_path)
        assert members(tmp_path, "by_seed") == {run.run_id for run in found.runs}
        path.write_text(text)
        with pytest.raises(
            DamagedError, match=r"by_seed\.json is damaged: .*the next launch of the grid writes it anew"
        ):
            Membership.read(tmp_path, "by_seed")
