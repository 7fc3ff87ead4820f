"""A folder of the user's own problems: all that it lacks is told at once, with one command that works as printed."""

import json
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.cli import main as data_prep
from sweeper.cli.main import main as sweeper

QA = [{"question": f"{n}+{n % 7}=?", "answer": n + n % 7} for n in range(200, 500)]
VERL = [
    {
        "data_source": "math__mine",
        "prompt": [{"role": "user", "content": f"{n}+1=?"}],
        "reward_model": {"ground_truth": str(n + 1)},
    }
    for n in range(100)
]


def lines(folder: Path, name: str, rows: Sequence[object]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def as_jsonl(folder: Path) -> None:
    lines(folder, "rows.jsonl", QA)


def as_csv(folder: Path) -> None:
    folder.mkdir()
    text = "".join(f'"{row["question"]}",{row["answer"]}\n' for row in QA)
    (folder / "train.csv").write_text(f"Problem,Answer\n{text}")


def as_parquet(folder: Path) -> None:
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(QA), folder / "train.parquet")


def with_test_split(folder: Path) -> None:
    rows = [{"question": f"{n}+1=?", "answer": f"One more.\n#### {n + 1}"} for n in range(120)]
    lines(folder, "train.jsonl", rows[:100])
    lines(folder, "test.jsonl", rows[100:])


def with_letters(folder: Path) -> None:
    rows = [{"question": f"Which is {n}? A) {n} B) {n + 1}", "answer": "A"} for n in range(100)]
    lines(folder, "rows.jsonl", rows)


def few(folder: Path) -> None:
    lines(folder, "rows.jsonl", QA[:20])


def with_a_row_without_gold(folder: Path) -> None:
    lines(folder, "train.jsonl", [*QA[:100], {"question": "1+1=?", "answer": None}])


def of_two_domains(folder: Path) -> None:
    others = [{**row, "data_source": "gpqa_mine", "reward_model": {"ground_truth": "A"}} for row in VERL]
    others = [row | {"prompt": [{"role": "user", "content": f"Which of {n}?"}]} for n, row in enumerate(others)]
    lines(folder, "train.jsonl", VERL + others)


Case = tuple[Callable[[Path], None], tuple[str, ...], tuple[str, ...]]
CASES: tuple[Case, ...] = (
    (
        as_jsonl,
        (),
        (
            "columns.yaml does not say what the columns of rows.jsonl mean: question, answer",
            "no code or logic or stem problem for training, which domain_mix=uniform asks for (there: 300 math)",
            "data_scale.n_unique=1024 needs 1024 different math problems, and 284 are for training (16 of each domain",
        ),
    ),
    (as_jsonl, ("domain_mix=math", "data_scale=n64"), ("the columns of rows.jsonl",)),
    (as_csv, ("domain_mix=math",), ("the columns of train.csv mean: Problem, Answer", "needs 1024")),
    (as_parquet, ("domain_mix=math",), ("the columns of train.parquet", "needs 1024")),
    (with_test_split, (), ("the columns of test.jsonl (and 1 more)", "and 100 are for training. This")),
    (with_letters, (), ("(there: 100 stem)",)),
    (few, ("domain_mix=math",), ("training.train_batch_size=16 is more than the 4 for training",)),
    (with_a_row_without_gold, ("domain_mix=math", "data_scale=n64"), ("1 rows cannot be used, the first: ",)),
    (of_two_domains, ("domain_mix=code",), ("no code problem for training", "(there: 100 math, 100 stem)")),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].__name__} {' '.join(case[1])}")
def test_all_that_a_folder_lacks_is_told_at_once_and_the_command_with_it_works(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make, asked, told = case
    make(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert sweeper(["plan", "data_root=mine", *asked]) == 2
    said = capsys.readouterr().out.splitlines()[-1]
    for text in told:
        assert text in said
    assert said.count("the first: ") == said.count(f"the first: {tmp_path / 'mine'}/")  # where the user has it
    columns, _, command = said.partition("This works: ")[2].rpartition("python -m sweeper plan ")
    if columns:
        subprocess.run(columns.removesuffix("&& "), shell=True, check=True)
    words = shlex.split(command)
    assert sweeper(["plan", *words]) == 0
    assert f"data: {tmp_path / 'mine'}: " in capsys.readouterr().out
    assert data_prep(["prepare", *words]) == 0


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"foo": 1, "bar": 2}], "mean: foo, bar (declare them: docs/data.md)"),
        (QA[:1], "add rows"),
        ([{"question": "1+1=?", "answer": None}], "no row can be trained on"),
    ],
)
def test_what_no_setting_mends_is_told_without_a_command(
    rows: list[object], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines(tmp_path / "mine", "train.jsonl", rows)
    assert sweeper(["plan", f"data_root={tmp_path / 'mine'}"]) == 2
    said = capsys.readouterr().out.splitlines()[-1]
    assert told in said
    assert "This works" not in said


REWARD = """\
VERSION = "1"
def score(data_source, solution_str, ground_truth, extra_info=None):
    return float(ground_truth in solution_str)
"""


def test_a_source_that_nobody_knows_is_refused_and_a_function_of_ones_own_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines(tmp_path / "mine", "train.jsonl", [{**row, "data_source": "my_sums"} for row in VERL])
    monkeypatch.chdir(tmp_path)
    asked = ["data_root=mine", "domain_mix=math", "data_scale=full", "eval.domains=[math]"]
    assert sweeper(["plan", *asked]) == 2
    said = capsys.readouterr().out.splitlines()[-1]
    assert "no scorer fits data_source='my_sums' of 100 rows: call it math__my_sums," in said
    assert "reward.path=FILE.py:FUNCTION domain_mix=own" in said
    assert sweeper(["plan", *asked, "data.cleaning.bad_rows=drop"]) == 2
    assert "no row can be trained on" in capsys.readouterr().out

    Path("my_rewards.py").write_text(REWARD)
    assert sweeper(["plan", "data_root=mine", "reward.path=my_rewards.py:score"]) == 2
    said = capsys.readouterr().out.splitlines()[-1]
    assert "(there: 100 own)" in said
    words = shlex.split(said.partition("This works: python -m sweeper plan ")[2])
    assert sweeper(["plan", *words]) == 0


def test_sources_of_a_domain_that_a_run_leaves_out_do_not_matter(tmp_path: Path) -> None:
    lines(tmp_path / "mine", "train.jsonl", [*VERL, {**VERL[0], "data_source": "stem__nobody_scores"}])
    words = [f"data_root={tmp_path / 'mine'}", "domain_mix=math", "data_scale=n64", "eval.domains=[math]"]
    assert sweeper(["plan", *words]) == 0


def test_a_source_of_a_known_domain_that_no_scorer_fits_is_refused_before_its_data_are_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{**row, "data_source": "stem__nobody_scores"} for row in VERL[:50]]
    lines(tmp_path / "mine", "train.jsonl", [*VERL, *rows])
    asked = [f"data_root={tmp_path / 'mine'}", "domain_mix=math_stem", "data_scale=full", "eval.domains=[math]"]
    assert sweeper(["plan", *asked]) == 2
    said = capsys.readouterr().out.splitlines()[-1]
    assert "no scorer fits data_source='stem__nobody_scores' of 50 rows: give it a name of stem that has one" in said


def test_inspect_proposes_the_columns_and_shows_the_problems_once_they_are_declared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines(tmp_path / "mine", "rows.jsonl", QA)
    assert data_prep(["inspect", str(tmp_path / "mine")]) == 1
    proposed = capsys.readouterr().out.splitlines()[-1].strip()
    assert proposed.startswith("printf ")
    subprocess.run(proposed, shell=True, check=True)
    assert data_prep(["inspect", str(tmp_path / "mine")]) == 0
    assert "[user] 200+4=? Please output the final answer within \\boxed{}." in capsys.readouterr().out


def test_inspect_says_what_is_alike_once_and_leaves_unusual_names_to_be_filled_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines(tmp_path / "mine", "rows.jsonl", [{"frage": f"{n}+1=?", "loesung": str(n + 1)} for n in range(50)])
    assert data_prep(["inspect", str(tmp_path / "mine")]) == 1
    said = capsys.readouterr().out
    assert said.count("lacks the columns") == 1
    assert "(50 rows, this one first)" in said
    subprocess.run(said.splitlines()[-1].strip(), shell=True, check=True)
    columns = tmp_path / "mine" / "columns.yaml"
    filled = columns.read_text().replace("prompt: COLUMN", "prompt: frage").replace("COLUMN", "loesung")
    columns.write_text(filled.replace("NAME", "mine"))
    assert data_prep(["inspect", str(tmp_path / "mine")]) == 0
