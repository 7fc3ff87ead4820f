"""`inspect`: the same numbers for a terminal, a program and a page."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.__main__ import main
from data_prep.commands.summary import Spread, summarise
from data_prep.commands.summary_page import page
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


def test_the_page_needs_nothing_else_and_escapes_the_data(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    assert main(["inspect", str(file), "--html", str(target)]) == 0
    text = target.read_text()
    assert "<b>sheep" not in text
    assert "&lt;b&gt;sheep" in text
    assert "http" not in text
    for drawing in text.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + drawing.partition("</svg>")[0] + "</svg>")


def test_rows_that_cannot_be_used_are_counted_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in [ROWS[0], record("Why?", source="astrology")]))
    assert main(["inspect", str(path)]) == 1
    out = capsys.readouterr().out
    assert "2 rows, 1 unusable" in out
    assert "a.jsonl row 1: unknown source" in out


def test_a_page_that_cannot_be_written_is_one_clear_line(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "nowhere" / "page.html"
    assert main(["inspect", str(file), "--html", str(target)]) == 2
    assert f"error: {target}: No such file or directory" in capsys.readouterr().err


def test_a_link_to_nothing_among_the_files_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.parquet").symlink_to(tmp_path / "gone.parquet")
    assert main(["prepare", str(tmp_path), "--n-unique", "4"]) == 2
    assert "train.parquet: No such file or directory" in capsys.readouterr().err


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    assert main(["inspect", str(tmp_path)]) == 2


@needs_real
def test_the_published_quarter_is_hard() -> None:
    summary = summarise([REAL / "math_curriculum" / "math__sampled_1_4_12800.parquet"])
    weak = summary.difficulty[0]
    assert weak.name == "qwen2.5_7b_pass_rate"
    assert sum(count for _, count in weak.bars) == 12_800
    assert round(weak.bars[0][1] / 12_800, 2) == 0.4
    assert page(summary).count("<svg") == 4


def test_a_reader_that_stops_early_hears_of_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "data_prep", "prepare", "list"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (2, "")
