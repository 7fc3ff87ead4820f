"""The level of isolation is found by trying, under the conditions of real machines; none holding means a refusal."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewards.check import doctor
from rewards.sandbox import runs as sandbox
from rewards.sandbox.runs import RunStatus, run_calls, run_program, run_tests
from rewards.sandbox.walls import isolation
from rewards.sandbox.walls.isolation import LEVEL_VARIABLE, Level, SandboxUnavailable, attempt
from tests.rewards.sandbox_levels import SHORT

_ROOT = Path(__file__).resolve().parents[2]
_OTHER_USER = 12345
# Loads the sandbox alone: a system's own Python lacks what the rest of the package needs.
_REPORT = """
import json, sys, types
package = types.ModuleType("rewards")
package.__path__ = [sys.argv[1]]
sys.modules["rewards"] = package
from rewards.sandbox.walls import isolation
from rewards.sandbox.runs import Limits, run_calls, run_program, run_tests
limits = Limits(cpu_s=2, wall_s=10.0)
try:
    level = str(isolation.find_isolation().level)
    ran = [
        run_calls("def f(x): return x + 1", ["f(1)"], limits=limits).values == (2,),
        run_tests("def f(x): return x + 1", "assert f(1) == 2", limits=limits) == "done",
        run_tests("import os\\nos._exit(0)", "assert f(1) == 2", limits=limits) != "done",
        run_program("print(input())", ["a"], limits=limits)[0].stdout == "a\\n",
        run_calls("import socket\\nsocket.socket()", ["1"], limits=limits).status == "raised",
        run_calls("import os\\nos.fork()", ["1"], limits=limits).status == "raised",
    ]
except isolation.SandboxUnavailable as error:
    level, ran = f"refused: {error}", []
print(json.dumps([level, ran]))
"""


@pytest.fixture(scope="module")
def package_for_anyone() -> Iterator[Path]:
    """A copy of the package that another user can read; a checkout may lie in a private folder."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield shutil.copytree(_ROOT / "rewards", Path(name, "rewards"), ignore=shutil.ignore_patterns("__pycache__"))


def _report(
    prefix: list[str], python: str, *, package: Path = _ROOT / "rewards", **environment: str
) -> tuple[str, list[bool]]:
    done = subprocess.run(
        [*prefix, python, "-c", _REPORT, str(package)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", **environment},
    )
    level, ran = json.loads(done.stdout)
    return level, ran


def _python_for_anyone() -> str:
    check = "import subprocess, sys; assert sys.version_info >= (3, 11); subprocess.run([sys.executable, '-c', ''])"
    for python in (sys.executable, "/usr/bin/python3"):
        command = [*_as_other_user(), python, "-c", check]
        if subprocess.run(command, check=False, cwd="/", stderr=subprocess.DEVNULL).returncode == 0:
            return python
    pytest.skip("no Python 3.11 that another user may run")


def _as_other_user() -> list[str]:
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv to become another user")
    return ["setpriv", f"--reuid={_OTHER_USER}", f"--regid={_OTHER_USER}", "--clear-groups", "--"]


def _in_namespaces(flags: str, script: str) -> list[str]:
    """Runs the command after a shell script, in namespaces of its own."""
    command = ["unshare", flags, "sh", "-c", f'{script}; exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("needs to make namespaces to try this")
    return command


_NO_USER_NAMESPACES = "echo 0 > /proc/sys/user/max_user_namespaces"


def test_the_level_here_holds_and_runs() -> None:
    level, ran = _report([], sys.executable)
    assert level in (Level.NAMESPACES, Level.LANDLOCK, Level.SETUID)
    assert ran == [True] * 6


def test_an_ordinary_user_is_isolated(package_for_anyone: Path) -> None:
    prefix = _as_other_user()
    level, ran = _report(prefix, _python_for_anyone(), package=package_for_anyone)
    assert level in (Level.NAMESPACES, Level.LANDLOCK)
    assert ran == [True] * 6


def test_with_user_namespaces_off_an_ordinary_user_is_isolated_by_landlock(package_for_anyone: Path) -> None:
    prefix = _as_other_user() + _in_namespaces("-r", _NO_USER_NAMESPACES)
    level, ran = _report(prefix, _python_for_anyone(), package=package_for_anyone)
    assert level == Level.LANDLOCK
    assert ran == [True] * 6


def test_with_user_namespaces_off_root_is_isolated() -> None:
    level, ran = _report(_in_namespaces("-r", _NO_USER_NAMESPACES), sys.executable)
    assert level in (Level.LANDLOCK, Level.SETUID)
    assert ran == [True] * 6


def test_under_a_masked_proc_programs_are_isolated() -> None:
    mask = "for d in acpi scsi irq sys fs bus; do mount -t tmpfs -o ro none /proc/$d 2>/dev/null; done"
    level, ran = _report(_in_namespaces("-rm", mask), sys.executable)
    assert level in (Level.NAMESPACES, Level.LANDLOCK)
    assert ran == [True] * 6


def test_without_any_proc_programs_are_isolated() -> None:
    level, ran = _report(_in_namespaces("-rm", "mount -t tmpfs none /proc"), sys.executable)
    assert level == Level.LANDLOCK
    assert ran == [True] * 6


@pytest.mark.parametrize("level", ["landlock", "setuid"])
def test_a_level_that_is_asked_for_is_used_or_refused(level: str) -> None:
    found, ran = _report([], sys.executable, **{LEVEL_VARIABLE: level})
    assert found.startswith("refused") or (found == level and ran == [True] * 6)


def test_a_level_that_does_not_hold_is_refused_with_the_failed_probe_and_the_cure() -> None:
    prefix = _in_namespaces("-r", _NO_USER_NAMESPACES)
    message, _ = _report(prefix, sys.executable, **{LEVEL_VARIABLE: "namespaces"})
    assert "namespaces: [Errno 28] unshare" in message
    assert "cure: allow user namespaces" in message
    assert isolation.ALLOW_UNISOLATED_VARIABLE in message


def test_running_without_isolation_takes_an_explicit_word() -> None:
    prefix = _in_namespaces("-r", _NO_USER_NAMESPACES)
    environment = {LEVEL_VARIABLE: "namespaces", isolation.ALLOW_UNISOLATED_VARIABLE: "1"}
    level, ran = _report(prefix, sys.executable, **environment)
    assert level == Level.NAMESPACES
    assert ran[0]


def test_the_canaries_find_a_sandbox_without_locks_leaky() -> None:
    found = attempt(Level.NONE)
    assert not found.holds
    for leak in ("open a network socket", "start a process", "write a file", "signal the scorer"):
        assert leak in found.leaks
    assert any(leak.startswith("read ") and leak.endswith("probes.py") for leak in found.leaks)


def test_an_unknown_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEVEL_VARIABLE, "wishful")
    sandbox.restart()
    try:
        with pytest.raises(SandboxUnavailable, match="wishful"):
            run_calls("", ["1"])
        with pytest.raises(SandboxUnavailable, match="wishful"):
            run_program("", [""], limits=SHORT)
        with pytest.raises(SandboxUnavailable, match="wishful"):
            run_tests("", "assert True")
    finally:
        monkeypatch.delenv(LEVEL_VARIABLE)
        sandbox.restart()
    assert run_calls("", ["1"]).status is RunStatus.DONE


def test_the_doctor_tells_what_holds_and_how_fast_it_is() -> None:
    found = doctor.as_json()
    json.dumps(found)
    assert found["level"] in tuple(isolation.LOCAL)
    assert isinstance(found["functional_per_s"], float)
    assert found["functional_per_s"] > 0
    text = doctor.report()
    assert "samples/s on one core" in text
