import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rewards.program import run_main
from rewards.terminal import one_line
from sweeper.host.errors import ResultsError
from sweeper.host.files import write_atomic
from sweeper.job.phases import Measured
from sweeper.job.row import _gpu_seconds, row_of
from sweeper.job.run import begin
from sweeper.rows import table
from sweeper.rows.curve import read_curve
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import Failure, read_row, read_rows, row_path, write_row
from sweeper.rows.score import Score
from sweeper.runs.folder import RunDir
from tests.sweeper.points import spec
from tests.sweeper.rows import row

FAILURE = Failure(
    phase="train",
    reason="out of memory",
    log="runs/x/log.txt",
    failure_class=FailureClass.cuda_oom,
    evidence="CUDA out",
)


def test_a_row_survives_its_file(tmp_path: Path) -> None:
    written = row(spec())
    assert read_row(write_row(tmp_path, written)) == written


def test_a_completed_row_is_never_overwritten(tmp_path: Path) -> None:
    write_row(tmp_path, row(spec(), pass1=0.5))
    for other in (row(spec(), pass1=0.75), row(spec(), failure=FAILURE)):
        with pytest.raises(ResultsError, match="never overwritten"):
            write_row(tmp_path, other)
    score = read_row(row_path(tmp_path, spec().run_id)).score()
    assert score is not None
    assert score.at(1) == 0.5


def test_a_failed_row_is_replaced_by_the_next_try(tmp_path: Path) -> None:
    write_row(tmp_path, row(spec(), failure=FAILURE))
    write_row(tmp_path, row(spec()))
    assert [item.failure for item in read_rows(tmp_path)] == [None]


def test_a_temporary_file_of_a_killed_writer_is_no_row(tmp_path: Path) -> None:
    path = write_row(tmp_path, row(spec()))
    path.with_name(f".{path.name}.4711.tmp").write_text('{"schema_ver')
    path.with_name(f".other-{path.name}.4711.tmp").write_text('{"schema_ver')
    assert len(list(read_rows(tmp_path))) == 1


def test_a_writer_killed_at_any_moment_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    code = (
        "import sys, itertools; from pathlib import Path; from sweeper.host.files import write_atomic\n"
        "path = Path(sys.argv[1])\n"
        "print(flush=True)\n"
        "for i in itertools.count(): write_atomic(path, str(i % 10) * 100_000)"
    )
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(timeout=0.2)
        writer.kill()
        writer.communicate()
        text = path.read_text()
        assert len(text) == 100_000
        assert len(set(text)) == 1


def test_a_row_of_another_schema_version_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = write_row(tmp_path, row(spec()))
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(ResultsError, match="schema_version 99, this code reads 1"):
        read_row(path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema_version": 1}', "null"])
def test_a_file_that_is_no_row_is_refused_by_name(tmp_path: Path, text: str) -> None:
    write_atomic(tmp_path / "rows" / "x.json", text)
    with pytest.raises(ResultsError, match=r"x\.json"):
        list(read_rows(tmp_path))


def test_an_unknown_pass_at_k_is_none() -> None:
    score = row(spec()).score()
    assert score is not None
    assert score.at(16) is None
    assert score.at(3) is None


def test_the_csv_has_a_line_a_row_and_an_empty_field_for_what_was_not_measured(tmp_path: Path) -> None:
    import csv
    import io

    records = list(csv.DictReader(io.StringIO(table.to_csv([row(spec()), row(spec("seed=1"), failure=FAILURE)]))))
    assert [item["pass@1"] for item in records] == ["0.5", ""]
    assert records[0]["pass@16"] == ""
    assert [item["reason"] for item in records] == ["", "out of memory"]
    assert [item["failure_class"] for item in records] == ["", "cuda_oom"]


def test_parquet_gives_the_records_back(tmp_path: Path) -> None:
    import pyarrow.parquet

    rows = [row(spec()), row(spec("seed=1"), failure=FAILURE)]
    table.to_parquet(rows, tmp_path / "t.parquet")
    read = pyarrow.parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert [item["run_id"] for item in read] == [item.run_id for item in rows]
    assert [item["pass@1"] for item in read] == [0.5, None]
    assert {item["gain"] for item in read} == {0.25, None}


def test_sql_runs_over_the_rows() -> None:
    rows = [row(spec("seed=1"), pass1=0.5), row(spec("seed=2"), pass1=0.75)]
    names, answer = table.query(rows, "select max(\"pass@1\") as best from results where status = 'completed'")
    assert names == ["best"]
    assert answer == [(0.75,)]


def test_sql_knows_a_setting_that_all_runs_share_and_the_columns_of_which_no_value_is_known() -> None:
    rows = [row(spec("seed=1", "training.actor_lr=1e-3")), row(spec("seed=2", "training.actor_lr=1e-3"))]
    asked = 'select "training.actor_lr" as lr, count(*) from results group by lr'
    assert table.query(rows, asked)[1] == [(1e-3, 2)]
    assert "training.actor_lr" not in table.query(rows, "select * from results")[0]
    ladder = [row(spec())]  # its step size is that of its model
    assert table.query(ladder, asked)[1] == [((ladder[0].settings or {})["model.actor_lr"], 1)]
    old = [replace(item, settings=None, problems_seen=None, base=(), trained=()) for item in rows]
    unknown = 'select avg(problems_seen), max("pass@1"), max("base_pass@1"), max(cost) from results'
    assert table.query(old, unknown)[1] == [(None, None, None, None)]
    with pytest.raises(ResultsError, match=r'"training.actor_lr" not found(.|\n)*by its dotted key in double quotes'):
        table.query(old, asked)


def test_invalid_sql_is_an_error_a_user_can_read() -> None:
    with pytest.raises(ResultsError, match="--sql"):
        table.query([row(spec())], "select nothing from nowhere")


def test_the_json_record_is_valid_json_with_null_where_k_exceeds_n() -> None:
    record = json.loads(json.dumps(table.record(row(spec())), allow_nan=False))
    assert record["pass@16"] is None
    assert record["base_pass@1"] == 0.25


@pytest.mark.parametrize(
    ("earlier", "seen", "reuse"),
    [
        ({"n_unique": 1024, "reuse": 0.3125}, 320, 1.0),
        ({"n_unique": 128, "reuse": 2.5}, 128, 2.5),
        ({"n_unique": 128, "reuse": None, "train_samples": 2560, "rollout_n": 8}, 128, 2.5),
        ({"n_unique": 1024, "reuse": None, "train_samples": 2560, "rollout_n": 8}, 320, 1.0),
        ({"n_unique": 128, "reuse": None, "train_samples": 2560, "rollout_n": None}, None, None),
        ({"n_unique": None, "reuse": None, "train_samples": 2560, "rollout_n": 8}, None, None),
    ],
)
def test_a_row_of_an_earlier_version_gets_the_problems_seen_where_it_holds_what_they_follow_from(
    earlier: dict[str, object], seen: int | None, reuse: float | None, tmp_path: Path
) -> None:
    path = write_row(tmp_path, row(spec()))
    values = json.loads(path.read_text()) | earlier
    del values["problems_seen"]
    path.write_text(json.dumps(values))
    assert (read_row(path).problems_seen, read_row(path).reuse) == (seen, reuse)


def test_a_row_that_says_that_the_problems_seen_are_not_known_is_believed(tmp_path: Path) -> None:
    path = write_row(tmp_path, replace(row(spec()), problems_seen=None, reuse=None, rollout_n=8))
    assert read_row(path).problems_seen is None


def test_the_table_and_its_record_hold_the_problems_seen_beside_the_size_of_the_set() -> None:
    found = row(spec("data_scale=n1k"))  # 20 steps of 16
    assert (table.record(found)["n_unique"], table.record(found)["problems_seen"]) == (1024, 320)
    head, _, line = table.text([found]).splitlines()[:3]
    assert dict(zip(head.split()[4:7], line.split()[4:7], strict=True)) == {
        "unique": "1024",
        "seen": "320",
        "seed": "0",
    }


def test_the_printed_table_is_sorted_by_size_and_shows_the_gain() -> None:
    lines = table.text([row(spec("model=tiny-430k")), row(spec("model=tiny-40k"))]).splitlines()
    assert lines[2].startswith("tiny-40k")
    assert "0.250" in lines[2]
    assert "completed" in lines[2]


def test_a_row_holds_kl_term_adapters_and_rollouts_of_its_run(tmp_path: Path) -> None:
    run = spec("algorithm=grpo", "algorithm.kl.in_loss=true", "algorithm.kl.loss_coef=0.04", "algorithm.rollout_n=16")
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.freeze(run)
    found = row_of(begin(run_dir, run, run_dir.new_attempt()), Measured(), FAILURE)
    assert (found.rollout_n, found.lora_rank, found.kl_loss_coef, found.kl_reward_coef) == (16, 0, 0.04, 0.0)
    _, answer = table.query([found], "select rollout_n, lora_rank, kl_loss_coef, kl_reward_coef from results")
    assert answer == [(16, 0, 0.04, 0.0)]


def test_a_row_written_before_these_settings_is_read_with_nulls(tmp_path: Path) -> None:
    old = row(spec())
    values = json.loads(old.to_json())
    for name in ("rollout_n", "lora_rank", "kl_loss_coef", "kl_reward_coef"):
        assert values.pop(name) is None
    path = row_path(tmp_path, old.run_id)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(values))
    assert read_row(path) == old


def test_no_rows_have_the_header_of_any_row(tmp_path: Path) -> None:
    names = table.columns([])
    of_a_row = table.columns([table.record(row(spec()))])
    assert names == [name for name in of_a_row if "@" not in name or name in ("base_pass@1", "pass@1")]
    assert table.to_csv([]) == ",".join(names) + "\n"
    table.to_parquet([], tmp_path / "none.parquet")
    assert pq.read_schema(tmp_path / "none.parquet").names == names
    assert table.query([], "select model, seed from results") == (["model", "seed"], [])


@pytest.mark.parametrize(
    ("attempts", "spent"),
    [
        ([("cuda", 1, (1, 2, 3)), ("cuda", 4, (3, 4))], 5.0 * (1 + 1 + 4 + 4)),  # step 3 was lost and made again
        ([("cuda", 1, (1, 2)), ("cpu", 1, (3,))], None),
        ([("cpu", 1, (1, 2))], None),
        ([], None),
    ],
)
def test_gpu_seconds_are_of_the_gpus_that_each_step_had(
    attempts: list[tuple[str, int, tuple[int, ...]]], spent: float | None, tmp_path: Path
) -> None:
    run = spec("model=tiny-40k")
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.freeze(run)
    for device, gpus, steps in attempts:
        attempt = run_dir.new_attempt()
        adjusted = {"model.resources.gpus_per_node": gpus}
        attempt.write("env", {"time": 0.0, "device": device, "adjustment": adjusted})
        data = {"critic/score/mean": 0.5, "perf/time_per_step": 5.0}
        attempt.metrics.write_text("".join(json.dumps({"step": step, "data": data}) + "\n" for step in steps))
    points = read_curve(attempt.metrics for attempt in run_dir.attempts())
    assert _gpu_seconds(run_dir, points) == spent


def test_a_spreadsheet_computes_no_text_of_a_row_and_numbers_stay_numbers(tmp_path: Path) -> None:
    texts = {
        "=cmd|'/C calc'!A0": True,
        "+1+2": True,
        "@SUM(A1)": True,
        "-x": True,
        "\n=1": True,
        **dict.fromkeys(("\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "\t=1"), True),
        "-1.5": False,
        "a=b": False,
    }
    rows = [replace(row(spec(f"seed={seed}")), model=text, gpu_seconds=-1.5) for seed, text in enumerate(texts)]
    plain, safe = (list(csv.DictReader(io.StringIO(table.to_csv(rows, spreadsheet=on)))) for on in (False, True))
    assert [line["model"] for line in plain] == list(texts)
    assert [line["model"] for line in safe] == [f"'{text}" if changes else text for text, changes in texts.items()]
    assert {line["gpu_seconds"] for line in safe} == {"-1.5"}
    assert [{**line, "model": ""} for line in safe] == [{**line, "model": ""} for line in plain]


def test_a_carriage_return_begins_no_line_of_a_spreadsheet() -> None:
    """Python's writer leaves it without quotes, and a spreadsheet ends a line there."""
    text = table.to_csv([replace(row(spec()), model="a\r=1")], spreadsheet=True)
    assert "\r" not in text
    assert '"a\n=1"' in text


def test_a_spreadsheet_computes_no_name_of_a_column() -> None:
    rows = [replace(row(spec(f"seed={seed}")), settings={"=cmd|'/C calc'!A0": seed}) for seed in (0, 1)]
    plain, safe = (next(csv.reader(io.StringIO(table.to_csv(rows, spreadsheet=on)))) for on in (False, True))
    assert "=cmd|'/C calc'!A0" in plain
    assert safe == [f"'{name}" if name.startswith("=") else name for name in plain]


@pytest.mark.parametrize("verb", [["results"], ["status"], ["why"], ["results", "--sql", "select model from results"]])
def test_a_name_or_a_reason_of_several_lines_begins_no_line_of_a_table(
    verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = replace(FAILURE, reason="bad\nforged", evidence="bad\u2028forged")
    written = replace(row(spec("seed=3"), failure=failure), model="bad\nforged", algorithm="bad\rforged")
    write_row(tmp_path, written)
    which = [written.run_id] if verb == ["why"] else []
    assert run_main("sweeper.cli.main", [*verb, *which, "--results", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("forged" in line for line in lines)
    assert not any(line.startswith("forged") for line in lines)
    assert len(one_line("x" * 10_000)) == 1001


def test_only_csv_is_changed_for_a_spreadsheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_row(tmp_path, replace(row(spec()), model="=1"))
    where = ["results", "--results", str(tmp_path)]
    assert run_main("sweeper.cli.main", [*where, "--csv", "--spreadsheet"]) == 0
    assert ",'=1," in capsys.readouterr().out
    for other in ([], ["--csv"], ["--json"], ["--sql", "select model from results"]):
        assert run_main("sweeper.cli.main", [*where, *other]) == 0
        assert "'=1" not in capsys.readouterr().out
    assert run_main("sweeper.cli.main", [*where, "--spreadsheet"]) == 2
    assert "add --csv" in capsys.readouterr().err


def test_a_row_without_an_agent_is_written_as_before_there_were_agents() -> None:
    score = Score(domain="all", n_problems=1, n_samples=1, pass_at_k=(), outcomes={})
    text = replace(row(spec()), base=(score,), trained=(score,)).to_json()
    assert "pass_at_turns" not in text
    assert "trajectories" not in text
    assert '"agent"' not in text
