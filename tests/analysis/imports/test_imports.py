"""Runs made elsewhere, read from real logs: wandb's is written here by wandb, the console line by verl's own logger."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.cli import main
from analysis.imports.rows import known_models
from sweeper.grid.expand import group_options
from sweeper.rows.row import ResultRow, Status, read_rows
from sweeper.spec.model import Architecture
from tests.sweeper.points import spec

OFFLINE = """
import wandb
config = {"actor_rollout_ref": {"model": {"path": "Qwen/Qwen2.5-7B"}, "rollout": {"n": 8}},
          "data": {"train_batch_size": 16, "seed": 3}, "algorithm": {"adv_estimator": "grpo"},
          "trainer": {"nnodes": 1, "n_gpus_per_node": 4, "device": "cuda"}}
run = wandb.init(project="p", name="seven b", config=config)
run.log({"val-core/math/acc/mean@1": 0.25}, step=0)
for step in (1, 2, 3):
    run.log({"critic/score/mean": 0.1 * step, "perf/total_num_tokens": 1000 * step, "perf/time_per_step": 2.0,
             "actor/entropy": float("nan") if step == 2 else 0.5, "note": "x" * 40_000}, step=step)
run.finish(exit_code=0)
"""
STEPS = [(step, {"critic/score/mean": step / 8, "perf/total_num_tokens": 100 * step}) for step in (1, 2, 3)]


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What wandb leaves without a network."""
    folder = tmp_path_factory.mktemp("wandb")
    quiet = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(folder), "WANDB_CONSOLE": "off"}
    subprocess.run([sys.executable, "-c", OFFLINE], check=True, env={**os.environ, **quiet}, cwd=folder, timeout=120)
    return folder / "wandb"


def imported(results: Path, *arguments: object) -> list[ResultRow]:
    assert main(["import", *map(str, arguments), "--results", str(results)]) == 0
    return list(read_rows(results))


def metrics_file(path: Path) -> Path:
    path.write_text(
        "".join(json.dumps({"step": step, "data": data}) + "\n" for step, data in STEPS) + '{"step": 4, "da'
    )
    return path


def test_an_offline_wandb_folder_becomes_a_row(offline: Path, tmp_path: Path) -> None:
    (row,) = imported(tmp_path / "results", offline, "--domain-mix", "math")
    assert not (tmp_path / "results").stat().st_mode & 0o077  # its user's alone
    assert (row.model, row.algorithm, row.domain_mix, row.seed) == ("qwen2.5-7b", "grpo", "math", 3)
    assert (row.status, row.steps, row.train_samples, row.train_tokens) == (Status.completed, 3, 3 * 16 * 8, 6000)
    assert row.gpu_seconds == 4 * 6.0
    assert row.flops is not None
    assert (row.flops.published_6nt, row.flops.total) == (6 * 7e9 * 6000, None)
    assert [(point.step, point.reward, point.val_pass1) for point in row.curve][:2] == [(0, None, 0.25), (1, 0.1, None)]
    assert [point.entropy for point in row.curve] == [None, 0.5, None, 0.5]
    assert row.imported is not None
    assert (row.imported.kind, row.imported.name) == ("wandb", "seven b")
    assert set(row.imported.missing) == {"data_scale", "lost_samples", "n_unique", "problems_seen", "trained"}


def test_importing_again_changes_nothing_and_other_labels_do_not_overwrite(
    offline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = imported(tmp_path, offline)
    assert imported(tmp_path, offline, offline) == [row]
    assert "there already" in capsys.readouterr().out
    assert imported(tmp_path, offline, "--seed", 9) == [row]
    assert "with other labels; remove it by hand" in capsys.readouterr().out


def test_a_wandb_log_that_was_cut_off_is_read_up_to_its_last_whole_record(offline: Path, tmp_path: Path) -> None:
    from analysis.imports.wandb_log import read_wandb, records

    log = next(offline.glob("offline-run-*/*.wandb"))
    whole, data = list(records(log)), log.read_bytes()
    torn = tmp_path / "torn.wandb"
    lengths = set()
    for end in range(7, len(data), len(data) // 60):
        torn.write_bytes(data[:end])
        found = list(records(torn))
        assert found == whole[: len(found)]
        lengths.add(len(found))
    assert len(lengths) > 5
    torn.write_bytes(data[: len(data) // 2])
    assert read_wandb(torn).finished is None


def test_a_damaged_record_ends_the_log_and_another_file_is_refused(
    offline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from analysis.imports.wandb_log import records

    data = bytearray(next(offline.glob("offline-run-*/*.wandb")).read_bytes())
    data[60_000] ^= 1
    (tmp_path / "bad.wandb").write_bytes(data)
    assert len(list(records(tmp_path / "bad.wandb"))) > 0
    (tmp_path / "other.wandb").write_bytes(b"not a log at all")
    assert main(["import", str(tmp_path / "other.wandb"), "--results", str(tmp_path)]) == 2
    assert "does not begin like a .wandb log" in capsys.readouterr().err


def test_verls_metrics_file_and_console_output_say_the_same(tmp_path: Path) -> None:
    import numpy as np
    from verl.utils.logger.aggregate_logger import concat_dict_to_str

    lines = [concat_dict_to_str({key: np.float64(value) for key, value in data.items()}, step) for step, data in STEPS]
    log = tmp_path / "log.txt"
    log.write_text(
        "starting\n" + "".join(f"\x1b[36m(TaskRunner pid=7)\x1b[0m {line}\nother output\n" for line in lines)
    )
    labels = ("--model", "qwen2.5-0.5b", "--algorithm", "ppo", "--seed", 0)
    (one,) = imported(tmp_path / "a", metrics_file(tmp_path / "log.jsonl"), *labels)
    (two,) = imported(tmp_path / "b", log, *labels)
    assert one.curve == two.curve
    assert one.run_id == two.run_id
    assert [point.reward for point in one.curve] == [0.125, 0.25, 0.375]
    assert one.gpu_seconds is None
    assert one.imported is not None
    assert "step times must be logged" in one.imported.missing["gpu_seconds"]
    assert "how the run ended" in one.imported.missing["status"]


def test_a_panel_export_holds_several_runs_and_a_history_export_one(tmp_path: Path) -> None:
    panel = tmp_path / "panel.csv"
    panel.write_text(
        '"Step","a - critic/score/mean","a - critic/score/mean__MIN","b-2 - critic/score/mean"\n'
        '"1","0.1","0.0",""\n"2","0.2","0.0","0.5"\n'
    )
    rows = imported(tmp_path / "a", panel, "--model", "tiny-40k")
    assert {row.imported.name: (row.steps, row.seed) for row in rows if row.imported} == {"a": (2, 0), "b-2": (2, 1)}
    history = tmp_path / "history.json"
    history.write_text(json.dumps([{"_step": step, "R": step / 10, "_runtime": 1.0} for step in (1, 2)]))
    (row,) = imported(tmp_path / "b", history, "--map", "R=critic/score/mean", "--n-params", 10, "--model", "mine",
                      "--n-params-non-embedding", 8)  # fmt: skip
    assert (row.model, row.n_params, row.steps, row.flops) == ("mine", 10, 2, None)


def test_the_report_and_the_table_show_imported_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(tmp_path, metrics_file(tmp_path / "m.jsonl"), "--model", "tiny-40k")
    assert main(["report", "--results", str(tmp_path), "-o", str(tmp_path / "r.html")]) == 0
    assert "m_imported-" in (tmp_path / "r.html").read_text()
    from sweeper.rows.table import record

    (row,) = read_rows(tmp_path)
    assert record(row)["imported"] == "verl metrics"
    capsys.readouterr()


def test_all_metrics_by_step_go_to_a_csv_that_laws_are_fitted_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = metrics_file(tmp_path / "m.jsonl"), tmp_path / "curves.csv"
    assert main(["import", str(source), "--csv", str(out)]) == 0
    lines = list(csv.DictReader(out.open()))
    assert [(line["run"], line["step"], line["critic/score/mean"]) for line in lines] == [
        ("m", "1", "0.125"), ("m", "2", "0.25"), ("m", "3", "0.375"),
    ]  # fmt: skip
    assert main(["fit", str(out), "--law", "power", "--x", "step", "--y", '"critic/score/mean"', "--json"]) == 0
    assert main(["import", str(source), "--csv", str(out)]) == 2
    assert "not overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.jsonl", '{"step": 1, "data": {"critic/score/mean": 0.5}}\n', "say --model with one of"),
        ("m.jsonl", '{"step": 1, "data": {"critic/score/mean": NaN}}\n', "no step with a number"),
        ("m.csv", "a,b\n1,2\n", "has no step column"),
        ("m.csv", "", "holds no line"),
        ("m.csv", "step,x\none,2\n", "line 2: step='one' is not a whole number"),
        ("m.json", "{", "neither JSON nor lines of JSON"),
        ("m.txt", "nothing here\n", "is neither a .wandb log"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_written(
    name: str, text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text)
    good = metrics_file(tmp_path / "good.jsonl")
    assert main(["import", str(good), str(tmp_path / name), "--results", str(tmp_path / "r")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_models_are_known_as_hydra_composes_them() -> None:
    known = known_models()
    assert set(known) == set(group_options()["model"])
    for name, values in known.items():
        model = spec(f"model={name}").model
        assert Architecture(**values["architecture"]) == model.architecture
        assert (values["name"], values["family"]) == (name, model.family)
        assert (values.get("path"), values.get("nominal_params")) == (model.path, model.nominal_params)
