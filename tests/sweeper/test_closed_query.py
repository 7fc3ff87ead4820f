"""A query reads the table that it is given and nothing else, in bounded time and memory."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from analysis.laws.table import read_table
from sweeper.host.errors import ResultsError, SweeperError
from sweeper.rows import closed_query, table

STATEMENTS = {
    "copy results to '{path}'": "COPY is no SELECT",
    "attach '{path}'": "ATTACH is no SELECT",
    "install httpfs": "LOAD is no SELECT",
    "load json": "LOAD is no SELECT",
    "set memory_limit = '64GB'": "SET is no SELECT",
    "export database '{path}'": "EXPORT is no SELECT",
    "create table x as select 1": "CREATE is no SELECT",
    "select 1; copy results to '{path}'": "2 statements, and one is answered",
    "": "no statements",
    ";": "no statements",
    "-- nothing": "no statements",
    "from '/etc/passwd'": "passwd",
    "select * from read_csv('/etc/passwd', delim = ':')": "read_csv",
    "select * from read_text('/etc/passwd')": "read_text",
    "select * from glob('/etc/*')": "glob",
    "select getenv('HOME')": "getenv",
    "select * from rows": "the only table is results",
    "select repeat('a', 2000000000)": "more than 256MB of memory",
    "select * from range(100001)": "more than 100,000 rows",
}


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_query_that_is_no_select_of_the_results_is_refused_in_one_line(sql: str, tmp_path: Path) -> None:
    path = tmp_path / "made"
    with pytest.raises(ResultsError, match=r"^--sql: ") as raised:
        table.query([], sql.format(path=path))
    assert STATEMENTS[sql] in str(raised.value)
    assert not path.exists()


def test_a_query_of_no_rows_is_answered_with_none() -> None:
    assert table.query([], "select count(*) from results where model = 'x'") == (["count_star()"], [(0,)])


def test_a_query_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed_query, "SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(ResultsError, match=r"--sql: it took longer than 0.2 s"):
        table.query([], "select count(*) from range(100000000000)")
    assert time.monotonic() - started < 20  # a hang guard


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("length(repeat('a', 2000000000)) > 0", "more than 256MB of memory"),
        ("(select count(*) from range(100000000000)) > 0", "took longer than 0.2 s"),
        ("unnest(range(100)) > 0", "not one value per row"),
    ],
)
def test_a_condition_of_a_fit_has_the_same_bounds(
    condition: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed_query, "SECONDS", 0.2)
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(SweeperError, match=words):
        read_table(tmp_path / "a.csv").condition(condition, "--where")


def test_a_query_that_stops_inside_no_function_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(closed_query, "SECONDS", 0.1)
    monkeypatch.setattr(closed_query, "GRACE", 0.1)
    began = time.monotonic()
    child = os.fork()
    if not child:
        with suppress(ResultsError):
            table.query([], "select levenshtein(repeat('a', 60000), repeat('b', 60000))")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert time.monotonic() - began < 20  # a hang guard
    assert "a query: it took longer than 0.1 s and was stopped; ask for less" in capfd.readouterr().err


def test_a_query_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(ResultsError, match="it holds a byte that is no UTF-8"):
        table.query([], "select '\udc9b'")


def test_a_file_to_fit_that_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(SweeperError, match="a named pipe is where a regular file should be"):
        read_table(tmp_path / "a.csv")


def test_a_file_to_fit_of_very_many_columns_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",".join(f"c{i}" for i in range(100_000)) + "\n")
    with pytest.raises(SweeperError, match="more than 1,000 columns"):
        read_table(tmp_path / "a.csv")
