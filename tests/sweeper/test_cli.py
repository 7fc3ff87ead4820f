import importlib.metadata
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from rewards.program import STARTED_VARIABLE
from sweeper import __main__ as entry
from sweeper.cli.handover import HANDED_OVER
from sweeper.cli.main import _about, _listed, main, parsers
from sweeper.rows.grid_file import Membership
from sweeper.rows.row import Failure, write_row
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId
from tests.sweeper.called import called as sweeper
from tests.sweeper.points import spec
from tests.sweeper.rows import row

VERBS = tuple(parsers()[1])


def process(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "sweeper", *arguments], capture_output=True, text=True, timeout=120)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """One completed and one failed run."""
    failure = Failure(phase="train", reason="out of memory", log="runs/x/log.txt")
    for run, why in ((spec("seed=1"), None), (spec("seed=2"), failure)):
        run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
        run_dir.freeze(run)
        run_dir.new_attempt()
        write_row(tmp_path, row(run, failure=why))
    return tmp_path


@pytest.mark.parametrize(
    "words", [["--help"], [], ["plan", "--help"], ["completion", "bash"], ["--version"]], ids=" ".join
)
def test_what_needs_no_plan_comes_at_once_and_imports_nothing_heavy(words: list[str]) -> None:
    heavy = ("torch", "transformers", "verl", "ray", "hydra", "omegaconf", "numpy", "pandas", "pyarrow", "pydantic")
    code = (
        "import sys; from sweeper.cli.main import main\n"
        f"try: main({words!r})\n"
        "except SystemExit: pass\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.monotonic() - start < 5  # a hang guard; the measured figure is in `make bench`


def test_the_program_alone_prints_its_help_and_starts_nothing(tmp_path: Path) -> None:
    command, env = [sys.executable, "-m", "sweeper"], os.environ | {"PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == process("--help").stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flags", [["--wait"], ["--yes"], ["--budget-gpu-hours", "5"]], ids=" ".join)
def test_flags_alone_start_nothing(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(flags) == 2
    assert "add a setting" in capsys.readouterr().err


@pytest.mark.parametrize("program", ["sweeper", "rewards", "data_prep", "analysis"])
def test_help_comes_in_a_folder_that_was_deleted(program: str, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    code = f"import os, sys; os.mkdir({str(gone)!r}); os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); "
    code += f"os.execv(sys.executable, [sys.executable, '-m', {program!r}, '--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


def test_help_has_every_verb_with_what_its_own_parser_says_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("verbs (each has --help):")[2]
    assert {"plan", "status", "why", "logs", "retry", "cancel", "gc", "export-sbatch", "doctor"} <= set(VERBS)
    assert {"suggest", "results", "options", "add-model"} <= set(VERBS)
    assert [verb for verb in (*VERBS, *HANDED_OVER) if not re.search(rf"^  {verb}\s+\w", listed, re.MULTILINE)] == []


def test_a_verb_of_another_program_becomes_that_program_with_its_exit_code(results: Path) -> None:
    asked = process("ask", "--list")
    assert asked.returncode == 0
    assert (
        asked.stdout
        == subprocess.run(
            [sys.executable, "-m", "analysis", "ask", "--list"], capture_output=True, text=True, check=True
        ).stdout
    )
    refused = process("report", "--grid", "none", f"results_dir={results}")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "none" in refused.stderr


@pytest.mark.parametrize(
    ("verb", "module", "words"),
    [
        *((verb, "analysis", [verb]) for verb in ("report", "ask", "fit", "rank", "passk", "import")),
        ("data", "data_prep", []),
        ("rewards", "rewards", []),
    ],
)
def test_each_handed_over_verb_keeps_the_words_after_it_and_the_name_before_it(
    verb: str,
    module: str,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    became: list[list[str]] = []

    def become(path: str, command: list[str], environment: dict[str, str]) -> None:
        became.append([path, *command])
        monkeypatch.setenv(STARTED_VARIABLE, environment[STARTED_VARIABLE])
        raise SystemExit(0)

    monkeypatch.setattr("sweeper.cli.handover.execve", become)
    with pytest.raises(SystemExit):
        main([verb, "x", "--flag"])
    assert became == [[sys.executable, sys.executable, "-m", module, *words, "x", "--flag"]]
    with pytest.raises(SystemExit):
        import_module(f"{module}.cli").main([*words, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: python -m sweeper {verb} ")
    assert STARTED_VARIABLE not in os.environ


def test_the_results_folder_is_named_in_either_way(results: Path) -> None:
    for verb in (["status"], ["results"], ["plan", "seed=1,2"]):
        spellings = (
            [f"results_dir={results}"],
            ["--results", str(results)],
            [f"--results={results}", f"results_dir={results}/"],
        )
        found = [json.loads(sweeper(*verb, *spelling, "--json").stdout)["data"] for spelling in spellings]
        runs = [data["runs"] if verb[0] == "plan" else data for data in found]
        assert runs[0] == runs[1] == runs[2]
        assert "completed" in str(runs[0]) or "done" in str(runs[0])


def test_a_results_folder_of_any_name_is_understood_as_a_setting(tmp_path: Path) -> None:
    folder = tmp_path / "it's a=b, (so)"
    found = json.loads(sweeper("plan", "seed=1", "--results", str(folder), "--json").stdout)
    assert found["data"]["runs"][0]["state"] == "new"
    assert sweeper("status", "--results", str(folder)).stderr.startswith(f"error: --results {folder}: there is no such")


def test_a_run_is_named_by_the_beginning_of_its_hash_and_a_wrong_one_gets_the_nearest(results: Path) -> None:
    run_id = spec("seed=1").run_id
    assert (
        json.loads(sweeper("why", run_id[-12:-4], "--results", str(results), "--json").stdout)["data"]["run_id"]
        == run_id
    )
    wrong = sweeper("why", f"x{run_id[:-13]}", "--results", str(results))
    assert (wrong.returncode, f"did you mean {run_id[:-13]}?" in wrong.stderr) == (2, True)


@pytest.mark.parametrize("columns", [4, 20, 40, 100])
def test_the_list_of_verbs_breaks_no_word_however_narrow_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.cli.main.screen_width", lambda **_: columns)
    text = _listed()
    told = set(text.replace(":", " ").split())
    for verb in VERBS:
        assert {verb, *_about(verb).replace(":", " ").split()} <= told
    if columns >= 20:
        assert max(map(len, text.split("\n"))) <= max(columns, len("    ") + max(map(len, told)))


def test_a_wrong_grid_gets_the_nearest(results: Path) -> None:
    Membership(name="ladder", grid="ladder", axes={}, members=()).write(results)
    wrong = sweeper("results", "laddr", "--results", str(results))
    assert "did you mean ladder?" in wrong.stderr


def test_a_verbs_arguments_may_stand_before_and_after_its_flags(tmp_path: Path) -> None:
    done = sweeper("plan", "seed=0,1", "--json", f"results_dir={tmp_path}", "-m", "algorithm=ppo")
    assert [run["choice"]["seed"] for run in json.loads(done.stdout)["data"]["runs"]] == ["0", "1"]


def test_the_version_is_printed_with_the_commit_of_the_code() -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout[:12]
    found = sweeper("--version").stdout
    assert found.startswith(f"sweeper {importlib.metadata.version('rl-scaling-sweeper')}, commit {commit}")


def test_a_console_script_and_python_dash_m_are_the_same_program() -> None:
    (text,) = tomllib.loads(Path("pyproject.toml").read_text())["project"]["scripts"].values()
    assert importlib.metadata.EntryPoint(name="sweeper", value=text, group="console_scripts").load() is entry.run


def test_help_names_the_verbs_and_the_first_commands() -> None:
    text = sweeper("--help").stdout
    for word in ("plan", "status", "results", "options", "+grid=model_scale -m", "results_dir="):
        assert word in text


@pytest.mark.parametrize("verb", sorted({*VERBS} - {"completion", "dashboard"}))
def test_every_verb_has_help_and_json(verb: str) -> None:
    done = sweeper(verb, "--help")
    assert done.returncode == 0
    assert "--json" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["staus"], "no verb staus; did you mean status?"),
        (["staus", "--json"], "did you mean status?"),
        (["evaluate"], "verbs are plan, retry,"),
        (["--frobnicate"], "unknown flag --frobnicate (see: python -m sweeper --help)"),
        (["--canry"], "unknown flag --canry; did you mean --canary?"),
        (["reprot"], "did you mean report?"),
        (["+grid=model_scale"], "add -m"),
        (["seed=0,1"], "add -m"),
        (["training.total_step=3"], "training.total_steps"),
        (["model=tiny40k"], "tiny-40k"),
        (["+verl.actor_rollout_ref.rollout.topk=5"], "topk"),
        (["training.ppo_mini_batch_size=5"], "change one of them"),
        (["plan", "--frobnicate"], "--frobnicate"),
        (["status", "no-such-run"], "names 0 runs"),
        (["results", "no-such-grid"], "was never launched"),
    ],
)
def test_a_wrong_command_exits_2_with_the_cure_and_without_a_traceback(
    arguments: list[str], cure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ["--results", str(tmp_path)] if arguments[0] in ("status", "results") else []
    launched = [] if where or "=" not in arguments[0] else [f"results_dir={tmp_path}/r"]
    done = sweeper(*arguments, *where, *launched)
    assert done.returncode == 2
    assert cure in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "r" / "runs").exists(), "something was started"


def test_a_plan_as_json_holds_every_run_with_its_verl_overrides(tmp_path: Path) -> None:
    done = process("plan", "algorithm=ppo,grpo", f"results_dir={tmp_path}", "--json", "--verl")
    assert done.returncode == 0
    value = json.loads(done.stdout)
    runs = value["data"]["runs"]
    assert value["command"] == "plan"
    assert [run["state"] for run in runs] == ["new", "new"]
    assert "algorithm.adv_estimator=gae" in runs[0]["verl_overrides"]
    assert value["data"]["verl"] == {"status": "checked", "reason": None}
    assert not (tmp_path / "runs").exists()


def test_a_slurm_sweep_of_another_family_is_planned_on_a_laptop(tmp_path: Path) -> None:
    done = sweeper(
        "plan", "+grid=model_scale", "cluster=slurm", "model_family=qwen2.5", f"results_dir={tmp_path}", "--verl"
    )
    assert done.returncode == 0
    assert "actor_rollout_ref.rollout.name=vllm" in done.stdout
    assert "hf_cpu" not in done.stdout
    assert "\n# /unused stands for every path; a job counts Ray's CPUs where it runs\n" in done.stdout


def test_status_and_results_of_nothing_say_how_to_start(tmp_path: Path) -> None:
    for verb in ("status", "results"):
        done = sweeper(verb, "--results", str(tmp_path))
        assert done.returncode == 0
        assert "python -m sweeper +grid=model_scale -m" in done.stdout


def test_status_and_results_of_nothing_are_empty_json(tmp_path: Path) -> None:
    for verb in ("status", "results"):
        assert json.loads(sweeper(verb, "--results", str(tmp_path), "--json").stdout) == {"command": verb, "data": []}


def test_options_lists_every_group() -> None:
    found = json.loads(sweeper("options", "--json").stdout)["data"]
    assert {"dapo", "grpo", "ppo", "reinforce_plus_plus"} < set(found["algorithm"])
    assert found["algorithm"] == sorted(
        path.stem for path in (Path(__file__).parents[2] / "conf" / "algorithm").glob("*.yaml")
    )
    assert set(found) >= {"model", "model_family", "data_scale", "domain_mix", "training", "eval", "cluster", "grid"}


def test_status_shows_the_result_of_one_run_and_the_reason_of_another(results: Path) -> None:
    text = sweeper("status", "--results", str(results)).stdout
    assert "0.500" in text
    assert "train: out of memory" in text
    assert "1 done, 1 failed" in text


def test_status_finds_a_run_by_the_end_of_its_id(results: Path) -> None:
    run_id = spec("seed=1").run_id
    [status] = json.loads(sweeper("status", run_id[-8:], "--results", str(results), "--json").stdout)["data"]
    assert status["run_id"] == run_id
    assert status["state"] == "done"


def test_results_come_as_table_csv_sql_parquet_and_json(results: Path) -> None:
    where = ("--results", str(results))
    assert "completed" in sweeper("results", *where).stdout
    assert len(sweeper("results", *where, "--csv").stdout.splitlines()) == 3
    assert "2" in sweeper("results", *where, "--sql", "select count(*) from results").stdout
    assert sweeper("results", *where, "--parquet", str(results / "t.parquet")).returncode == 0
    assert (results / "t.parquet").stat().st_size > 0
    assert len(json.loads(sweeper("results", *where, "--json").stdout)["data"]) == 2


def test_wrong_sql_exits_2(results: Path) -> None:
    done = sweeper("results", "--results", str(results), "--sql", "select nonsense from results")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    done = sweeper("results", "--results", str(results), "--sql", "select * from rows")
    assert "Table with name rows does not exist; the only table is results" in done.stderr
    done = sweeper("results", "--results", str(results), "--sql", "select * from rows(1)")
    assert "Table Function with name rows does not exist" in done.stderr
    assert "only table" not in done.stderr


def test_a_finished_point_is_not_run_again_and_prints_its_row(results: Path) -> None:
    done = process("seed=1", f"results_dir={results}")
    assert done.returncode == 0, done.stderr
    assert "1 done" in done.stdout
    assert "0.500" in done.stdout
    assert len(RunDir(results_dir=results, run_id=spec("seed=1").run_id).attempts()) == 1


def test_a_python_without_the_dependencies_is_told_where_they_are() -> None:
    command = [sys.executable, "-S", "-m", "sweeper", "plan", "+grid=smoke"]  # -S: without site-packages
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "run: make setup && source .venv/bin/activate" in done.stderr


def test_a_pipe_that_closes_early_is_no_error(results: Path) -> None:
    command = f"{sys.executable} -m sweeper results --csv --results {results} | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_hydras_own_config_printing_works() -> None:
    done = process("--cfg", "job", "seed=3")
    assert done.returncode == 0, done.stderr
    assert "seed: 3" in done.stdout


def test_logs_are_lines_or_one_json_object(results: Path) -> None:
    run_id = spec("seed=1").run_id
    log = RunDir(results_dir=results, run_id=run_id).attempts()[-1].log
    assert "is done and has no log here" in sweeper("logs", run_id, "--results", str(results)).stderr
    assert "it has no log here" in sweeper("why", run_id, "--results", str(results)).stdout
    queued = RunDir(results_dir=results, run_id=RunId("queued-0123456789ab"))
    queued.path.mkdir()
    assert "has not begun" in sweeper("logs", queued.run_id, "--results", str(results)).stderr
    assert "it has printed nothing yet" in sweeper("why", queued.run_id, "--results", str(results)).stdout
    queued.path.rmdir()
    log.write_text("one\ntwo\n")
    assert process("logs", run_id, "--results", str(results)).stdout == "one\ntwo\n"  # bytes, past text's own stream
    data = json.loads(sweeper("logs", run_id, "--results", str(results), "--json").stdout)["data"]
    assert (data["run_id"], data["attempt"], data["lines"]) == (run_id, 1, ["one", "two"])


def test_a_launch_where_nothing_can_be_submitted_is_refused_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = sweeper("seed=1", "model_family=qwen2.5", "cluster=slurm", f"results_dir={tmp_path}/r")
    assert done.returncode == 2
    assert "sbatch: not on this machine; submit from a login node of the cluster" in done.stderr
    assert not (tmp_path / "r" / "weights").exists()


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_of_a_verb_is_wider_than_the_terminal(
    width: int, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.host.printed_table.screen_width", lambda: width)
    folder = f"results_dir={results}"
    for command in (
        ["status", folder],
        ["results", folder],
        ["results", folder, "--sql", "select * from results"],
        ["plan", "seed=1,2,3", "algorithm=grpo,ppo", folder],
        ["retry", "--dry-run", folder],
        ["gc", folder],
        ["options"],
    ):
        done = sweeper(*command)
        assert done.returncode == 0, done.stderr
        lines = [line for line in done.stdout.splitlines() if not line.startswith("start with: ")]  # to be pasted
        assert [line for line in lines if len(line) > width] == [], command


def test_a_terminal_shows_handles_that_a_verb_accepts_and_ids_if_asked(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.host.printed_table.screen_width", lambda: 200)
    run_id, where = spec("seed=1").run_id, f"results_dir={results}"
    shown = sweeper("results", where).stdout
    assert run_id not in shown
    (handle,) = re.findall(rf"^({run_id[-12:][:8]}) ", shown, re.MULTILINE)
    assert json.loads(sweeper("why", handle, where, "--json").stdout)["data"]["run_id"] == run_id
    assert run_id in sweeper("results", where, "--ids").stdout
