"""The gold self-check and its command line."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rewards.check.gold_check import Finding, GoldRow, check_row, check_rows
from rewards.check.gold_file import UnreadableFile, rows_of
from rewards.check.gold_rendering import perturbed
from rewards.cli import main, text_of
from rewards.route.scorers import _SCORERS, ORDERING
from tests.rewards.test_gold_answers import GURU_ROWS

_ADD = json.dumps({"functional": "assert add(1, 2) == 3\nassert add(2, 2) == 4"})
_STDIN = json.dumps({"inputs": ["1\n", "2\n"], "outputs": ["2\n", "4\n"]})
_METHOD = json.dumps({"functional": "def check(candidate):\n    assert candidate(3) == 4\n\ncheck(Solution().next)"})


def _row(source: str, gold: object, **extra: object) -> GoldRow:
    return GoldRow(where="here", data_source=source, ground_truth=gold, extra_info=extra)


@pytest.mark.parametrize(
    ("source", "gold"),
    [(row[0], row[3]) for row in GURU_ROWS if not row[0].startswith(("codegen", "simulation__cruxeval"))],
)
def test_every_source_renders_its_gold_right_and_perturbs_it_wrong(source: str, gold: object) -> None:
    report = check_row(_row(source, gold))
    assert (report.finding, report.reason) == (Finding.GOOD, "")
    assert report.gold_ms is not None


@pytest.mark.parametrize(
    "row",
    [
        _row("codegen__mbpp", _ADD, solution="def add(a, b):\n    return a + b"),
        _row("codegen__mbpp", _ADD, reference="```python\ndef add(a, b):\n    return a + b\n```"),
        _row("codegen__mbpp", _ADD, rest=json.dumps({"reference": "def add(a, b):\n    return a + b"})),
        _row("codegen__taco", _STDIN, reference="print(int(input()) * 2)"),
        _row("codegen__leetcode2k", _METHOD, reference="class Solution:\n    def next(self, x):\n        return x + 1"),
        _row("simulation__cruxeval-o", '{"functional": "def f(x):\\n    return x"}', reference="5", input="5"),
        _row("simulation__cruxeval-o", '{"functional": "def f(x):\\n    return x"}', reference="5"),
        _row("simulation__cruxeval-i", '{"functional": "def f(x):\\n    return x"}', reference="5", input="5"),
    ],
)
def test_programs_are_checked_where_the_row_holds_what_it_takes(row: GoldRow) -> None:
    assert check_row(row).finding is Finding.GOOD


@pytest.mark.parametrize(
    ("row", "finding", "reason"),
    [
        (_row("codegen__mbpp", _ADD), Finding.NOT_RENDERED, "no reference solution"),
        (_row("codegen__mbpp", _ADD, solution="def add(a, b) return"), Finding.NOT_RENDERED, "not Python"),
        (
            _row("codegen__mbpp", _ADD, solution="def add(a, b):\n    return a - b"),
            Finding.GOLD_REFUSED,
            "scored wrong",
        ),
        (_row("codegen__mbpp", "{}"), Finding.UNREADABLE, "none of the known"),
        (_row("logic__arcagi1", "no grid"), Finding.UNREADABLE, "no grid"),
        (_row("math__math", None), Finding.UNREADABLE, "missing"),
        (_row("stem__supergpqa", "AB"), Finding.UNREADABLE, "not one option letter"),
        (_row("poetry", "x"), Finding.UNKNOWN_SOURCE, "'poetry' is unknown"),
        (
            _row("simulation__cruxeval-i", '{"functional": "def f(x):\\n    return x"}'),
            Finding.NOT_RENDERED,
            "reference",
        ),
        (_row("math__math", "{{{"), Finding.GOLD_REFUSED, "{{{"),
    ],
)
def test_a_row_that_cannot_be_trusted_is_named_with_the_reason(row: GoldRow, finding: Finding, reason: str) -> None:
    report = check_row(row)
    assert report.finding is finding
    assert reason in report.reason


def test_the_report_counts_each_source_and_drops_no_row() -> None:
    rows = [
        _row("math__math", "5"),
        _row("math__math", "{{{"),
        _row("codegen__mbpp", _ADD),
        _row("stem__supergpqa", "C"),
        _row("stem__supergpqa", "?"),
    ]
    report = check_rows(rows)
    counts = {s.data_source: (s.rows, s.rendered, s.gold_pass_rate, s.perturbed_pass_rate) for s in report.sources}
    assert counts == {
        "math__math": (2, 2, 0.5, 0.0),
        "codegen__mbpp": (1, 0, None, None),
        "stem__supergpqa": (2, 1, 1.0, 0.0),
    }
    assert [row.finding for row in report.exceptions] == [
        Finding.GOLD_REFUSED,
        Finding.NOT_RENDERED,
        Finding.UNREADABLE,
    ]
    assert len(report.problems) == 2


@pytest.mark.parametrize(
    ("answer", "other"),
    [("5", "6"), ("-9", "-1"), ("0", "1"), ("x = 5", "x = 6"), (r"\frac{1}{2}", r"\frac{2}{2}"), ("(C)", "(A)"),
     ("Evelyn", "unEvelyn"), (r"\text{Evelyn}", r"\text{unEvelyn}"), (r"\infty", r"\infty+1"), ("x", "q")],
)  # fmt: skip
def test_a_perturbed_answer_means_something_else(answer: str, other: str) -> None:
    assert perturbed(answer).replace(" ", "") == other.replace(" ", "")


def _file(path: Path, rows: list[tuple[str, str]]) -> Path:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = [
        {
            "data_source": source,
            "prompt": [{"role": "user", "content": f"question {index}"}],
            "reward_model": {"style": "rule", "ground_truth": gold},
            "extra_info": {"index": index},
        }
        for index, (source, gold) in enumerate(rows)
    ]
    pq.write_table(pa.Table.from_pylist(table), path)
    return path


def test_the_command_prints_a_table_and_ends_with_zero_if_all_is_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _file(tmp_path / "good.parquet", [("math__math", "5"), ("openai/gsm8k", "72"), ("math__math", "6")])
    assert main(["check", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["math__math", "2", "2"]
    assert lines[-1] == "0 rows have a problem."


def test_the_command_lists_bad_rows_and_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _file(tmp_path / "bad.parquet", [("math__math", "5"), ("stem__supergpqa", "?"), ("poetry", "x")])
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert "bad.parquet row 1 (stem__supergpqa): gold unreadable" in out
    assert "bad.parquet row 2 (poetry): source unknown" in out


def test_the_command_speaks_json_and_checks_repeated_rows_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = _file(tmp_path / "a.parquet", [("math__math", "5")])
    second = _file(tmp_path / "b.parquet", [("math__math", "5")])
    assert main(["check", "--json", str(first), str(second)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(source["rows"], source["gold_pass_rate"]) for source in report["sources"]] == [(1, 1.0)]
    assert report["rows"] == []


def test_a_file_that_cannot_be_read_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.parquet").write_text("no parquet")
    for path in (tmp_path / "missing.parquet", tmp_path / "x.parquet"):
        assert main(["check", str(path)]) == 2
        assert path.name in capsys.readouterr().err


def test_help_teaches_both_commands() -> None:
    done = subprocess.run([sys.executable, "-m", "rewards", "--help"], capture_output=True, text=True, check=True)
    for word in ("check", "doctor", "examples"):
        assert word in done.stdout


_OWN = "def score(data_source, solution_str, ground_truth, extra_info):\n    return {}\n"
_RIGHT = "def right_answer(data_source, ground_truth, extra_info):\n    return f'it is {ground_truth}'\n"


def _own(tmp_path: Path, returned: str, right_answer: str = _RIGHT) -> str:
    path = tmp_path / "my_rewards.py"
    path.write_text(_OWN.replace("{}", returned) + right_answer)
    return f"{path}:score"


@pytest.mark.parametrize(
    ("returned", "right_answer", "finding", "reason"),
    [
        ("float(solution_str == f'it is {ground_truth}')", _RIGHT, Finding.GOOD, ""),
        ("0.5", _RIGHT, Finding.GOLD_REFUSED, "scored wrong"),
        ("1 / 0", _RIGHT, Finding.GOLD_REFUSED, "scored error: ZeroDivisionError: division by zero"),
        ("1.0", _RIGHT, Finding.PERTURBED_ACCEPTED, "passes"),
        ("1.0", "", Finding.NOT_RENDERED, "cannot be checked: .*my_rewards.py has no right_answer"),
        (
            "1.0",
            _RIGHT.replace("{ground_truth}", "{gone}"),
            Finding.NOT_RENDERED,
            "failed: NameError",
        ),
    ],
)
def test_an_own_reward_is_checked_with_the_answers_that_its_file_writes(
    returned: str, right_answer: str, finding: Finding, reason: str, tmp_path: Path
) -> None:
    own = [_own(tmp_path, returned, right_answer)]
    report = check_rows([_row("poetry", "7")], own)
    if finding is Finding.GOOD:
        assert (report.exceptions, report.sources[0].gold_passed) == ((), 1)
        return
    assert report.exceptions[0].finding is finding
    assert re.search(reason, report.exceptions[0].reason)


def test_a_scorer_without_a_rendering_is_counted_as_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_SCORERS, "logic__new", replace(ORDERING, family="a new one", read=lambda q: q.gold))
    report = check_rows([_row("logic__new", "x"), _row("logic__new", "y")])
    assert report.problems == ()
    assert (report.sources[0].rows, report.sources[0].rendered) == (2, 0)
    assert "2 rows not rendered: cannot be checked: no rendering for the scorer a new one" in text_of(report)


def test_the_commands_take_a_reward_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = _own(tmp_path, "float(solution_str == f'it is {ground_truth}')")
    path = _file(tmp_path / "own.parquet", [("poetry", "5"), ("math__math", "5")])
    assert main(["check", str(path), "--reward", f"poetry={own}"]) == 0
    assert capsys.readouterr().out.splitlines()[-2].split()[:3] == ["poetry", "1", "1"]
    assert main(["doctor", "--reward", own]) == 0
    assert f"{own} loads: VERSION not stated, digest " in capsys.readouterr().out
    for command in (["check", str(path)], ["doctor"]):
        assert main([*command, "--reward", f"{tmp_path}/gone.py:score"]) == 2
        assert f"{tmp_path}/gone.py: No such file or directory" in capsys.readouterr().err


def test_a_file_to_check_that_hangs_or_floods_a_reader_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    os.mkfifo(tmp_path / "pipe.parquet")
    with pytest.raises(UnreadableFile, match="a named pipe is where a regular file should be"):
        list(rows_of([tmp_path / "pipe.parquet"]))
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 400_000, pa.int32()), pa.array(["a" * 20_000]))  # 8 GB
    table = pa.table({"data_source": texts, "reward_model": texts})
    pq.write_table(table, tmp_path / "bomb.parquet")
    with pytest.raises(UnreadableFile, match="as no data do"):
        list(rows_of([tmp_path / "bomb.parquet"]))
