"""Bad inputs over all verbs of the four programs: each is refused in one to four lines that name what is wrong."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from rewards.program import run_main
from sweeper.cli.main import parsers
from sweeper.rows.row import Failure, write_row
from sweeper.runs.folder import RunDir
from tests.sweeper.points import spec
from tests.sweeper.rows import row

MODULES = {"S": "sweeper.cli.main", "D": "data_prep.cli", "R": "rewards.cli", "A": "analysis.cli"}
PROGRAMS = {"S": "sweeper", "D": "data_prep", "R": "rewards", "A": "analysis"}
VERBS_OF_DATA = {"fetch", "inspect", "validate"}
VERBS_OF_ANALYSIS = {"report", "ask", "fit", "rank", "passk", "import", "audit"}
SECONDS = 10.0  # of CPU
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d7a' * 16}\nsize 12345\n"
LONG = "x" * 300

# The program's letter and its arguments, and what is said. {b} is a folder of bad files, {r} a results folder with two
# rows, {o} an empty folder.
READERS = ["status", "results", "retry", "gc", "why RUN", "logs RUN", "cancel RUN"]
CASES: list[tuple[str, str]] = [
    # verbs and flags
    ("S statsu", "did you mean status?"),
    ("S plna", "did you mean plan?"),
    ("S staus --json", "did you mean status?"),
    ("S evaluate", "verbs are plan, retry,"),
    ("S exprt-sbatch", "did you mean export-sbatch?"),
    ("S --frobnicate", "--frobnicate"),
    ("S seed=0 --frobnicate", "--frobnicate"),
    ("S --wait", "nothing to run is named"),
    ("S --yes", "nothing to run is named"),
    ("S --budget-gpu-hours five seed=0", "--budget-gpu-hours"),
    ("S --budget-gpu-hours", "--budget-gpu-hours"),
    ("S --cfg foo", "invalid choice: 'foo'"),
    ("S --cfg job seed=abc", "seed"),
    ("S --config-dir {b}/none seed=1 --cfg job", "{b}/none"),
    ("S --config-name none --cfg job", "none"),
    ("D valdate", "did you mean validate?"),
    ("D", "VERB"),
    ("D validate", "PATH"),
    ("D validate {b}/empty --jsn", "did you mean --json?"),
    ("R chekc", "did you mean check?"),
    ("R", "COMMAND"),
    ("R check", "FILE.parquet"),
    ("R doctor extra", "extra"),
    ("A reprot", "did you mean report?"),
    ("A", "VERB"),
    ("A fit --jsno", "--json"),
    ("S status --jsn", "did you mean --json?"),
    ("S status one two", "two"),
    ("S why --results {r}", "run"),
    ("S logs --results {r}", "run"),
    ("S cancel", "which"),
    ("S retry --class", "--class"),
    ("S results --csv --json --results {r}", "not allowed with"),
    ("S results --parquet", "--parquet"),
    ("S results --sql", "--sql"),
    ("S suggest --budget-gpu-hours 3", "overrides"),
    ("S suggest seed=0,1", "--budget-gpu-hours"),
    ("S suggest seed=0,1 --budget-gpu-hours abc", "--budget-gpu-hours"),
    ("S suggest seed=0,1 --budget-gpu-hours 3 --law cubic", "--law"),
    ("S add-model", "model"),
    ("S init", "folder"),
    ("S cluster-init ../mine", "../mine"),
    ("S completion", "shell"),
    ("S completion ksh", "ksh"),
    ("S doctor --jobs", "did you mean --job?"),
    ("S gc --yes=1 --results {r}", "--yes"),
    ("S prepare", "overrides"),
    ("S prepare +grid=nope results_dir={o}", "grid=nope: there is no such grid"),
    ("S prepare model_family=qwen2.5 model.path=/no/where results_dir={o}", "/no/where"),
    ("S prove --page", "--page"),
    ("S prove --small --out=/proc/x", "/proc/x"),
    ("S export-sbatch --out", "--out"),
    # results folders
    *((f"S {verb} --results {{b}}/none", "{b}/none") for verb in READERS),
    *((f"S {verb} --results {{b}}/file.txt", "it is a file") for verb in READERS),
    ("S status --results {b}/emtpy", "did you mean {b}/empty"),
    *((f"S {verb} results_dir={{r}} --results {{o}}", "leave all but one out") for verb in READERS),
    ("S plan seed=0 results_dir={r} --results {o}", "leave all but one out"),
    ("S plan seed=0 --res {r}", "write --results in full"),
    ("A report results_dir={r} --results={o}", "leave all but one out"),
    ("S results demmo --results {r}", "demmo"),
    ("S status --results", "--results"),
    ("S status nothing --results {r}", "nothing"),
    ("S why nothing --results {r}", "nothing"),
    ("S logs nothing --results {r}", "nothing"),
    ("S dashboard --results {r}/nowhere", "nowhere"),
    ("S samples nothing --results {r}", "nothing"),
    ("S export nothing --results {r} --to {r}/x", "nothing"),
    ("S cancel nothing --results {r}", "nothing"),
    ("S retry nothing --results {r}", "nothing"),
    ("S results nothing --results {r}", "nothing"),
    ("S why tiny --results {r}", "tiny"),
    ("S retry --class nonsense --results {r}", "--class nonsense"),
    ("S retry --class oom,, --results {r}", "--class"),
    ("S results broken --results {b}/damaged", "broken.json is damaged"),
    # queries and exports of results
    ("S results --results {r} --sql ;", "--sql"),
    ("S results --results {r} --sql nonsense", "--sql"),
    ("S results --results {r} --sql 'select nothing from results'", "nothing"),
    ("S results --results {r} --sql 'select * from nowhere'", "nowhere"),
    ("S results --results {r} --sql 'select lr from results'", "training.actor_lr"),
    ("S results --results {r} --sql 'select 1; select'", "--sql"),
    ("S results --results {r} --sql ''", "is empty"),
    ("S results --results {b}/empty --sql 'select nothing from results'", "nothing"),
    ("S results --results {r} --parquet {b}/none/x.parquet", "{b}/none"),
    ("S results --results {r} --parquet {b}/empty", "{b}/empty"),
    ("S results --results {r} --parquet {b}/file.txt/x.parquet", "{b}/file.txt"),
    ("S results nothing --results {b}/empty --parquet {o}/x.parquet", "nothing"),
    # launches and plans
    ("S plan results_dir={b}/file.txt", "{b}/file.txt"),
    ("S plan results_dir={b}/file.txt/below", "{b}/file.txt"),
    (f"S plan results_dir={{o}}/{LONG}", "choose a shorter one"),
    (f"S plan results_dir={{o}} model.name={LONG}", "model.name"),
    ("S plan +grid=x/y", "x/y"),
    ("S plan data_root={b}/none domain_mix=math", "{b}/none"),
    ("S plan data_root={b}/broken_link domain_mix=math", "{b}/broken_link"),
    ("S plan data_root={b}/folder_named_jsonl domain_mix=math", "{b}/folder_named_jsonl"),
    ("S plan data_root={b}/file.txt domain_mix=math", "{b}/file.txt"),
    ("S plan data_root={b}/empty domain_mix=math", "{b}/empty"),
    ("S plan seed", "seed"),
    ("S plan ''", "is empty"),
    ("S plan seed=", "seed"),
    ("S plan =3", "=3"),
    ("S plan 'seed=[1'", "seed=[1"),
    ("S plan seed=abc", "seed"),
    ("S plan seed=1.5", "seed"),
    ("S plan 'seed=range(5,0)'", "seed=range(5,0)"),
    ("S plan 'seed=range(0,5,0)'", "seed=range(0,5,0)"),
    ("S plan 'training.actor_lr=interval(1e-5,1e-3)'", "interval"),
    ("S plan 'model=glob(nothing*)'", "glob(nothing*)"),
    ("S plan model=5", "model=5"),
    ("S plan model=tiny40k", "tiny-40k"),
    ("S plan modle=tiny-40k", "model"),
    ("S plan training.total_step=3", "training.total_steps"),
    ("S plan +grid=modle_scale", "model_scale"),
    ("S plan grid=smoke", "+grid=smoke"),
    ("S plan +grid=a,b", "several grids"),
    ("S plan +grid=smoke +grid=model_scale", "grid"),
    ("S plan '+grid=[smoke]'", "grid"),
    ("S plan '~seed'", "seed"),
    ("S plan '~nothing'", "nothing"),
    ("S plan 'seed=${nothing}'", "nothing"),
    ("S plan 'data_root=${oc.env:NO_SUCH_VARIABLE}'", "NO_SUCH_VARIABLE"),
    ("S plan '++hydra.sweeper.params.seed=1,2'", "hydra"),
    ("S plan hydra.run.dir=/x", "hydra.run.dir"),
    ("S options extra", "extra"),
    ("S plan --budget-gpu-hours x", "--budget-gpu-hours"),
    ("S plan --frobnicate", "--frobnicate"),
    ("S +grid=model_scale", "add -m"),
    ("S seed=0,1", "add -m"),
    ("S seed=0 -m", "nothing varies"),
    ("S seed=0 --canary results_dir={o}", "--canary"),
    ("S statsu=3", "statsu"),
    ("S seed=0 results_dir={b}/file.txt", "{b}/file.txt"),
    ("S export-sbatch seed=0 results_dir={o}", "cluster=slurm"),
    ("S export-sbatch cluster=slurm cluster.device=cpu results_dir={o}/r --out {b}/file.txt", "--out {b}/file.txt"),
    ("S export-sbatch cluster=slrm", "slurm"),
    ("S doctor cluster=slrm", "slurm"),
    ("S doctor seed=abc", "seed"),
    ("S suggest seed=0,1 --budget-gpu-hours 3 results_dir={b}/empty", "no rows yet"),
    ("S suggest seed=0,1 --budget-gpu-hours -3 results_dir={r}", "--budget-gpu-hours"),
    ("S suggest seed=0,1 --budget-gpu-hours 3 results_dir={r} --predict model=nothing", "nothing"),
    ("S merge {b}/none results_dir={r}", "{b}/none"),
    ("S merge results_dir={r}", "FOLDER"),
    ("A audit nothing-like-it --results {r}", "nothing-like-it"),
    ("A audit seed --results {b}/none", "{b}/none"),
    ("S add-model {b}/none", "{b}/none"),
    ("S add-model {b}/empty", "config.json"),
    ("S add-model {b}/file.txt", "{b}/file.txt"),
    ("S add-model {b}/model_lfs --family tiny", "git-lfs"),
    ("S add-model {b}/model_cut --family tiny", "config.json"),
    ("S add-model '{b}/has space' --family tiny", "has space"),
    ("S add-model {b}/empty --family nothing", "nothing"),
    ("S init {b}/full", "{b}/full"),
    ("S init {b}/file.txt", "{b}/file.txt"),
    ("S init {b}/file.txt/below", "{b}/file.txt"),
    # data_prep
    *((f"D {verb} {{b}}/none", "{b}/none") for verb in ("validate", "inspect")),
    *((f"D {verb} {{b}}/empty", "{b}/empty") for verb in ("validate", "inspect")),
    *((f"D {verb} {{b}}/file.txt", "{b}/file.txt") for verb in ("validate", "inspect")),
    *((f"D {verb} {{b}}/yaml_tab", "columns.yaml") for verb in ("validate", "inspect")),
    *((f"D {verb} {{b}}/yaml_indent", "columns.yaml") for verb in ("validate", "inspect")),
    ("D inspect {b}/good.jsonl --tokenizer {b}/none", "{b}/none"),
    ("D inspect {b}/good.jsonl --tokenizer {b}/empty", "{b}/empty"),
    ("D inspect {b}/good.jsonl --prompt-style nothing", "nothing"),
    ("D inspect {b}/good.jsonl --prompt-style qwq", "--tokenizer"),
    ("D fetch nothing", "nothing"),
    ("D fetch gsm8k --offline --split train --out {o}/x", "--split"),
    ("D fetch --subset main", "--subset"),
    ("D fetch gsm8k --offline --revision nothing --out {o}/x", "gsm8k"),
    # rewards
    ("R check {b}/none.parquet", "{b}/none.parquet"),
    ("R audit {b}/none.parquet", "{b}/none.parquet"),
    ("R audit no_such_source", "no_such_source"),
    ("R check {b}/empty", "{b}/empty"),
    ("R check {b}/file.txt", "{b}/file.txt"),
    ("R check {b}/lfs/a.parquet", "{b}/lfs/a.parquet"),
    ("R check {b}/zero.parquet", "{b}/zero.parquet"),
    ("R check {b}/other.parquet", "{b}/other.parquet"),
    # analysis
    *((f"A {verb} --results {{b}}/none", "{b}/none") for verb in ("report", "ask size", "fit")),
    *((f"A {verb} --results {{b}}/empty", "{b}/empty") for verb in ("report", "ask size", "fit")),
    *((f"A {verb} --results {{r}} --grid nothing", "nothing") for verb in ("report", "ask size", "fit")),
    ("A report --results {b}/damaged --grid broken", "broken.json is damaged"),
    ("A report --results {r} -o {b}/file.txt/x.html", "{b}/file.txt"),
    ("A report --results {r} -o {b}/empty", "{b}/empty"),
    ("A report --results {r} -o /proc/x.html", "/proc/x_tables"),
    ("A ask", "question"),
    ("A ask nothing --results {r}", "nothing"),
    ("A ask size --results {r} --margin 2", "--margin"),
    ("A ask size --results {r} --target x", "--target"),
    ("A fit {b}/none.csv --law power --x x --y y", "{b}/none.csv"),
    ("A fit {b}/table.csv --law nothing --x x --y y", "nothing"),
    ("A fit {b}/table.csv --law power --x nothing --y y", "nothing"),
    ("A fit {b}/table.csv --law power --x x --y y --draws 1", "--draws"),
    ("A fit {b}/zero.csv --law power --x x --y y", "{b}/zero.csv"),
    ("A fit {b}/empty --law power --x x --y y", "{b}/empty"),
    ("A fit {b}/lfs/a.parquet --law power --x x --y y", "a.parquet"),
    ("A rank {b}/none.csv --x x --y y", "{b}/none.csv"),
    ("A rank {b}/table.csv --x nothing --y y", "nothing"),
    ("A rank", "csv"),
    ("A passk {b}/none.csv", "{b}/none.csv"),
    ("A passk {b}/zero.csv", "{b}/zero.csv"),
    ("A passk {b}/table.csv", "{b}/table.csv"),
    ("A passk {b}/table.csv --ks a,b", "--ks"),
    ("A import {b}/none", "{b}/none"),
    ("A import {b}/empty", "{b}/empty"),
    ("A import {b}/file.txt", "{b}/file.txt"),
    ("A import", "required"),
]
# Each as a process of its own: its exit code, its stderr and the seconds it takes are those a user meets.
AS_PROCESSES = ["S statsu", "S status --results {b}/none", "D validate {b}/none", "R check {b}/lfs/a.parquet"]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The folders of the table, by letter."""
    bad, results, out = (tmp_path_factory.mktemp(name) for name in ("bad", "results", "out"))
    _write_bad(bad)
    for run, why in ((spec("seed=1"), None), (spec("seed=2"), Failure(phase="train", reason="x", log="y"))):
        run_dir = RunDir(results_dir=results, run_id=run.run_id)
        run_dir.freeze(run)
        run_dir.new_attempt()
        write_row(results, row(run, failure=why))
    yield {"b": str(bad), "r": str(results), "o": str(out)}
    assert list(out.iterdir()) == [], "a refused command left something"


def _write_bad(bad: Path) -> None:
    for name in ("empty", "folder_named_jsonl/b.jsonl", "lfs", "damaged/grids", "damaged/rows", "has space", "full"):
        (bad / name).mkdir(parents=True)
    for name in ("broken_link", "yaml_tab", "yaml_indent", "model_lfs", "model_cut"):
        (bad / name).mkdir()
    texts = {
        "file.txt": "words\n",
        "full/a": "x",
        "lfs/a.parquet": LFS,
        "zero.parquet": "",
        "zero.csv": "",
        "table.csv": "x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n",
        "good.jsonl": '{"question": "1+1", "answer": "2"}\n',
        "damaged/grids/broken.json": "",
        "damaged/rows/broken.json": "{}",
        "yaml_tab/columns.yaml": '"a.jsonl":\n\tprompt: question\n',
        "yaml_indent/columns.yaml": '"a.jsonl":\n  prompt: question\n ground_truth: answer\n',
        "model_lfs/config.json": LFS,
        "model_cut/config.json": '{"model_type": "qwen2", "hidden_size": ',
        "has space/config.json": "{}",
    }
    for name, text in texts.items():
        (bad / name).write_text(text)
    for name in ("yaml_tab", "yaml_indent"):
        (bad / name / "a.jsonl").write_text('{"question": "1+1", "answer": "2"}\n')
    (bad / "broken_link" / "a.parquet").symlink_to(bad / "none.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"other": [1, 2]}), bad / "other.parquet")


def _filled(text: str, places: dict[str, str]) -> str:
    for letter, path in places.items():
        text = text.replace(f"{{{letter}}}", path)
    return text


def _wrong(code: int, told: str, said: str, seconds: float) -> list[str]:
    """What is not as it should be."""
    lines = told.strip().splitlines()
    return [
        *([f"exit code {code}"] if code != 2 else []),
        *([f"{len(lines)} lines"] if not 1 <= len(lines) <= 4 else []),
        *([f"{said!r} is not named"] if said not in told else []),
        *(["a traceback"] if "Traceback" in told else []),
        *(["called a fault of the project"] if "fault of the project" in told else []),
        *([f"{seconds:.1f} s"] if seconds >= SECONDS else []),
    ]


@pytest.mark.parametrize(("command", "said"), CASES, ids=[command[:90] for command, _ in CASES])
def test_a_bad_input_is_refused_in_a_few_lines_that_name_it(
    command: str, said: str, places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    program, *words = shlex.split(_filled(command, places))
    start = time.process_time()
    code = run_main(MODULES[program], words)
    out, err = capsys.readouterr()
    # A plan is printed with the points that cannot run; the reasons are its last lines.
    told = err or out[out.rfind("\n\n") :].rpartition("---\n")[2]
    assert _wrong(code, told, _filled(said, places), time.process_time() - start) == [], told


def test_the_table_has_150_inputs_and_every_verb() -> None:
    assert len({command for command, _ in CASES}) >= 150
    assert {command.split()[1] for command, _ in CASES if command.startswith("S ")} >= set(parsers()[1])
    for program, verbs in {"D": VERBS_OF_DATA, "R": {"audit", "check", "doctor"}, "A": VERBS_OF_ANALYSIS}.items():
        assert {command.split()[1] for command, _ in CASES if command.startswith(f"{program} ")} >= verbs


@pytest.mark.parametrize("command", AS_PROCESSES)
def test_a_process_ends_as_the_table_says(command: str, places: dict[str, str]) -> None:
    said = _filled(dict(CASES)[command], places)
    program, *words = shlex.split(_filled(command, places))
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-m", PROGRAMS[program], *words], capture_output=True, text=True)
    assert _wrong(done.returncode, done.stderr, said, 0.0) == []
    assert done.stdout == ""
    assert time.monotonic() - start < 60  # a hang guard, on a machine that does other things as well
