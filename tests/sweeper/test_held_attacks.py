"""Attacks that were tried once and held: each goes on holding.

Not here: what needs another user, a real run or a site (`tests/verl/test_strangers.py`,
`tests/slurm/test_two_users.py`), and what has tests of its own (hostile rows in a report:
`tests/analysis/test_report.py`; a closed DuckDB behind `--sql`: `test_closed_query.py`; canaries:
`tests/test_canaries.py`; what is frozen: `test_frozen_code.py`).
"""

import ast
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from analysis.imports.history import History
from analysis.imports.reading import read_source
from analysis.imports.rows import run_id
from analysis.laws.table import LawError, read_table
from data_prep.sources.column_mapping import mappings_of
from data_prep.sources.conversion import BadRow, messages_of
from data_prep.spec import DataError
from rewards.judge.cache import JudgeCache
from rewards.judge.endpoint import Endpoint, EndpointFailed
from sweeper.host import secret
from sweeper.host.errors import ConfigError, ResultsError, RunFailedError
from sweeper.launch.slurm.array import Chunk
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.script import script
from sweeper.launch.slurm.shape import shape_of
from sweeper.oversight.garbage import find
from sweeper.rows.row import row_path, write_row
from sweeper.runs.folder import find_run
from tests.sweeper.points import spec
from tests.sweeper.rows import row

ROOT = Path(__file__).parents[2]

CONDITIONS = (
    *("(select count(*) from read_text('/etc/passwd')) > 0", "(select count(*) from read_csv('/etc/passwd')) > 0"),
    *("(select count(*) from sniff_csv('/etc/passwd')) > 0", "(select count(*) from glob('/etc/*')) > 0"),
    *("(select count(*) from '/etc/passwd') > 0", "getenv('HOME') = '/root'", "(from duckdb_secrets()) is not null"),
    *("x > 0; copy (select 1) to '{made}'", "(select count(*) from query('from read_text(''/etc/passwd'')')) > 0"),
    *("(select count(*) from query_table('x')) > 0", "(select count(*) from os) > 0", "(from frame) > 0"),
    *("current_setting('home_directory') = '/root'", "[x > 0, x < 0]"),
)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_of_a_fit_reads_and_writes_nothing_but_its_table(condition: str, tmp_path: Path) -> None:
    path, made = tmp_path / "a.csv", tmp_path / "made"
    path.write_text("x,y\n1,2\n3,4\n")
    table = read_table(path)
    with suppress(LawError):  # it is refused, or is true of no row
        assert not np.any(table.condition(condition.format(made=made), "--where"))
    assert not made.exists()


NAMES = (
    *(
        "$(touch PWNED)",
        "`touch PWNED`",
        "; touch PWNED",
        "a'; touch PWNED; '",
        'a"; touch PWNED; "',
        "& touch PWNED #",
    ),
    *("$PWD", "a b", "*", "${IFS}touch${IFS}PWNED", "|touch PWNED", "\\", "~", "-x", "!x"),
)
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "partition": lambda name: {"partition": name},
    "sbatch": lambda name: {"sbatch": {"qos": name, "exclude": name}},
    "python": lambda name: {"python": name},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_script_takes_no_name_for_a_command(name: str, tmp_path: Path) -> None:
    run = spec("cluster=slurm")
    texts = []
    for place in PLACES.values():
        with suppress(ConfigError):  # it is refused, which is as good
            asked = replace(run, cluster=replace(run.cluster, **place(name)))
            chunk = Chunk(name="sweep-0123456789", run_ids=(asked.run_id,), code="/code", digest="0", at_once=2)
            texts.append(script(chunk, shape_of(asked), tmp_path / "results"))
    for results, code in ((tmp_path / name, "/code"), (tmp_path, f"/code/{name}")):
        chunk = Chunk(name="sweep-0123456789", run_ids=(run.run_id,), code=code, digest="0", at_once=2)
        texts.append(script(chunk, shape_of(run), results))
    assert len(texts) >= 2
    (tmp_path / "bin").mkdir()
    for text in texts:
        # Every command is a word that bash does not find, so nothing runs but what a name smuggled in.
        done = subprocess.run(
            ["/bin/bash", "-c", f'srun() {{ :; }}\ntouch() {{ /bin/touch "$@"; }}\n{text}'],
            cwd=tmp_path / "bin",
            env={"PATH": str(tmp_path / "bin"), "SLURM_ARRAY_JOB_ID": "1", "SLURM_ARRAY_TASK_ID": "0"},
            capture_output=True,
            timeout=30,
        )
        assert b"syntax error" not in done.stderr
        assert not list(tmp_path.rglob("PWNED"))
        for line in text.splitlines():
            if line.startswith("#SBATCH"):
                shlex.split(line.removeprefix("#SBATCH"))


@pytest.mark.parametrize("name", ["..", "../../x", "/tmp", "*", "", ".", "/"])
def test_a_runs_name_is_looked_up_and_is_never_a_path(name: str, tmp_path: Path) -> None:
    write_row(tmp_path, row(spec("seed=1")))
    write_row(tmp_path, row(spec("seed=2")))
    with pytest.raises(RunFailedError, match="names"):
        find_run(tmp_path, name)


def test_a_row_that_calls_itself_a_path_names_nothing_to_delete(tmp_path: Path) -> None:
    outside = tmp_path / "x" / "checkpoints" / "global_step_1"
    outside.mkdir(parents=True)
    results = tmp_path / "a" / "results"
    run = spec("seed=1")
    write_row(results, row(run))
    path = row_path(results, run.run_id)
    path.write_text(path.read_text().replace(str(run.run_id), "../../x"))
    assert find(results, Queue(elements={}, endings={}), [], now=time.time()) == []
    assert outside.is_dir()


FACTORS = zip("abcdefgh", "bcdefghi", strict=True)
YAML = {
    "an object": "!!python/object/apply:os.system ['touch PWNED']",
    "a tuple": "!!python/tuple [1, 2]",
    "a bomb": "a: &a [x]\n" + "".join(f"{key}: &{key} [{', '.join([f'*{of}'] * 9)}]\n" for of, key in FACTORS),
    "itself": "a: &a [*a]",
    "deep": "[" * 5000,
}


@pytest.mark.parametrize("kind", YAML)
def test_a_declaration_of_columns_builds_no_object_and_takes_no_time(kind: str, tmp_path: Path) -> None:
    began = time.process_time()
    with pytest.raises(DataError, match=r"columns\.yaml"):
        mappings_of(YAML[kind], tmp_path / "columns.yaml")
    assert time.process_time() - began < 20  # a hang guard
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        *("[{'role': __import__('os').system('touch PWNED')}]", "[{'role': " + "[" * 50_000 + "]"),
        *("[{'role': " + "-" * 200_000 + "1}]", "[{'role': 'user', {}: 1}]", "[{'role': 'user', 'content': 9**9**9}]"),
    ],
)
def test_a_prompt_that_is_written_as_python_is_read_and_never_run(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadRow, match="cannot be read back"):
        messages_of([{"role": "user", "content": text}], "x row 0")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_secrets_file_that_others_may_read_is_refused_and_nothing_of_it_told(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("A=hunter2-0123456789\n")
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600") as refusal:
        secret.read(path)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "name", ["<script>x</script>", "../../../x", "/etc/passwd", "a\nb", "..", "", "\x1b[2J", "a" * 9000]
)
def test_the_name_of_a_foreign_run_becomes_one_short_word_of_a_file(name: str) -> None:
    found = run_id(History(name=name, kind="table", steps=((1, {"x": 1.0}),)))
    assert not set(found) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
    assert not found.startswith((".", "-"))
    assert len(found) < 120


@pytest.mark.parametrize("place", ["a pipe", "a device", "a long line", "a folder of nothing"])
def test_a_log_to_import_that_floods_or_hangs_is_refused_at_once(place: str, tmp_path: Path) -> None:
    path, began = tmp_path / "log.txt", time.process_time()
    if place == "a pipe":
        os.mkfifo(path)
    elif place == "a device":
        path.symlink_to("/dev/zero")
    elif place == "a folder of nothing":
        path.mkdir()
    else:
        path.write_text("step:1" + " - a:" * 10_000 + "\n" + "step:" * 10_000)
    with pytest.raises(ResultsError):
        read_source(path, renamed={})
    assert time.process_time() - began < 20  # a hang guard


class _Moved(httpx.BaseTransport):
    """A judge that sends its callers elsewhere, or talks without end."""

    def __init__(self, status: int) -> None:
        self.status, self.asked = status, list[str]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.status == 302:
            return httpx.Response(302, headers={"location": "http://169.254.169.254/latest/meta-data"})
        return httpx.Response(200, content=self._endless())

    def _endless(self) -> Iterator[bytes]:
        for _ in range(4096):
            yield b" " * 65536


@pytest.mark.parametrize("status", [302, 200])
def test_a_judge_sends_nobody_elsewhere_and_its_reply_has_an_end(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint("http://judge.invalid", model="m", key=None, timeout_s=5.0, connections=1)
    moved = _Moved(status)
    monkeypatch.setattr(
        endpoint, "_client", httpx.Client(transport=moved, follow_redirects=endpoint._client.follow_redirects)
    )
    with pytest.raises(EndpointFailed, match=r"status 302|too long"):
        endpoint._post("x")
    assert moved.asked == ["http://judge.invalid/v1/chat/completions"]


def test_a_judges_decision_is_kept_for_its_user_alone(tmp_path: Path) -> None:
    cache = JudgeCache(tmp_path / "c")
    cache.put(cache.key("a"), True)
    (path,) = (item for item in (tmp_path / "c").rglob("*") if item.is_file())
    assert path.stat().st_mode & 0o777 == 0o600


PICKLES = {"pickle", "joblib", "dill", "cloudpickle", "marshal"}
RUNNING = {"torch.load", "np.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "instantiate", "eval", "exec"}


# verl makes an agent's loop of a file that we write, whose classes are constants of ours; nothing here reads it.
LOOPS, WRITTEN = ROOT / "sweeper/agent/files.py", '"_target_": _TARGETS[made.loop]'


COPIES = ROOT / "sweeper/grid/copies.py"  # of what this process has just pickled


def test_no_code_of_ours_unpickles_instantiates_or_evaluates_what_a_file_says() -> None:
    found = []
    for package in ("sweeper", "data_prep", "analysis"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            assert "_target_" not in (text.replace(WRITTEN, "") if path == LOOPS else text), path
            assert "allow_pickle=True" not in text, path
            assert "trust_remote_code=True" not in text, path
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    names = {getattr(node, "module", None), *(item.name for item in node.names)}
                    found += [f"{path}: {name}" for name in names & PICKLES if path != COPIES]
                if isinstance(node, ast.Call) and ast.unparse(node.func) in RUNNING:
                    found.append(f"{path}:{node.lineno} {ast.unparse(node.func)}")
    assert not found
