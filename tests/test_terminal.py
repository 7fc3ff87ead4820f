"""No control character that somebody else wrote reaches a terminal: every case is printed to a real pseudo-terminal."""

import json
import os
import pty
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from rewards.program import run_main
from rewards.terminal import CONTROL, Screen, guard, own, visible
from sweeper.launch.progress import Bars, reporter
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import Failure, write_row
from sweeper.runs.folder import RunDir
from tests.sweeper.points import spec
from tests.sweeper.rows import row

# Clipboard, title, link, cleared screen, the same in eight bits, a line written over, the direction of writing.
ATTACKS = (
    *("\x1b]52;c;ZXZpbA==\x07", "\x1b]0;evil\x07", "\x1b]8;;evil:\x1b\\here\x1b]8;;\x1b\\", "\x1b[2J", "\x9b2J"),
    *("\rover", "ab\b\bxy", "\u202egnp.exe", "\x1b[31mred\x1b[8m", "\x7f", "\u2028", "\x1b\x1b[31m[2J"),
)
HOSTILE = "".join(ATTACKS)
MARK = "ZXZpbA=="  # part of it that is shown
ROW = spec("seed=3")
DAMAGED = f"row{ATTACKS[0]}.json"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], str]:
    """Calls a function with a pseudo-terminal as stdout and stderr; returns what reached it."""

    def shown(call: Callable[[], object]) -> str:
        with _pseudo_terminal() as (slave, read):
            with os.fdopen(slave, "w", encoding="utf-8", errors="surrogateescape", buffering=1) as stream:
                monkeypatch.setattr(sys, "stdout", stream)
                monkeypatch.setattr(sys, "stderr", stream)
                call()
                stream.flush()
                monkeypatch.undo()
            return read()

    return shown


@contextmanager
def _pseudo_terminal() -> Iterator[tuple[int, Callable[[], str]]]:
    master, slave = pty.openpty()
    tty.setraw(slave)  # nothing but what was written
    termios.tcsetwinsize(slave, (24, 80))
    got = bytearray()

    def collect() -> None:
        try:
            while data := os.read(master, 1 << 16):
                got.extend(data)
        except OSError:  # the other end was closed
            pass

    thread = threading.Thread(target=collect)
    thread.start()

    def read() -> str:
        thread.join(timeout=60)
        return got.decode(errors="surrogateescape")

    try:
        yield slave, read
    finally:
        thread.join(timeout=60)
        os.close(master)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results (r), data (d) and a history to import, all of them hostile in each text that there is."""
    root = tmp_path_factory.mktemp("hostile")
    failure = Failure(
        phase="train", reason=HOSTILE, log=f"runs/{HOSTILE}", failure_class=FailureClass.unknown, evidence=HOSTILE
    )
    written = row(ROW, failure=failure)
    write_row(root / "r", replace(written, model=HOSTILE, algorithm=HOSTILE, domain_mix=HOSTILE))
    run_dir = RunDir(results_dir=root / "r", run_id=ROW.run_id)
    run_dir.freeze(ROW)
    attempt = run_dir.new_attempt()
    attempt.log.write_text(f"[response] {HOSTILE}\nlast {HOSTILE}\n")
    attempt.write("exit", {"status": f"failed {HOSTILE}", "phase": HOSTILE})
    (root / "r" / "runs" / f"tiny{ATTACKS[3]}_s0-0123").mkdir()
    (root / "r" / "rows" / DAMAGED).write_text("{")
    (root / f"d{ATTACKS[0]}").mkdir()
    question = {"question": f"q {HOSTILE}", "answer": f"#### {HOSTILE}", f"column{HOSTILE}": HOSTILE}
    (root / f"d{ATTACKS[0]}" / f"{ATTACKS[5]}.jsonl").write_text(json.dumps(question) + "\n")
    prompt = {"data_source": [HOSTILE], "prompt": [[{"role": "user", "content": HOSTILE}]]}
    scored = {"reward_model": [{"style": "rule", "ground_truth": HOSTILE}], "extra_info": [{"index": 0}]}
    pyarrow.parquet.write_table(pyarrow.table(prompt | scored), root / "rows.parquet")
    (root / "history.csv").write_text(f"run,_step,val-core/x/acc/mean@1\n{ATTACKS[0]},0,0.5\n")
    return root


MODULES = {"S": "sweeper.cli.main", "D": "data_prep.cli", "R": "rewards.cli", "A": "analysis.cli"}
# What is asked of which program, and what of it is shown: {h} is the hostile folder, {x} hostile words.
ASKED: list[tuple[str, list[str], str]] = [
    ("S", ["status", "--results", "{h}/r"], MARK),
    ("S", ["status", ROW.run_id, "--results", "{h}/r"], MARK),
    ("S", ["why", ROW.run_id, "--results", "{h}/r"], MARK),
    ("S", ["logs", ROW.run_id, "--results", "{h}/r"], MARK),
    ("S", ["logs", "{x}", "--results", "{h}/r"], MARK),
    ("S", ["results", "--results", "{h}/r"], MARK),
    ("S", ["results", "--csv", "--results", "{h}/r"], MARK),
    ("S", ["results", "--sql", "select * from results", "--results", "{h}/r"], MARK),
    ("S", ["results", "--sql", "select '{x}' as \"{x}\"", "--results", "{h}/r"], MARK),
    ("S", ["results", "--sql", "{x}", "--results", "{h}/r"], MARK),
    ("S", ["results", "--json", "--results", "{h}/r"], MARK),
    ("S", ["retry", "--dry-run", "--class", "unknown", "--results", "{h}/r"], MARK),
    ("S", ["status", "--results", "{h}/{x}"], MARK),
    ("S", ["status", "--{x}"], MARK),
    ("S", ["{x}"], MARK),
    ("S", ["plan", "seed={x}", "results_dir={h}/r"], MARK),
    ("S", ["plan", "results_dir={h}/r{x}"], MARK),
    ("S", ["plan", "data_root={h}/d\x1b]52;c;ZXZpbA==\x07", "domain_mix=math", "results_dir={h}/r"], MARK),
    ("S", ["seed={x}", "--cfg", "job"], MARK),
    ("S", ["hydra/launcher={x}", "seed=1"], MARK),
    ("S", ["doctor", "cluster={x}"], MARK),
    ("S", ["add-model", "{h}/{x}"], MARK),
    ("D", ["inspect", "{h}/d\x1b]52;c;ZXZpbA==\x07"], MARK),
    ("D", ["validate", "{h}/d\x1b]52;c;ZXZpbA==\x07"], MARK),
    ("D", ["inspect", "{h}/{x}"], MARK),
    ("D", ["{x}"], MARK),
    ("R", ["check", "{h}/rows.parquet"], MARK),
    ("R", ["check", "{h}/{x}.parquet"], MARK),
    ("R", ["{x}"], MARK),
    ("A", ["fit", "{h}/{x}.csv", "--law", "power", "--x", "x", "--y", "y"], MARK),
    ("A", ["fit", "{h}/history.csv", "--law", "power", "--x", "{x}", "--y", "y"], MARK),
    ("A", ["import", "{h}/history.csv", "--results", "{h}/imported", "--model", "{x}"], MARK),
    ("A", ["ask", "{x}", "--results", "{h}/r"], MARK),
]


def in_place(text: str, root: Path) -> str:
    return text.replace("{h}", str(root)).replace("{x}", HOSTILE)


@pytest.mark.parametrize(("program", "arguments", "words"), ASKED, ids=[f"{one[0]} {one[1][0][:9]}" for one in ASKED])
def test_what_somebody_else_wrote_reaches_a_terminal_as_text(
    program: str,
    arguments: Sequence[str],
    words: str,
    hostile: Path,
    terminal: Callable[[Callable[[], object]], str],
) -> None:
    said = terminal(lambda: run_main(MODULES[program], [in_place(item, hostile) for item in arguments]))
    assert words in said
    assert CONTROL.search(said) is None, said[max(0, CONTROL.search(said).start() - 80) :][:200]  # type: ignore[union-attr]


def test_a_traceback_reaches_a_terminal_as_text(
    hostile: Path, terminal: Callable[[Callable[[], object]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEPER_TRACEBACK", "1")
    said = terminal(lambda: run_main(MODULES["S"], ["status", "--results", f"{hostile}/{HOSTILE}"]))
    assert "Traceback" in said
    assert MARK in said
    assert CONTROL.search(said) is None


def test_a_whole_program_guards_the_terminal_before_it_says_a_word(hostile: Path) -> None:
    with _pseudo_terminal() as (slave, read):
        command = [sys.executable, "-m", "rewards", "check", f"{hostile}/{ATTACKS[0]}.parquet"]
        code = subprocess.call(command, stdout=slave, stderr=slave)
        os.close(slave)
        said = read()
    assert code == 2
    assert MARK in said
    assert CONTROL.search(said) is None


def test_raw_logs_are_the_bytes_of_the_log(hostile: Path, terminal: Callable[[Callable[[], object]], str]) -> None:
    log = RunDir(results_dir=hostile / "r", run_id=ROW.run_id).attempts()[-1].log
    said = terminal(lambda: run_main(MODULES["S"], ["logs", ROW.run_id, "--raw", "--results", f"{hostile}/r"]))
    assert said == log.read_bytes().decode()


def test_what_is_no_terminal_gets_the_bytes_as_they_are(hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_main(MODULES["S"], ["results", "--sql", "select model from results", "--results", f"{hostile}/r"])
    assert ATTACKS[0] in capsys.readouterr().out
    assert not isinstance(sys.stdout, Screen)


def test_json_on_a_terminal_still_says_what_it_said(
    hostile: Path, terminal: Callable[[Callable[[], object]], str]
) -> None:
    said = terminal(lambda: run_main(MODULES["S"], ["logs", ROW.run_id, "--json", "--results", f"{hostile}/r"]))
    assert HOSTILE.split("\r")[0] in json.loads(said)["data"]["lines"][0]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("Zürich 東京 👩‍🔬", "Zürich 東京 👩‍🔬"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b\x1b[31m[2J", "\\u001b[2J"),  # what a colour was left out of is no command either
        ("lines of Windows\r\n", "lines of Windows\n"),
        ("\udc9b2J", "\\udc9b2J"),  # a byte that is no UTF-8, in a file's name
        ("\x9b2J", "\\u009b2J"),
        ("a\rb", "a\\u000db"),
        ("\u2066\u202e\u200f", "\\u2066\\u202e\\u200f"),
    ],
)
def test_a_control_character_is_shown_as_json_writes_it(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_the_bars_of_libraries_go_on_to_rewrite_their_own_lines(
    terminal: Callable[[Callable[[], object]], str],
) -> None:
    from tqdm import tqdm

    def body() -> None:
        guard()
        with tqdm(total=2, mininterval=0, file=sys.stderr) as outer, tqdm(total=2, position=1, mininterval=0) as inner:
            outer.set_description(ATTACKS[3])
            for bar in (outer, inner):
                bar.update(2)

    said = terminal(body)
    assert "\r" in said
    assert "\n\r" in said  # the second bar, below the first ...
    assert "\x1b[A" in said  # ... and back
    assert "\\u001b[2J" in said
    assert CONTROL.search(said.replace("\r", "").replace("\x1b[A", "")) is None


def test_nothing_but_a_bar_is_written_over(terminal: Callable[[Callable[[], object]], str]) -> None:
    def body() -> None:
        guard()
        print("run 7:", "\rrun 7: done")
        print("\x1b[A", "over")
        print("\rat the beginning of a line", "\rand over it")

    first, second, third = terminal(body).split("\n")[:3]
    assert first == "run 7: \\u000drun 7: done"
    assert second == "\\u001b[A over"
    assert third == "\rat the beginning of a line \\u000dand over it"


def test_our_own_bars_are_drawn_and_names_in_them_are_text(
    tmp_path: Path, terminal: Callable[[Callable[[], object]], str]
) -> None:
    def body() -> None:
        guard()
        run_dir = RunDir(results_dir=tmp_path, run_id=ROW.run_id)
        told = reporter([run_dir], tmp_path)
        assert isinstance(told, Bars)
        told.started(run_dir)
        print(f"meanwhile {HOSTILE}", file=sys.stderr)
        write_row(tmp_path, row(ROW, failure=Failure(phase="train", reason=f"[link=evil:]{HOSTILE}[/link]", log="l")))
        told.ended(run_dir, 1)

    said = terminal(body)
    assert "\x1b[2K" in said  # drawn anew
    assert said.count("]52;c;ZXZpbA==") == said.count("\\u001b]52;c;ZXZpbA==") == 2
    assert "[link=evil:]" in said
    assert "\x1b]" not in said
    assert "\x1b[2J" not in said
    assert "\x9b" not in said
    assert "\u202e" not in said


def test_only_a_terminal_is_guarded_and_only_once(terminal: Callable[[Callable[[], object]], str]) -> None:
    def body() -> None:
        below = sys.stdout
        guard()
        guard()
        assert isinstance(sys.stdout, Screen)
        assert own(sys.stdout) is below
        assert sys.stdout.isatty()
        sys.stdout.writelines(["a\x1bb", "c\n"])

    assert terminal(body) == "a\\u001bbc\n"
    guard()
    assert not isinstance(sys.stdout, Screen)


def test_a_files_name_that_is_no_utf8_goes_into_a_pipe_as_it_is(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / os.fsdecode(b"rows/odd\xff.json")).write_text("{}")
    monkeypatch.setattr(sys, "stdout", os.fdopen(os.dup(1), "w", encoding="utf-8"))
    assert run_main("sweeper.cli.main", ["status", "--results", str(tmp_path)]) == 1
    assert b"odd\xff" in capfdbinary.readouterr().out
