"""What varies between runs is a column of every table, under the name and in the words of one owner."""

import csv
import io
import json
from pathlib import Path

import pytest

from sweeper.launch.progress import Reporter
from sweeper.rows import table
from sweeper.rows.differences import Difference, beside, differences, swept, written
from sweeper.rows.grid_file import Member, Membership
from sweeper.rows.row import read_row, read_rows, row_path, write_row
from sweeper.runs.folder import RunDir
from sweeper.training.tracking import title
from tests.sweeper.points import spec
from tests.sweeper.rows import row


def told(*points: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Key, name and texts of what differs between points."""
    return [
        (item.key, item.name, item.texts) for item in differences([spec(*text.split()).settings() for text in points])
    ]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (
            ("training.actor_lr=3e-4", "training.actor_lr=1e-3", ""),  # the model's own where the regime states none
            [("training.actor_lr", "lr", ("3e-4", "1e-3", "5e-4"))],
        ),
        (
            ("+verl.actor_rollout_ref.rollout.top_k=5", "+verl.actor_rollout_ref.rollout.top_k=7", ""),
            [("verl.actor_rollout_ref.rollout.top_k", "top_k", ("5", "7", "unset"))],
        ),
        (
            ("training.train_batch_size=16", "training.train_batch_size=32"),
            [("training.train_batch_size", "batch", ("16", "32"))],
        ),
        (("eval.ks=[1,2]", "eval.ks=[1,4]"), [("eval.ks", "ks", ("[1,2]", "[1,4]"))]),
        (("model=tiny-40k", "model=tiny-130k"), [("model.name", "model.name", ("tiny-40k", "tiny-130k"))]),
        (
            ("model.warm_start.steps=60", "model.warm_start.steps=80"),
            [("model.warm_start.steps", "warm_start.steps", ("60", "80"))],
        ),
        (
            ("seed=0", "seed=1 data.seed=1"),
            [("data.seed", "data.seed", ("0", "1")), ("seed", "seed", ("0", "1"))],
        ),
        (
            (
                "data.sft_share=0.1 training.sft.lr=1e-4 training.temperature=0.7",
                "data.sft_share=0.1 training.sft.lr=1e-3 training.temperature=1.0",
            ),
            [
                ("training.temperature", "temperature", ("0.7", "1")),
                ("training.sft.lr", "sft.lr", ("1e-4", "1e-3")),
            ],
        ),
        (("cluster=local", "cluster=slurm cluster.gpu_type=H200 logging.wandb=true"), []),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_difference_has_its_key_a_short_name_and_its_values_in_words(
    points: tuple[str, ...], expected: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    assert told(*points) == expected


def test_what_a_name_says_is_not_told_again_unless_parts_of_one_name_differ() -> None:
    assert [key for key, _, _ in told("algorithm=grpo", "algorithm=ppo")] == ["algorithm.name"]
    three = ("algorithm=grpo", "algorithm=ppo", "algorithm=ppo algorithm.gamma=0.9")
    assert [key for key, _, _ in told(*three)] == ["algorithm.name", "algorithm.gamma"]


def test_two_names_with_one_end_are_told_apart_by_more_of_their_keys() -> None:
    points = ("+verl.a.lr=1 +verl.b.lr=2", "+verl.a.lr=3 +verl.b.lr=4")
    assert [name for _, name, _ in told(*points)] == ["a.lr", "b.lr"]


def test_folders_are_told_by_their_last_name_where_that_tells_them_apart() -> None:
    def texts(*roots: str) -> tuple[str, ...]:
        (item,) = differences([{"data.root": root, "data.digest": root} for root in roots])
        return item.texts

    assert texts("/a/one", "/a/two") == ("one", "two")
    assert texts("/a/one", "/b/one") == ("/a/one", "/b/one")


def test_rewards_are_told_by_their_files_and_by_their_content_where_a_file_has_changed() -> None:
    def texts(*rewards: tuple[str | None, str]) -> dict[str, tuple[str, ...]]:
        scorers = [[{"source": "", "file": path, "digest": digest}] if path else None for path, digest in rewards]
        settings = [
            {key: value for key, value in (("reward.path", path), ("reward.scorers", own)) if value}
            for (path, _), own in zip(rewards, scorers, strict=True)
        ]
        return {item.name: item.texts for item in differences(settings)}

    assert texts((None, ""), ("mine.py:score", "0a")) == {"reward": ("unset", "mine.py:score")}
    assert texts(("mine.py:score", "0a"), ("mine.py:score", "0b")) == {"scorers": ("0a", "0b")}


def test_scorers_of_rewards_given_by_source_are_no_difference_of_their_own_while_their_files_are_the_same() -> None:
    def keys(*rewards: tuple[str, str]) -> list[str]:
        own = [{"reward.sources.x": path, "reward.scorers": [{"digest": digest}]} for path, digest in rewards]
        return [item.key for item in differences(own)]

    assert keys(("a.py:score", "0a"), ("b.py:score", "0b")) == ["reward.sources.x"]
    assert keys(("a.py:score", "0a"), ("a.py:score", "0b")) == ["reward.scorers"]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"model": "tiny-40k", "training.actor_lr": "0.0003", "seed": "1"}, "lr 3e-4"),
        ({"training.train_batch_size": "16", "data_root": "/a/mine", "algorithm": "ppo"}, "batch 16, data mine"),
        ({"data_scale.n_unique": "64", "data.sft_share": "0.1", "domain_mix": "math"}, ""),
        ({"training.actor_lr": "null", "algorithm.gamma": "", "training": "short"}, "lr null, training short"),
    ],
)
def test_beside_an_id_stands_what_was_swept_and_it_does_not_tell(choice: dict[str, str], told: str) -> None:
    assert beside(choice) == told


def test_a_run_is_named_with_what_the_grids_it_is_in_vary(tmp_path: Path) -> None:
    one = spec("training.actor_lr=1e-3")
    for axis, label in (("training.actor_lr", "0.001"), ("algorithm.gamma", "0.9")):
        member = Member(run_id=one.run_id, choice=(label,))
        Membership(name=f"by_{axis}", grid=None, axes={axis: (label,)}, members=(member,)).write(tmp_path)
    assert swept(tmp_path) == {one.run_id: "lr 1e-3, gamma 0.9"}
    lines = io.StringIO()
    run_dir = RunDir(results_dir=tmp_path, run_id=one.run_id)
    Reporter([run_dir], tmp_path, lines).started(run_dir)
    name, _, digits = one.run_id.rpartition("-")
    assert lines.getvalue() == f"[0/1 runs, 0%] {name} (lr 1e-3, gamma 0.9): started, {digits[:8]}\n"
    assert title(one, tmp_path) == f"{one.run_id} (lr 1e-3, gamma 0.9)"


def test_a_run_whose_settings_are_not_known_is_said_to_be_unknown() -> None:
    (item,) = differences([{"x": 1}, None, {"x": 2}, {}])
    assert (item.texts, item.values) == (("1", "unknown", "2", "unset"), (1, None, 2, None))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3e-4, "3e-4"),
        (1.5e-06, "1.5e-6"),
        (0.95, "0.95"),
        (0.0, "0"),
        (5e6, "5e6"),
        (True, "true"),
        ("a b", "a b"),
        (7, "7"),
    ],
)
def test_values_are_written_short(value: object, text: str) -> None:
    assert written(value) == text


def test_a_column_is_of_one_type_or_of_text() -> None:
    def column(*values: object) -> tuple[object, ...]:
        return Difference(key="k", name="k", values=values, texts=()).columns

    assert column(1, 0.5, None) == (1, 0.5, None)
    assert column(1, "all", None) == ("1", "all", None)
    assert column([1, 2], [3]) == ("[1,2]", "[3]")


LRS = ("1e-3", "1e-4", "3e-4")


def test_a_swept_setting_is_a_column_of_the_table_of_csv_parquet_sql_and_json(tmp_path: Path) -> None:
    import pyarrow.parquet

    rows = [row(spec(f"training.actor_lr={lr}", "eval.ks=[1,2]")) for lr in LRS]
    lines = table.text(rows).splitlines()
    assert "lr" in lines[0].split()
    place = lines[0].split().index("lr")
    assert [line.split()[place] for line in lines[2:5]] == ["1e-4", "3e-4", "1e-3"]  # in the order of the values
    assert "ks" not in lines[0]
    expected = [float(lr) for lr in LRS]
    read = csv.DictReader(io.StringIO(table.to_csv(rows)))
    assert [float(item["training.actor_lr"]) for item in read] == expected
    table.to_parquet(rows, tmp_path / "t.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "t.parquet")["training.actor_lr"].to_pylist() == expected
    assert table.query(rows, 'select max("training.actor_lr") from results')[1] == [(1e-3,)]
    assert [item["training.actor_lr"] for item in json.loads(json.dumps(table.records(rows)))] == expected
    assert "training.actor_lr" not in table.records(rows[:1])[0]


def test_a_row_of_an_earlier_version_takes_its_settings_from_the_specification_of_its_run(tmp_path: Path) -> None:
    for lr in LRS:
        run = spec(f"training.actor_lr={lr}")
        RunDir(results_dir=tmp_path, run_id=run.run_id).freeze(run)
        path = write_row(tmp_path, row(run))
        values = json.loads(path.read_text())
        del values["settings"]
        path.write_text(json.dumps(values))
    assert "training.actor_lr" in table.to_csv(list(read_rows(tmp_path)))
    assert read_row(row_path(tmp_path, run.run_id)).settings == run.settings()
