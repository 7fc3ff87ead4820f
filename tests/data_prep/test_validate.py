"""`validate`: one finding for each thing that is wrong, with file and row."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.cli import main
from data_prep.commands.validate import validate
from data_prep.sources.finding import Kind
from tests.data_prep.guru import REAL, SUFFIX, needs_real, record

GOOD = [record(f"How many positive integers below {n}{n} are multiples of {n}?", str(n)) for n in range(2, 12)]
STRINGIFIED = "[{'content': 'Write a complete function that sorts.', 'role': 'user'}]"


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_good_rows_have_no_finding(tmp_path: Path) -> None:
    result = validate([_write(tmp_path / "a.parquet", GOOD)])
    assert result.findings == []
    assert result.rows == {"a.parquet": 10}


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        (record(STRINGIFIED), Kind.broken_prompt, "stringified"),
        (record("   "), Kind.broken_prompt, "prompt"),
        (record("How many?", source="astrology"), Kind.unknown_source, "astrology"),
        (record("Which letter?", "seven", source="stem__supergpqa"), Kind.wrong_gold, "seven"),
        (record("How many?", None), Kind.wrong_gold, "ground_truth"),
        ({"data_source": "math__math", "prompt": []}, Kind.schema, "reward_model"),
        ({**record("How many?"), "data_source": 7}, Kind.schema, "not text"),
        (record(str(GOOD[3]["prompt"][0]["content"]) + SUFFIX, "5"), Kind.duplicate, "math-"),
        (record(str(GOOD[3]["prompt"][0]["content"]), "77"), Kind.contradiction, "'77'"),
    ],
)
def test_a_bad_row_is_found_and_named(tmp_path: Path, bad: dict[str, Any], kind: Kind, words: str) -> None:
    result = validate([_write(tmp_path / "a.jsonl", [*GOOD, bad])])
    [found] = result.findings
    assert (found.kind, found.file) == (kind, "a.jsonl")
    assert found.row == 10 or kind in (Kind.duplicate, Kind.contradiction)
    assert words in found.message


def test_a_truncated_file_is_a_finding_and_the_others_are_checked(tmp_path: Path) -> None:
    whole = _write(tmp_path / "b.parquet", [*GOOD, record(STRINGIFIED)])
    broken = tmp_path / "a.parquet"
    broken.write_bytes(whole.read_bytes()[:400])
    assert [found.kind for found in validate([tmp_path]).findings] == [Kind.unreadable, Kind.broken_prompt]


def test_a_training_problem_in_an_evaluation_set_is_contamination(tmp_path: Path) -> None:
    train = _write(tmp_path / "train.parquet", GOOD)
    measured = _write(tmp_path / "measured.parquet", [record(str(GOOD[0]["prompt"][0]["content"]), "2", "math__math")])
    [found] = validate([train], against=[measured]).findings
    assert (found.kind, found.file, found.row) == (Kind.contamination, "train.parquet", 0)


def test_a_folders_own_evaluation_files_are_held_against_its_training_files(tmp_path: Path) -> None:
    _write(tmp_path / "guru/train/math.parquet", GOOD)
    _write(tmp_path / "guru/online_eval/math.parquet", GOOD[:2])
    found = validate([tmp_path / "guru"]).findings
    assert [(item.kind, item.file, item.row) for item in found] == [
        (Kind.contamination, "guru/train/math.parquet", 0),
        (Kind.contamination, "guru/train/math.parquet", 1),
    ]


def test_doubled_backslashes_are_noted_and_no_finding(tmp_path: Path) -> None:
    result = validate([_write(tmp_path / "a.parquet", [*GOOD, record("What is half of one?", "\\\\frac{1}{2}")])])
    assert result.findings == []
    assert sum(result.repairs.values()) == 1


def test_golds_are_scored_on_demand(tmp_path: Path) -> None:
    assert validate([_write(tmp_path / "a.parquet", GOOD)], gold=True).findings == []


def test_rows_of_ones_own_are_checked_with_a_reward_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {
            "data_source": "mycorp__verse",
            "prompt": [{"role": "user", "content": f"line {number}"}],
            "reward_model": {"ground_truth": str(number)},
        }
        for number in range(1, 5)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def checked(text: str, *flags: str) -> tuple[int, str]:
        """A file of its own each time: a process loads one once."""
        reward = tmp_path / f"my_rewards_{len(list(tmp_path.iterdir()))}.py"
        reward.write_text(text)
        code = main(["validate", str(path), "--gold", "--reward", f"mycorp={reward}:score", *flags])
        return code, capsys.readouterr().out

    score = "def score(data_source, solution_str, ground_truth, extra_info):\n    return solution_str == f'is {%s}'\n"
    assert main(["validate", str(path), "--gold"]) == 1
    assert "'mycorp__verse' is unknown" in capsys.readouterr().out
    code, out = checked(score % "ground_truth")
    assert code == 0
    assert "note: 4 golds were not checked: cannot be checked: " in out
    assert ".py has no right_answer" in out
    assert list(json.loads(checked(score % "ground_truth", "--json")[1])["unchecked"].values()) == [4]
    right = "def right_answer(data_source, ground_truth, extra_info):\n    return f'is {ground_truth}'\n"
    code, out = checked(score % "ground_truth" + right)
    assert (code, "not checked" in out) == (0, False)
    code, out = checked(score % "int(ground_truth) % 3" + right)
    assert code == 1
    found = [line for line in out.splitlines() if "gold refused: scored wrong" in line]
    assert [line.split(":")[0] for line in found] == ["rows.jsonl row 2", "rows.jsonl row 3"]


def test_the_exit_code_tells_good_bad_and_impossible(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = _write(tmp_path / "good.parquet", GOOD), _write(tmp_path / "bad.parquet", [record(STRINGIFIED)])
    assert main(["validate", str(good)]) == 0
    assert main(["validate", str(good), str(bad)]) == 1
    assert "bad.parquet row 0: broken prompt: " in capsys.readouterr().out
    assert main(["validate", str(tmp_path / "missing.parquet")]) == 2


def test_json_has_every_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = _write(tmp_path / "bad.parquet", [record(STRINGIFIED), *GOOD])
    assert main(["validate", str(bad), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["rows"] == {"bad.parquet": 11}
    assert report["counts"] == {"broken prompt": 1}
    assert report["findings"][0]["row"] == 0


@needs_real
def test_the_published_humaneval_prompts_are_broken() -> None:
    result = validate([REAL / "online_eval"])
    assert {found.file for found in result.findings} == {"online_eval/codegen__humaneval_164.parquet"}
    assert [found.kind for found in result.findings] == [Kind.broken_prompt] * 164
