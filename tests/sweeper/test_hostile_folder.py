"""Every verb answers about the good runs of a hostile folder, within 5 s and 500 MB, and says what it left out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rewards.program import guarded
from sweeper.cli.main import main
from tests.sweeper.hostile_folder import AXES, GRID, GRIDS, ROWS, make, make_data, make_model

SECONDS, MEGABYTES = 5.0, 500  # of CPU: other tests run beside this one
HANGS = 60.0  # seconds by the clock
# Of the child's address space, beside what it has when it begins and what each thread reserves: /dev/zero would fill
# the machine.
_GROWTH = 1 << 32
# One process for all verbs: a bound on memory and a clock that hold whatever a verb does in C.
_CHILD = """
import contextlib, io, json, pathlib, resource, signal, sys, time
from importlib import import_module
import duckdb, pyarrow.parquet, pandas, scipy.optimize  # what the verbs load is not what they take
from rewards.program import guarded

def stopped(*_):
    raise SystemExit(f"took longer than {limit} s")

limit, growth, verbs = json.loads(sys.stdin.read())
signal.signal(signal.SIGALRM, stopped)
# What may be written to: V8, which draws a report's figures, sets aside gigabytes of addresses that it never touches.
size = int(pathlib.Path("/proc/self/status").read_text().partition("VmData:")[2].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (size + growth, resource.RLIM_INFINITY))
found = []
for module, words in verbs:
    out, err, started = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO(), time.process_time()
    signal.setitimer(signal.ITIMER_REAL, limit)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = guarded(lambda: import_module(module).main(words))
        except SystemExit as error:
            code = str(error)
    signal.setitimer(signal.ITIMER_REAL, 0)
    out.flush()
    told = out.buffer.getvalue()
    found.append({
        "code": code, "out": told[:20_000].decode(errors="replace"), "size": len(told), "err": err.getvalue(),
        "seconds": time.process_time() - started,
        # ru_maxrss would begin at what the process held that this one was forked from.
        "megabytes": int(pathlib.Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024,
    })
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    results = tmp_path_factory.mktemp("hostile")
    return results, {name: run.run_id for name, run in make(results).items()}


@pytest.fixture(scope="module")
def told(folder: tuple[Path, dict[str, str]]) -> dict[str, dict[str, Any]]:
    results, runs = folder
    where = ["--results", str(results)]
    cli, analysis, data_prep = "sweeper.cli.main", "analysis.cli", "data_prep.cli"
    own, into = "sweeper.cli.", f"results_dir={results}"
    data, model = make_data(results / "hostile_data"), make_model(results / "hostile_model")
    of_data = ["model=tiny-40k", f"data_root={data}", into]
    verbs = {
        "status": (cli, ["status", *where]),
        "status --json": (cli, ["status", "--json", *where]),
        "results": (cli, ["results", *where]),
        "results --csv": (cli, ["results", "--csv", *where]),
        "results --sql": (cli, ["results", "--sql", "select count(*) from results", *where]),
        "results GRID": (cli, ["results", GRID, "--csv", *where]),
        "retry": (cli, ["retry", "--dry-run", *where]),
        "gc": (cli, ["gc", *where]),
        "why done": (cli, ["why", runs["done"], *where]),
        "why long": (cli, ["why", runs["long"], *where]),
        "why pipe": (cli, ["why", runs["pipe"], *where]),
        "logs --json long": (cli, ["logs", "--json", runs["long"], *where]),
        "logs pipe": (cli, ["logs", runs["pipe"], *where]),
        "cancel": (cli, ["cancel", GRID, *where]),
        "plan": (cli, ["plan", *AXES, into]),
        "suggest": (cli, ["suggest", "--budget-gpu-hours", "1", *AXES, into]),
        "export-sbatch": (
            cli,
            ["export-sbatch", "--out", str(results / "out"), "cluster=slurm", *AXES, into],
        ),
        "plan of data": (cli, ["plan", *of_data]),
        "prepare of data": (cli, ["prepare", *of_data]),
        "annotate of data": (f"{own}annotate", ["--n", "1", *of_data]),
        "data_prep prepare": (f"{own}prepare_data", of_data),
        "inspect": (data_prep, ["inspect", str(data)]),
        "validate": (data_prep, ["validate", str(data)]),
        "add-model": (cli, ["add-model", str(model)]),
        "plan of a model": (cli, ["plan", "model=tiny-40k", "model.source=hub", f"model.path={model}", into]),
        "fit": (analysis, ["fit", *where]),
        "passk": (analysis, ["passk", str(results / "rows" / "a_pipe.json")]),
        "ask": (analysis, ["ask", "size", *where]),
        "report": (analysis, ["report", *where, "--grid", GRID, "-o", str(results / "report.html")]),
        "report --grid /x": (analysis, ["report", *where, "--grid", str(results / "grids" / GRID)]),
        "report --grid ..": (analysis, ["report", *where, "--grid", f"../grids/{GRID}"]),
    }
    asked = json.dumps([HANGS, _GROWTH, list(verbs.values())])
    done = subprocess.run(
        [sys.executable, "-c", _CHILD], input=asked, capture_output=True, text=True, timeout=5 * HANGS
    )
    assert done.returncode == 0, done.stderr
    found = dict(zip(verbs, json.loads(done.stdout), strict=True))
    if os.environ.get("SHOW_COSTS"):
        for name, item in found.items():
            print(f"{name:20} {item['seconds']:5.2f} s  {item['megabytes']} MB  code {item['code']}")
    return found


CODES = {  # 1: what it left out is not in the answer; 2: what was asked for is itself no file
    **dict.fromkeys(("status", "status --json", "results", "results --csv", "results --sql", "results GRID"), 1),
    **dict.fromkeys(("retry", "gc", "cancel", "why pipe", "plan", "report", "fit", "ask", "inspect", "validate"), 1),
    **dict.fromkeys(("why done", "why long", "logs --json long"), 0),
    **dict.fromkeys(("logs pipe", "passk", "report --grid /x", "report --grid ..", "suggest", "export-sbatch"), 2),
    **dict.fromkeys(("plan of data", "prepare of data", "annotate of data", "data_prep prepare"), 2),
    **dict.fromkeys(("add-model", "plan of a model"), 2),
}


@pytest.mark.parametrize("verb", CODES)
def test_a_verb_answers_about_the_good_runs_in_bounded_time_and_memory(
    verb: str, told: dict[str, dict[str, Any]], folder: tuple[Path, dict[str, str]]
) -> None:
    found = told[verb]
    assert found["code"] == CODES[verb], (found["out"], found["err"])
    assert found["seconds"] < SECONDS
    assert found["megabytes"] < MEGABYTES
    assert "fault of the project" not in found["err"]
    assert "Traceback" not in found["err"]


def test_what_is_left_out_is_counted_and_named(told: dict[str, dict[str, Any]]) -> None:
    err = told["results"]["err"]
    assert "a_pipe.json is damaged: a named pipe is where a regular file should be; remove it" in err
    assert "b_zero.json is damaged: a device is where a regular file should be" in err
    assert f"{ROWS} damaged files, {ROWS - 3} more than are named: left out; 2 rows are whole" in err
    seen = ROWS - 2  # in short: what is too deep or too wide lies in columns that neither verb reads
    assert f"{seen + GRIDS + 2} damaged files" in told["status"]["err"]
    assert f"{seen + 2} damaged files" in told["gc"]["err"]


def test_the_good_runs_are_in_each_answer(told: dict[str, dict[str, Any]], folder: tuple[Path, dict[str, str]]) -> None:
    _, runs = folder
    states = {item["run_id"]: item for item in json.loads(told["status --json"]["out"])["data"]}
    assert {name: states[run_id]["state"] for name, run_id in runs.items()} == {
        "done": "done",
        "failed": "failed",
        "long": "interrupted",
        "pipe": "damaged",
    }
    assert "../../outside" not in states
    assert len(told["results --csv"]["out"].splitlines()) == 3
    assert told["results --sql"]["out"].split()[-1] == "2"
    assert f"{runs['failed']}: unknown (CUDA out of memory" in told["retry"]["out"]
    assert (
        json.loads(told["plan"]["out"]) if told["plan"]["out"].startswith("{") else runs["done"] in told["plan"]["out"]
    )
    assert told["logs --json long"]["size"] < 8 << 20
    assert "log.txt is damaged: a named pipe is where a regular file should be" in told["logs pipe"]["err"]


def test_what_is_refused_says_in_a_line_which_file_it_is(told: dict[str, dict[str, Any]]) -> None:
    for verb in ("prepare of data", "annotate of data", "data_prep prepare"):
        assert "hostile_data/d.jsonl row 0: a line of more than 64 MiB. Cut it out." in told[verb]["err"], verb
    assert "hostile_data/d.jsonl row 0: a line of more than 64 MiB" in told["plan of data"]["out"]
    for verb, channel in (("add-model", "err"), ("plan of a model", "out")):
        assert "hostile_model/config.json" in told[verb][channel], verb
        assert "it is larger than the 32 MiB that are read of such a file" in told[verb][channel], verb
    assert "sweep-named.json is damaged" in told["export-sbatch"]["err"]
    assert "what they say is in no state, cost and time of this plan" in told["plan"]["err"]


def test_the_good_file_of_a_hostile_data_folder_is_shown_and_each_bad_one_is_named(
    told: dict[str, dict[str, Any]],
) -> None:
    for verb in ("inspect", "validate"):
        out = told[verb]["out"]
        assert "a_good.jsonl" in out
        for name in (
            "d.jsonl",
            "f.json",
            "g.parquet",
            "h_deep.jsonl",
            "i_deep.json",
            "j_bomb.jsonl.gz",
            "k_latin.jsonl",
        ):
            assert f"hostile_data/{name}: unreadable" in out, (verb, name)
        assert "b_pipe.jsonl" in out
    assert "rows in 2 files" in told["validate"]["out"]


def test_following_a_log_of_gigabytes_begins_with_its_last_mib(
    folder: tuple[Path, dict[str, str]], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    results, runs = folder
    assert guarded(lambda: main(["logs", "-f", runs["long"], "--results", str(results)])) == 1  # nobody runs it
    assert len(capfdbinary.readouterr().out) == 1 << 20
