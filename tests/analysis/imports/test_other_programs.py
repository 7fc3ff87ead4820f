"""Histories of trackers and trainers: names, units, runs and what has no place are recognised, said, or asked for."""

import json
from pathlib import Path

import pytest

from analysis.cli import main
from sweeper.rows.row import ResultRow, read_rows

PANEL = '"Step","A - {0}","A - {0}__MIN","A - {0}__MAX","B - {0}"\n0,.1,.1,.1,.2\n10,.3,.1,.1,.25\n'
ACC, REWARD = "val-core/x/acc/mean@1", "critic/score/mean"


def imported(path: Path, *more: str) -> dict[str, ResultRow]:
    results = path.parent / "results"
    assert main(["import", str(path), "--results", str(results), "--model", "Qwen/Qwen2.5-0.5B", *more]) == 0
    return {row.imported.name: row for row in read_rows(results) if row.imported}


def refused(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main(["import", str(path), "--results", str(path.parent / "r"), "--model", "tiny-40k", *more]) == 2
    assert not (path.parent / "r").exists()
    return capsys.readouterr().err


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_panel_export_is_mapped_by_the_name_of_its_metric_and_unlabelled_runs_are_two_arms(tmp_path: Path) -> None:
    name = "val-core/G/reward/mean@1"
    rows = imported(written(tmp_path / "p.csv", PANEL.format(name)), "--map", f"{name}={ACC}")
    found = {run: [point.val_pass1 for point in row.curve] for run, row in rows.items()}
    assert found == {"A": [0.1, 0.3], "B": [0.2, 0.25]}
    assert len({row.group_id for row in rows.values()}) == 2
    assert {row.algorithm for row in rows.values()} == {"unknown (A)", "unknown (B)"}


def test_each_column_of_a_panel_keeps_its_run_when_it_is_mapped(tmp_path: Path) -> None:
    name = "Eval Loss"
    maps = [argument for run in "AB" for argument in ("--map", f"{run} - {name}={REWARD}")]
    rows = imported(written(tmp_path / "p.csv", PANEL.format(name)), *maps)
    assert {run: row.curve[0].reward for run, row in rows.items()} == {"A": 0.1, "B": 0.2}


def test_labels_that_are_all_said_make_seeds_of_one_arm(tmp_path: Path) -> None:
    labels = ("--algorithm", "grpo", "--domain-mix", "math", "--data-scale", "n1k")
    rows = imported(written(tmp_path / "p.csv", PANEL.format(REWARD)), *labels)
    assert len({row.group_id for row in rows.values()}) == 1


def test_percent_is_divided_and_said_and_percent_among_fractions_refused(tmp_path: Path, capsys) -> None:
    rows = imported(written(tmp_path / "p.csv", f"step,{ACC}\n1,21\n2,57\n"))
    assert [point.val_pass1 for point in rows["p"].curve] == [0.21, 0.57]
    assert rows["p"].imported
    assert "2 accuracies are percentages" in rows["p"].imported.missing["units"]
    assert "percent among fractions" in refused(written(tmp_path / "q.csv", f"step,{ACC}\n1,0.2\n2,57\n"), capsys)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("step,a,a\n1,2,3\n", "two columns named a"),
        ("step,critic/score/mean\n0.5,1\n", "step=0.5 is not a whole number"),
        ("step,loss - smoothed,acc - raw\n1,2,3\n", "none of its metrics (loss - smoothed, acc - raw)"),
        ("step," + ",".join(f"c{i}" for i in range(40)) + "\n1" + ",2" * 40 + "\n", "and 34 more"),
    ],
)
def test_what_is_no_history_is_refused_with_what_to_say(text: str, words: str, tmp_path: Path, capsys) -> None:
    assert words in refused(written(tmp_path / "a.csv", text), capsys)


def test_metrics_and_texts_without_a_place_are_listed_with_counts(tmp_path: Path) -> None:
    text = f"step,{REWARD},actor/lr,note\n1,.1,1e-6,x\n2,.2,1e-6,y\n"
    (row,) = imported(written(tmp_path / "a.csv", text)).values()
    assert row.imported
    assert "2 values of 1 metrics have no place in a row: actor/lr" in row.imported.missing["metrics"]
    assert "2 values are no numbers and were left out, in note" in row.imported.missing["texts"]


def test_steps_are_those_that_were_made_and_sums_need_all_of_them(tmp_path: Path) -> None:
    lines = "".join(f"{step},.1,1000\n" for step in (10, 20, 30))
    (row,) = imported(written(tmp_path / "a.csv", f"step,{REWARD},perf/total_num_tokens\n{lines}")).values()
    assert (row.steps, row.train_tokens) == (30, None)
    assert row.imported
    assert "logged at 3 of 30 steps" in row.imported.missing["train_tokens"]


def test_the_state_of_a_trainer_is_its_history_and_not_its_last_step(tmp_path: Path) -> None:
    entries = [{"step": step, "reward": step / 100, "kl": 0.1, "loss": 1.0} for step in (10, 20)]
    state = {"global_step": 20, "max_steps": 20, "log_history": [*entries, {"step": 20, "train_runtime": 5.0}]}
    path = tmp_path / "mine" / "checkpoint-20" / "trainer_state.json"
    path.parent.mkdir(parents=True)
    (row,) = imported(written(path, json.dumps(state))).values()
    assert [(point.step, point.reward, point.kl) for point in row.curve] == [(10, 0.1, 0.1), (20, 0.2, 0.1)]
    assert row.imported
    assert (row.steps, row.imported.name) == (20, "mine")
    assert "reward as critic/score/mean" in row.imported.missing["names"]


def test_dictionaries_that_a_trainer_printed_are_numbered_and_that_is_said(tmp_path: Path) -> None:
    lines = [f" 1%|# | 1/9 [00:01]{{'loss': '0.1', 'reward': {i / 8}, 'epoch': 0.1}}" for i in (1, 2, 3)]
    (row,) = imported(written(tmp_path / "a.log", "\n".join(lines))).values()
    assert [point.reward for point in row.curve] == [0.125, 0.25, 0.375]
    assert row.steps is None
    assert row.imported
    assert "3 entries are numbered in order" in row.imported.missing["order"]


def test_parquet_and_a_column_of_runs_are_read(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"run": ["a", "a", "b"], "step": [1, 2, 1], REWARD: [0.1, 0.2, 0.3]})
    frame.to_parquet(tmp_path / "a.parquet")
    rows = imported(tmp_path / "a.parquet")
    assert {run: [point.reward for point in row.curve] for run, row in rows.items()} == {"a": [0.1, 0.2], "b": [0.3]}


def test_event_files_of_tensorboard_are_attempts_of_a_run(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    folder = tmp_path / "mine"
    for number, steps in enumerate((range(1, 6), range(4, 7))):
        writer = EventFileWriter(str(folder), filename_suffix=f".{number}")
        for step in steps:
            value = Summary.Value(tag=REWARD, simple_value=number + step / 8)
            writer.add_event(Event(step=step, wall_time=0.0, summary=Summary(value=[value])))
        writer.close()
    (row,) = imported(folder).values()
    assert [(point.step, point.reward) for point in row.curve] == [
        (1, 0.125), (2, 0.25), (3, 0.375), (4, 1.5), (5, 1.625), (6, 1.75),
    ]  # fmt: skip
