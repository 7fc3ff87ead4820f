import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

import rewards
from rewards.program import TRACEBACK_VARIABLE, Parser, UserError, guarded, run_main


def _raise(error: BaseException) -> Callable[[], int]:
    def body() -> int:
        raise error

    return body


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (_raise(UserError("seed=-1: must be above 0")), ["seed=-1: must be above 0"]),
        (_raise(OSError(errno.ENOSPC, "No space left on device", "/r/a.json")), ["/r/a.json: No space", "make room"]),
        (_raise(OSError(errno.EROFS, "Read-only file system", "/r")), ["/r: Read-only", "name another"]),
        (_raise(OSError(errno.ENAMETOOLONG, "File name too long", "x" * 999)), ["xxx…xxx", "choose a shorter one"]),
        (_raise(OSError(errno.EACCES, "Permission denied", "a", None, "b")), ["a -> b: Permission denied", "rights"]),
        (_raise(OSError("no such hub")), ["no such hub"]),
        (_raise(OSError()), ["OSError"]),
        (lambda: len(Path("/etc/hostname/x").read_text()), ["/etc/hostname/x: Not a directory", "a file is where a"]),
        (lambda: len(Path("/etc").read_text()), ["/etc: Is a directory", "a folder is where a file"]),
        (lambda: len(yaml.safe_load("a: 1\nb:\n\tc: 1\n")), ["line 3, column 1: not valid YAML", "indent with spaces"]),
        (lambda: len(yaml.safe_load("a: [1\nb: 2\n")), ["line 2, column 2: not valid YAML", "check the indentation"]),
        (lambda: OmegaConf.create({"a": "${b}"}).a, ["omegaconf says: Interpolation key 'b' not found"]),
        (_raise(ModuleNotFoundError("No module named 'pytz'", name="pytz")), ["No module named 'pytz'", "make setup"]),
        (_raise(MemoryError()), ["the memory of this machine is not enough"]),
        (_raise(UserError("\n".join(f"line {n}" for n in range(9)))), ["line 2\n", "… and 6 more lines"]),
        (_raise(UserError("x" * 5000)), ["xxx…"]),
        (
            _raise(UserError("no: Traceback (most recent call last):\n  File\nKeyError: 'a'")),
            ["error: no: KeyError: 'a'"],
        ),
    ],
)
def test_an_error_is_told_in_one_to_four_lines_with_what_to_do(
    body: Callable[[], int], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(body) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert [words for words in said if words not in err] == []
    assert len(err.splitlines()) <= 4
    assert len(err) < 2000
    assert "fault of the project" not in err


def test_an_error_that_nobody_foresaw_is_ours_and_says_what_to_send(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> int:
        return guarded(lambda: bool(Parser(prog="x").add_argument("y", nargs=0)))

    assert fails() == 2
    told = capsys.readouterr().err
    assert told.startswith("error: this is a fault of the project, not yours: ValueError: nargs for store actions")
    assert "(rewards/program.py:" in told
    assert f"what it prints under {TRACEBACK_VARIABLE}=1" in told
    assert len(told.splitlines()) == 2
    monkeypatch.setenv(TRACEBACK_VARIABLE, "1")
    assert fails() == 2
    traced = capsys.readouterr().err
    assert traced.startswith("Traceback (most recent call last):")
    assert traced.endswith(told)


def test_a_pipe_that_closed_is_no_error_and_an_interruption_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert guarded(_raise(KeyboardInterrupt())) == 130
    assert capfd.readouterr().err == "stopped; run the same command again to continue\n"
    stdout = os.dup(1)
    try:
        assert guarded(_raise(BrokenPipeError())) == 0
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


@pytest.mark.parametrize(
    ("module", "words", "meant"),
    [
        ("sweeper.cli.main", ["statsu"], "status"),
        ("sweeper.cli.main", ["status", "--jsn"], "--json"),
        ("rewards.cli", ["docter"], "doctor"),
        ("rewards.cli", ["check", "x", "--jsn"], "--json"),
        ("data_prep.cli", ["valdate"], "validate"),
        ("data_prep.cli", ["validate", "x", "--jsn"], "--json"),
        ("analysis.cli", ["reprot"], "report"),
        ("analysis.cli", ["ask", "--jsn"], "--json"),
    ],
)
def test_a_mistyped_flag_or_verb_is_answered_with_the_nearest(
    module: str, words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(module, words) == 2
    told = capsys.readouterr().err
    assert f"did you mean {meant}?" in told
    assert len(told.splitlines()) == 1


def test_ctrl_c_in_data_prep_is_one_line_of_the_process_that_works(tmp_path: Path) -> None:
    overrides = [f"results_dir={tmp_path / 'r'}", "data_scale.n_unique=100000"]  # of which it has none after seconds
    command = [sys.executable, "-m", "data_prep", "prepare", *overrides]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("r/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "stopped; run the same command again to continue\n"


def test_every_name_of_rewards_is_there_when_it_is_asked_for() -> None:
    assert [name for name in rewards._MODULES if getattr(rewards, name) is None] == []
    with pytest.raises(AttributeError, match="has no attribute 'scores'"):
        rewards.scores  # noqa: B018
