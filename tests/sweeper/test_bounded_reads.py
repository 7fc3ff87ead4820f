"""Every reader of a file that somebody else may have written goes through `rewards.bounded_file`.

What opens a file by itself is named here with its reason, so that a new one has to be bounded or to give one.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("sweeper", "rewards", "data_prep", "analysis")
BOUNDED = ("rewards/bounded_file.py", "rewards/bounded_parquet.py")
# Called of whatever object: its file is opened and, mostly, read as a whole.
METHODS = {"read_text", "read_bytes", "open"}
# Called of a module, or by name.
FUNCTIONS = {
    *("open", "os.open", "io.open", "json.load", "tomllib.load", "np.load", "np.loadtxt", "torch.load", "pickle.load"),
    *("gzip.open", "bz2.open", "lzma.open", "zipfile.ZipFile", "tarfile.open", "pa.input_stream", "pa.memory_map"),
    *("pq.ParquetFile", "parquet.ParquetFile", "pq.read_table", "pq.read_schema", "pq.read_metadata"),
    *("pd.read_csv", "pd.read_json", "pd.read_parquet", "datasets.load_dataset", "load_dataset", "OmegaConf.load"),
    *("load_file", "safe_open", "Tokenizer.from_file", "AutoTokenizer.from_pretrained", "shutil.copyfile"),
}
LAST = {name.rpartition(".")[2] for name in FUNCTIONS}
# By file and enclosing function: why it opens a file by itself.
_OURS = "a file of our own packages, which are trusted as the program is"
_MADE = "a file that this process, or a child of it, has just made under a name that nobody can foresee"
_LOCK = "opened with O_NOFOLLOW and O_NONBLOCK, and at most its first kilobytes are read"
_LIBRARY = "read by a library of a folder that was prepared or fetched before; not bounded (docs/security.md)"
ALLOWED = {
    "analysis/cli.py: _suggest": "stdin, from our own parent",
    "analysis/drawing/template.py: text_of": _OURS,
    "analysis/imports/rows.py: known_models": _OURS,
    "analysis/laws/table.py: read_table": "pandas, of bytes that were read within bounds",
    "analysis/report/wandb_export.py: export": "the page and tables that this process has just written",
    "data_prep/cleaning/lengths.py: _loaded": "transformers, of regular and bounded files, without their code",
    "data_prep/files/atomic_folder.py: _sync": _MADE,
    "data_prep/files/lock.py: opened": _LOCK,
    "data_prep/files/lock.py: is_locked": _LOCK,
    "data_prep/files/lock.py: _said": _LOCK,
    "data_prep/sources/hub.py: _copy": "copied a part at a time, and shutil refuses pipes and devices",
    "data_prep/sources/hub.py: _write_splits": "a batch at a time, each counted against the size of the folder",
    "data_prep/sources/record_file.py: _by_datasets": "the rows were measured before (CSV), or every batch was (Arrow)",
    "rewards/whole_file.py: whole": _MADE,
    "rewards/whole_file.py: write_whole": _MADE,
    "rewards/own/inside.py: _loaded": "the user's function in its frozen copy, which runs as the user",
    "rewards/sandbox/cores.py: _locked": "a folder of this user, mode 0700; only locked, never read",
    "rewards/sandbox/inside/cell.py: connect_standard_streams": "its own stdin, inside the sandbox",
    "rewards/sandbox/remote.py: _bootstrap": _OURS,
    "rewards/sandbox/sleep.py: _awake_of": "/proc, of the kernel",
    "rewards/sandbox/walls/landlock.py: _allow": "O_PATH: a place is named, nothing is read",
    "sweeper/cli/completion.py: _settings": _OURS,
    "sweeper/dashboard/pages.py: _own_file": _OURS,
    "sweeper/evaluation/dealing.py: _numbers": "two numbers of a file of mode 0600 that was read within bounds",
    "sweeper/evaluation/worker.py: work": _LIBRARY,
    "sweeper/host/files.py: appended": "written to, never read",
    "sweeper/inputs/gguf.py: convert": "transformers, of a file of an installed package",
    "sweeper/inputs/models.py: _set_chat_template": _LIBRARY,
    "sweeper/inputs/weights.py: take": "copied a part at a time, and shutil refuses pipes and devices",
    "sweeper/launch/slurm/frozen_start.py: _content": "bounded by itself: no module of ours is on its path",
    "sweeper/launch/slurm/script.py: script": _OURS,
    "sweeper/launch/webhook.py: _posted": "an address, of which nothing is read",
    "sweeper/oversight/doctor.py: _folder": _MADE,
    "sweeper/oversight/neighbours.py: of_machine": "a file of the kernel",
    "sweeper/oversight/proof/passes.py: _peak_on_cpu": _MADE,
    "sweeper/oversight/merge/plain_copy.py: _copy": "copied a part at a time; no link, and a regular file or refused",
    "sweeper/oversight/model_folder.py: _make": "copied a part at a time, and shutil refuses pipes and devices",
    "sweeper/plan/verl_verdict.py: accepted": _OURS,
    "sweeper/rows/asked.py: read_asked": "a batch at a time, each counted against the size of an opened regular file",
    "sweeper/plan/verl_verdict.py: main": "stdin, from our own parent",
    "sweeper/training/lora.py: _merge": _LIBRARY,
    "sweeper/training/validation.py: validation_tokens": _LIBRARY,
}


def direct_reads(text: str) -> Iterator[tuple[str, int]]:
    """Enclosing function and line of every call that opens a file to read it and is not of `bounded_file`."""
    tree = ast.parse(text)
    bounded = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("rewards.bounded_file", "rewards.bounded_parquet")
        for name in node.names
    }
    yield from _reads_in(tree, "module", bounded)


def _reads_in(node: ast.AST, within: str, bounded: set[str]) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        if isinstance(child, ast.Call) and _is_read(child, bounded):
            yield within, child.lineno
        yield from _reads_in(child, child.name if is_function else within, bounded)


def _is_read(call: ast.Call, bounded: set[str]) -> bool:
    last = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if last not in METHODS | LAST:
        return False
    name = ast.unparse(call.func)
    if name in bounded or "/proc/" in ast.unparse(call) or _only_writes(call, name):
        return False
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Call) and ast.unparse(first.func) in bounded:  # pq.ParquetFile(open_regular(path))
        return False
    return name in FUNCTIONS or (isinstance(call.func, ast.Attribute) and call.func.attr in METHODS)


def _only_writes(call: ast.Call, name: str) -> bool:
    words = [*call.args, *(item.value for item in call.keywords if item.arg == "mode")]
    if name == "os.open":
        flags = ast.unparse(call)
        return "O_WRONLY" in flags or "devnull" in flags
    modes = [item.value for item in words if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return any(mode in ("w", "wb", "a", "ab", "x", "xb") for mode in modes)


def product() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in BOUNDED:
            for within, line in direct_reads(path.read_text()):
                found.setdefault(f"{name}: {within}", []).append(line)
    return found


def test_whoever_opens_a_file_by_itself_says_why() -> None:
    found = product()
    new = {place: lines for place, lines in found.items() if place not in ALLOWED}
    assert not new, "read it through rewards.bounded_file, or say in ALLOWED why nobody else can have written it"
    assert set(ALLOWED) <= set(found), "these open no file any more"


@pytest.mark.parametrize(
    "line",
    [
        *("path.read_text()", "path.read_bytes()", "path.open()", "path.open('rb')", "open(path)", "io.open(path)"),
        *("os.open(path, os.O_RDONLY)", "json.load(file)", "pq.read_table(path)", "pq.ParquetFile(path)"),
        *("gzip.open(path)", "pd.read_csv(path)", "OmegaConf.load(path)", "(folder / 'x').read_text('utf-8')"),
        *("datasets.load_dataset('csv', data_files=[path])", "Path(path).open(mode='r+b')", "load_file(path)"),
    ],
)
def test_a_reader_without_bounds_is_found(line: str) -> None:
    assert list(direct_reads(f"def f(path):\n    return {line}\n")) == [("f", 2)]


@pytest.mark.parametrize(
    "line",
    [
        *("read_text(path)", "pq.ParquetFile(open_regular(path))", "path.open('wb')", "path.open('x')"),
        *("Path('/proc/self/statm').read_text()", "os.open(path, os.O_WRONLY | os.O_CREAT)"),
    ],
)
def test_a_bounded_reader_and_a_writer_are_none(line: str) -> None:
    head = "from rewards.bounded_file import open_regular, read_text\n"
    assert not list(direct_reads(f"{head}def f(path):\n    return {line}\n"))
