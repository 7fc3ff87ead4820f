"""What a plan says of the data that its runs would use."""

import json
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.inputs.data import prepared
from sweeper.inputs.models import folder_at_hand
from sweeper.plan.data_look import look_lines, looks
from sweeper.plan.view import plan_json, plan_text
from sweeper.runs.state import State
from sweeper.spec.model import ModelSource
from tests.data_prep.guru import record
from tests.data_prep.tokenizers import byte_level_tokenizer
from tests.sweeper.points import plan, spec

_MATH = ("domain_mix=math", "eval.domains=[math]", "eval.problems_per_domain=4", "eval.val_problems_per_domain=4")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """100 problems to train on, every fifth of them long; 10 to measure; and a file that is not read."""
    root = tmp_path / "mine"
    root.mkdir()
    for name, numbers in (("train", range(100, 200)), ("test", range(500, 510))):
        rows = [record(f"What is {n}+{n}?{' Think well!' * 9 * (n % 5 == 0)}", str(2 * n)) for n in numbers]
        (root / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "notes.txt").write_text("mine")
    (root / "about.json").write_text('{"licence": "mine"}')
    return root


def test_a_plan_says_which_rows_a_folder_has_and_what_is_not_read(tmp_path: Path, folder: Path) -> None:
    made = plan(tmp_path / "results", f"data_root={folder}", "data_scale=n64", "seed=0,1", *_MATH)
    text = plan_text(made)
    assert f"data: {folder}: 100 rows for training, 10 rows for evaluation\n" in text
    assert "1 file not read, ending .txt" in text
    assert "1 file not read, one JSON object and no list of rows: about.json" in text
    [look] = plan_json(made, overrides=None)["data"]
    assert look["folder"] == {"train": 100, "evaluation": 10, "offline_evaluation": 0}
    assert look["prepared"] is None
    assert not (tmp_path / "results").exists()


def test_a_plan_says_what_is_held_out_and_what_there_is_nothing_to_measure_of(tmp_path: Path, folder: Path) -> None:
    several = ("domain_mix=math", "eval.domains=[math,code]")
    text = plan_text(plan(tmp_path, f"data_root={folder}", "data_scale=n64", "seed=0,1", *several))
    assert "no code problem to measure, which eval.domains asks for" in text
    assert "held out" not in text
    (tmp_path / "alone").mkdir()
    (folder / "train.jsonl").rename(tmp_path / "alone" / "train.jsonl")
    text = plan_text(plan(tmp_path, f"data_root={tmp_path / 'alone'}", "data_scale=n64", "seed=0,1", *_MATH))
    assert "no file is for evaluation: 4 problems of each domain are held out for it" in text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("data_scale=n128", *_MATH), "n_unique=128 needs 128 different math problems, and 100 are for training"),
        (("data_scale=n64", "domain_mix=code"), "no code problem for training, which domain_mix=code asks for"),
        (("data_scale=n64", "domain_mix=math_code"), "no code problem for training, which domain_mix=math_code asks"),
    ],
)
def test_a_plan_refuses_what_a_folder_surely_lacks(
    tmp_path: Path, folder: Path, settings: tuple[str, ...], words: str
) -> None:
    [run] = plan(tmp_path, f"data_root={folder}", "seed=0,1", *settings).runs[:1]
    assert run.state is State.refused
    assert re.search(words, str(run.reason))


def test_a_plan_refuses_rows_without_the_columns_with_the_line_for_columns_yaml(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"question": "How many?", "answer": "2"}\n' * 100)
    [run] = plan(tmp_path, f"data_root={tmp_path / 'in'}", "data_scale=n64", "seed=0,1", *_MATH).runs[:1]
    assert run.state is State.refused
    assert run.reason is not None
    assert "columns.yaml does not say what the columns of a.jsonl mean: question, answer" in run.reason
    assert "{prompt: question, ground_truth: answer, data_source: math__in}" in run.reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "a.parquet is a git-lfs pointer"),
        (b"PAR1, but cut off", "a.parquet cannot be read as parquet: "),
    ],
)
def test_a_plan_names_the_parquet_file_that_cannot_be_read(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.parquet").write_bytes(content)
    [run] = plan(tmp_path, f"data_root={tmp_path / 'in'}", "data_scale=n64", "seed=0,1", *_MATH).runs[:1]
    assert run.state is State.refused
    assert words in str(run.reason)


def test_of_files_that_are_made_a_plan_says_the_rows_and_what_was_left_out(tmp_path: Path, folder: Path) -> None:
    model = byte_level_tokenizer(tmp_path / "model")
    (model / "config.json").write_text("{}")
    wanted = spec(f"data_root={folder}", "data_scale=n64", *_MATH, "training.max_prompt_length=60")
    wanted = replace(wanted, model=replace(wanted.model, source=ModelSource.hub, path=str(model)))
    results = tmp_path / "results"
    prepared(wanted, results, tokenizer=None)
    line, *_ = look_lines(looks([wanted], results))
    assert line.endswith(
        "; made: 64 to train on, 4 to validate on, 4 for pass@k; prompts not counted: a launch counts them"
    )
    prepared(wanted, results, tokenizer=folder_at_hand(wanted.model, results))
    [look] = looks([wanted], results)
    assert look.uncounted is None
    assert look.prepared is not None
    assert look.prepared["train"] == 64
    assert look.dropped is not None
    assert look.dropped["too long"] == 20
    assert "left out: 20 too long" in look_lines([look])[0]


def test_ten_thousand_runs_on_one_folder_are_one_look(tmp_path: Path, folder: Path) -> None:
    one = spec(f"data_root={folder}", "data_scale=n64", *_MATH)
    specs = [replace(one, model=replace(one.model, actor_lr=n / 1e6), seed=n) for n in range(10_000)]
    looks(specs[:1], tmp_path)
    begun = time.process_time()
    looks(specs, tmp_path)
    assert time.process_time() - begun < 10  # a look at each would take minutes


@pytest.mark.parametrize("style", ["model", "chatml"])
def test_a_plan_counts_prompts_of_tiny_models_before_any_is_built(tmp_path: Path, style: str) -> None:
    settings = ("training.max_prompt_length=1", f"model.prompt_style={style}")
    [run, _] = plan(tmp_path / "results", "seed=0,1", *settings).runs
    assert run.state is State.refused
    assert re.match(r"training\.max_prompt_length=1: none of the first 64 synthetic \w+ problems", str(run.reason))
    assert "; the longest has " in str(run.reason)
    assert not (tmp_path / "results").exists()


def test_a_plan_refuses_a_folder_of_which_no_prompt_is_short_enough_and_takes_one_with_a_single_such(
    tmp_path: Path, folder: Path
) -> None:
    asked = (f"data_root={folder}", "data_scale=n64", *_MATH)
    [run, _] = plan(tmp_path / "results", "seed=0,1", *asked, "training.max_prompt_length=8").runs
    assert run.state is State.refused
    assert f"training.max_prompt_length=8: none of the 100 problems of data_root={folder} has so short a" in str(
        run.reason
    )
    more = shutil.copytree(folder, tmp_path / "more")
    short = record("1+1", "2") | {"prompt": [{"role": "user", "content": "1+1"}]}
    (more / "train_more.jsonl").write_text(json.dumps(short) + "\n")
    asked = (f"data_root={more}", *asked[1:])
    [run, _] = plan(tmp_path / "results", "seed=0,1", *asked, "training.max_prompt_length=8").runs
    assert run.state is State.new


def test_a_plan_counts_prompts_of_a_model_that_is_at_hand(tmp_path: Path, folder: Path) -> None:
    model = byte_level_tokenizer(tmp_path / "model")
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").touch()  # which a plan looks for, and does not read
    asked = (f"data_root={folder}", "data_scale=n64", *_MATH, "model.source=hub", f"model.path={model}")
    [run, _] = plan(tmp_path / "results", "seed=0,1", *asked, "training.max_prompt_length=9").runs
    assert run.state is State.refused
    assert "training.max_prompt_length=9: none of the 100 problems" in str(run.reason)


def test_of_a_model_that_is_not_at_hand_a_plan_says_that_prompts_were_not_counted_and_why(tmp_path: Path) -> None:
    absent = ("model.source=hub", "model.path=owner/absent")
    made = plan(tmp_path / "results", "seed=0,1", *absent, "training.max_prompt_length=1")
    assert [run.state for run in made.runs] == [State.new] * 2
    assert "\ndata: prompts not counted: the model is not on this machine\n" in plan_text(made)
