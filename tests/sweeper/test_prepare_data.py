"""`python -m data_prep prepare`: the files of a run, made ahead of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from data_prep.materialise import materialise
from sweeper.cli.prepare_data import main
from sweeper.inputs.data import data_spec
from tests.sweeper.called import called
from tests.sweeper.points import spec

SMALL = ("data_scale=n64", "eval.problems_per_domain=4", "eval.val_problems_per_domain=2", "data.sft_share=0.25")


def test_a_run_finds_the_files_that_were_made_with_its_settings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "data_prep", "prepare", *SMALL, f"results_dir={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "data").iterdir()
    made = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    data = materialise(data_spec(spec(*SMALL)), tmp_path / "data")
    assert data.manifest.parent == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == made
    assert done.stdout.splitlines() == [
        "evaluation: 16 rows (code 4, logic 4, math 4, stem 4)",
        "sft: 16 rows (code 4, logic 4, math 4, stem 4)",
        "train: 48 rows (code 12, logic 12, math 12, stem 12)",
        "val: 8 rows (code 2, logic 2, math 2, stem 2)",
        f"in {folder}",
    ]


def test_what_was_dropped_is_said_with_its_step(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    rows = [
        f'{{"data_source": "math__x", "prompt": [{{"role": "user", "content": "What is {n} + 1?"}}], '
        f'"ability": "math", "reward_model": {{"style": "rule", "ground_truth": "{n + 1}"}}}}\n'
        for n in (*range(30), 3, 4)
    ]
    (root / "rows.jsonl").write_text("".join(rows))
    settings = (f"data_root={root}", "domain_mix=math", "data_scale.n_unique=8", "eval.domains=[math]", *SMALL[1:3])
    done = called(*settings, f"results_dir={tmp_path / 'results'}", program="data_prep prepare")
    assert done.returncode == 0, done.stderr
    assert "train: 8 rows (math 8)\n" in done.stdout
    assert "dropped: 2 exact duplicate\n" in done.stdout


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("data_scale.n_uniqe=4", "data_scale.n_unique"),
        ("data.sft_share=1.5", "sft_share=1.5"),
        ("seed=0,1", "several runs"),
        ("data_root=nowhere", "nowhere is not a folder"),
        ("data_root=linked", "train.parquet: a broken link, to gone.parquet"),
    ],
)
def test_what_cannot_be_made_is_one_clear_line(
    setting: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("linked").mkdir()
    Path("linked", "train.parquet").symlink_to("gone.parquet")
    assert main([setting]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not Path("results").exists()
