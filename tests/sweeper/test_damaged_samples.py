"""Samples of which something cannot be read: what is left is shown, what is not is told, and the exit code is 1."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rewards.program import EXIT_FAILED, EXIT_OK, EXIT_USAGE, run_main
from sweeper.rows.counts import samples_path
from sweeper.rows.row import row_path
from sweeper.runs.folder import RunDir
from tests.sweeper.kept_run import kept_run

LINES: dict[str, Callable[[dict[str, object]], bytes]] = {
    "invalid UTF-8": lambda line: json.dumps(line).encode().replace(b'"input": "', b'"input": "\xff'),
    "half a surrogate pair": lambda line: json.dumps(line | {"output": "\ud800"}).encode(),
    "random bytes": lambda _: bytes(range(128, 256)),
    "nested": lambda _: b"[" * 50_000,
    "half a line": lambda line: json.dumps(line).encode()[:40],
    "null": lambda _: b"null",
    "an unknown verdict": lambda line: json.dumps(line | {"outcome": "splendid"}).encode(),
    "no right answer": lambda line: json.dumps({k: v for k, v in line.items() if k != "gts"}).encode(),
}


def answered(run: RunDir, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run_main("sweeper.cli.main", ["samples", run.run_id, *words, "--results", str(run.results_dir)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return kept_run(tmp_path)


@pytest.mark.parametrize("kind", LINES)
def test_a_line_of_a_validation_that_cannot_be_read_costs_itself_and_is_told(
    run: RunDir, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run.path / "val" / "10.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = LINES[kind](json.loads(lines[1])) + b"\n"
    path.write_bytes(b"".join(lines))
    code, out, err = answered(run, capsys, "--step", "10", "--json")
    data = json.loads(out)["data"]
    assert (code, data["kept"], data["damaged_lines"]) == (EXIT_FAILED, 3, 1)
    assert f"{path} is damaged: line 2: " in err
    code, out, _ = answered(run, capsys, "--step", "10")
    assert code == EXIT_FAILED
    assert "1 line of their file cannot be read" in " ".join(out.split())


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda line: {k: v for k, v in line.items() if k != "completions"},
        lambda line: line | {"verdicts": [said | {"verdict": "splendid"} for said in line["verdicts"]]},
    ],
)
def test_a_line_of_an_evaluation_that_cannot_be_read_costs_itself_and_is_told(
    run: RunDir, change: Callable[[dict[str, object]], object], capsys: pytest.CaptureFixture[str]
) -> None:
    path = samples_path(run.path / "counts.jsonl")
    lines = path.read_text().splitlines()
    n = len(json.loads(lines[0])["completions"])
    lines[0] = json.dumps(change(json.loads(lines[0])))
    path.write_text("".join(f"{line}\n" for line in lines))
    code, out, err = answered(run, capsys, "--json")
    assert (code, json.loads(out)["data"]["kept"]) == (EXIT_FAILED, 18 - n)
    assert f"{path} is damaged: line 1: " in err


def test_a_half_last_line_is_damage_of_a_finished_run_and_none_of_one_at_work(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run.path / "val" / "10.jsonl"
    with path.open("a") as file:
        file.write('{"input": "wh')
    code, _, err = answered(run, capsys, "--step", "10")
    assert code == EXIT_FAILED
    assert f"{path} is damaged: line 5: " in err
    row_path(run.results_dir, run.run_id).unlink()
    assert answered(run, capsys, "--step", "10")[::2] == (EXIT_OK, "")


def test_a_file_without_one_line_that_can_be_read_is_no_answer(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    (run.path / "val" / "10.jsonl").write_bytes(b"\x80\n" * 5)
    code, out, err = answered(run, capsys, "--step", "10")
    assert (code, out) == (EXIT_USAGE, "")
    assert "10.jsonl is damaged: line 1: not UTF-8 text" in err
    assert "line 3: not UTF-8 text" in err
    assert "and 2 more lines: none of it can be read" in err


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", [half, pipe, lambda path: path.write_bytes(b"\xfe\xff\x00\n")])
def test_a_comparison_says_that_a_file_of_samples_is_damaged_and_not_that_none_was_kept(
    run: RunDir, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = samples_path(run.path / "counts.jsonl")
    damage(path)
    code, out, err = answered(run, capsys, "--diff", "base")
    assert code == EXIT_FAILED
    assert f"{path} is damaged: " in err
    assert "(its file is damaged)" in out
    assert "no sample was kept" not in out
    assert answered(run, capsys, "--diff", "base", "--json")[0] == EXIT_FAILED


def test_a_comparison_with_a_run_whose_row_is_damaged_says_so(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    other = kept_run(run.results_dir, "seed=1")
    path = row_path(run.results_dir, other.run_id)
    path.write_text("{")
    code, _, err = answered(run, capsys, "--diff", other.run_id)
    assert code == EXIT_FAILED
    assert f"{path} is damaged: " in err


def test_a_score_that_is_no_number_is_null_in_json(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    path = run.path / "val" / "10.jsonl"
    lines = [json.loads(line) | {"score": float("nan")} for line in path.read_text().splitlines()]
    lines[0]["score"] = float("-inf")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, out, _ = answered(run, capsys, "--step", "10", "--json")
    found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (code, [item["score"] for item in found["data"]["samples"]]) == (EXIT_OK, [None] * 4)
