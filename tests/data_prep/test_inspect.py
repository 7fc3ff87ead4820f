"""`inspect`: the same numbers for a terminal and a program; the first verbs of `python -m data_prep`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.cli import main
from data_prep.commands.inspect import text_of
from data_prep.commands.summary import Spread, summarise
from data_prep.sources.source import SOURCES
from tests.data_prep.guru import REAL, needs_real, record
from tests.data_prep.tokenizers import byte_level_tokenizer

RATES = [0.0, 0.1, 0.2, 0.39, 0.6, 0.99, 1.0]
ROWS = [
    record(f"How many <b>sheep</b> have {n} ears?", str(n) * (n + 1), **{"qwen2.5_7b_pass_rate": rate})
    for n, rate in enumerate(RATES)
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "train.parquet"
    pq.write_table(pa.Table.from_pylist([*ROWS, record("What is 1?", source="math__math")]), path)
    return path


def test_every_row_is_counted_once(file: Path) -> None:
    summary = summarise([file])
    assert summary.by_domain == (("math", 8),)
    assert summary.by_source == (("math__deepscaler_preview", 7), ("math__math", 1))
    assert dict(summary.files[0].columns)["data_source"] == "string"


def test_pass_rates_fall_into_gurus_bins(file: Path) -> None:
    [histogram] = summarise([file]).difficulty
    assert histogram.name == "qwen2.5_7b_pass_rate"
    assert [count for _, count in histogram.bars] == [1, 1, 2, 0, 1, 1, 1]
    assert histogram.unknown == 1


def test_lengths_are_order_statistics() -> None:
    spread = Spread.of(list(range(1, 101)))
    assert spread == Spread(n=100, least=1, median=50, p90=90, p99=99, most=100)
    assert Spread.of([]) is None


def test_answers_are_measured(file: Path) -> None:
    answers = summarise([file]).answer_characters
    assert answers is not None
    assert (answers.least, answers.most) == (1, 7)


def test_three_samples_are_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(file)]) == 0
    out = capsys.readouterr().out
    for place in (0, 4, 7):
        assert f"train.parquet row {place} " in out
    assert "[user] How many <b>sheep</b> have 4 ears?" in out
    assert out.startswith("8 rows in 1 file\n")


def test_a_tokenizer_gives_tokens_and_prompts_as_the_model_gets_them(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = str(byte_level_tokenizer(tmp_path / "tokenizer"))
    assert main(["inspect", str(file), "--tokenizer", tokenizer, "--prompt-style", "qwq"]) == 0
    out = capsys.readouterr().out
    assert "prompt, tokens" in out
    assert "<|im_start|>assistant\n<think>" in out


def test_a_prompt_style_without_a_tokenizer_is_refused(file: Path) -> None:
    assert main(["inspect", str(file), "--prompt-style", "qwq"]) == 2


def test_json_is_one_object(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(file), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["files"][0]["rows"] == 8
    assert report["prompt_tokens"] is None


def test_rows_that_cannot_be_used_are_counted_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in [ROWS[0], record("Why?", source="astrology")]))
    assert main(["inspect", str(path)]) == 1
    out = capsys.readouterr().out
    assert "2 rows, 1 unusable" in out
    assert "a.jsonl row 1: unknown source" in out


def test_a_file_where_a_folder_should_be_is_one_clear_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "gsm8k", f"--out={file}"]) == 2
    assert f"error: {file}: Not a directory" in capsys.readouterr().err


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    assert main(["inspect", str(tmp_path)]) == 2


@needs_real
def test_the_published_quarter_is_hard() -> None:
    summary = summarise([REAL / "math_curriculum" / "math__sampled_1_4_12800.parquet"])
    weak = summary.difficulty[0]
    assert weak.name == "qwen2.5_7b_pass_rate"
    assert sum(count for _, count in weak.bars) == 12_800
    assert round(weak.bars[0][1] / 12_800, 2) == 0.4
    titles = {line for line in text_of(summary).splitlines() if line and "█" not in line}
    assert {"domain", "data_source", *(histogram.name for histogram in summary.difficulty)} <= titles
    assert len(summary.difficulty) == 2


def test_data_that_runs_were_given_are_named_by_the_start_of_their_name(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    for name in ("02a65906bf", "02b5"):
        folder = results / "data" / name
        folder.mkdir(parents=True)
        file.rename(folder / "train.parquet") if name == "02b5" else None
        (folder / "manifest.json").write_text("{}")
    (results / "data" / "lengths").mkdir()
    assert main(["inspect", "02b", "--results", str(results), "--json"]) == 0
    assert [item["rows"] for item in json.loads(capsys.readouterr().out)["files"]] == [8]
    assert main(["inspect", "02", "--results", str(results)]) == 2
    assert "2 in" in capsys.readouterr().err
    assert main(["inspect", "nothing", f"results_dir={results}"]) == 2
    assert "(there: 02a65906bf, 02b5)" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--out=x", "--revision=main", "--offline"])
def test_an_option_of_fetching_where_nothing_is_fetched_is_refused(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", option]) == 2
    assert "are of a source that is fetched; name one" in capsys.readouterr().err


def test_every_source_is_listed_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch"]) == 0
    out = capsys.readouterr().out
    for source in SOURCES.values():
        assert f"{source.name}: {source.title}\n  licence: {source.licence}\n  get it: {source.how}\n" in out


@pytest.mark.parametrize("name", ["guru-math-curriculum", "synthetic", "imagenet"])
def test_what_is_not_on_the_hub_is_not_fetched(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", name, f"--out={tmp_path / 'out'}"]) == 2
    assert (SOURCES[name].how if name in SOURCES else "guru") in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_reader_that_stops_early_hears_of_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "data_prep", "fetch"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
