"""What a hostile program may not do, and what the sandbox survives."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rewards import sandbox
from rewards.sandbox import Limits, RunStatus, run_calls, run_tests, sandbox_layers
from rewards.worker import Worker

_SHORT = Limits(cpu_s=1, wall_s=2.0, memory_mb=256)


def _refused(code: str) -> bool:
    """Whether the statement raises in the sandbox (where it would succeed outside)."""
    body = "\n".join(f"    {line}" for line in code.splitlines())
    program = (
        f"try:\n{body}\n    done = True\nexcept (OSError, MemoryError, RuntimeError, ValueError):\n    done = False"
    )
    result = run_calls(program, ["done"], limits=_SHORT)
    return result.status is RunStatus.DONE and result.values == (False,)


def test_isolation_is_in_force_here() -> None:
    assert "seccomp" in sandbox_layers()


@pytest.mark.parametrize(
    "code",
    [
        "import socket\nsocket.socket()",
        "import socket\nsocket.socket(socket.AF_UNIX)",
        "import socket\nsocket.socketpair()",
        "import os\nos.fork()",
        "import os\nos.execv('/bin/true', ['true'])",
        "import subprocess\nsubprocess.run(['true'])",
        "import os\nos.kill(os.getppid(), 0)",
        "import os\nos.kill(1, 0)",
        "import os\nos.mkdir('x')",
        "import os\nos.rename('a', 'b')",
        "import os\nos.chmod('/dev/null', 0o777)",
        "import os\nos.setuid(0)",
        "import os\nos.memfd_create('x')",
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
    ],
)
def test_a_program_is_refused_what_it_must_not_do(code: str) -> None:
    assert _refused(code)


def test_a_program_writes_no_file(tmp_path: Path) -> None:
    target = tmp_path / "x"
    tmp_path.chmod(0o777)
    assert _refused(f"open({str(target)!r}, 'w')")
    assert _refused(f"import os\nos.open({str(target)!r}, os.O_CREAT | os.O_RDONLY)")
    assert not target.exists()


def test_a_program_reads_no_file_of_the_user(tmp_path: Path) -> None:
    if "landlock" not in sandbox_layers():
        pytest.skip("needs Landlock (Linux 5.13 or later)")
    secret = tmp_path / "secret"
    secret.write_text("x")
    assert _refused(f"open({str(secret)!r}).read()")
    assert _refused(f"open('/proc/{os.getpid()}/environ').read()")


def test_no_environment_reaches_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    worker = Worker("rewards.zygote", ("-I", "-S"))
    worker.kill()
    result = run_calls("import os", ["sorted(os.environ)"])
    assert result.status is RunStatus.DONE
    assert "SECRET_TOKEN" not in str(result.values[0])


def test_an_endless_loop_is_killed() -> None:
    started = time.monotonic()
    assert run_tests("while True: pass", "assert True", limits=_SHORT) is RunStatus.TIMEOUT
    assert time.monotonic() - started < 4.0


def test_a_sleeping_program_is_killed() -> None:
    assert run_tests("import time\ntime.sleep(60)", "assert True", limits=_SHORT) is RunStatus.TIMEOUT


def test_ignoring_signals_does_not_help() -> None:
    code = (
        "import signal\nfor s in range(1, 64):\n    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass"
    )
    assert run_tests(code, "assert True", limits=_SHORT) is RunStatus.TIMEOUT


def test_a_fork_bomb_does_nothing() -> None:
    code = "import os\nfor _ in range(10**4):\n    try: os.fork()\n    except OSError: pass"
    assert run_tests(code, "assert True", limits=_SHORT) is RunStatus.DONE


def test_a_thread_bomb_ends() -> None:
    code = "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()"
    assert run_tests(code, "assert True", limits=_SHORT) is not RunStatus.DONE


def test_memory_is_limited() -> None:
    assert _refused("x = bytearray(1 << 30)")


def test_huge_output_is_discarded() -> None:
    assert run_tests("print('x' * 10**7)", "assert True", limits=_SHORT) is RunStatus.DONE


def test_a_huge_result_is_refused() -> None:
    assert run_calls("x = 'a' * 10**7", ["x"], limits=_SHORT).status is RunStatus.DIED


@pytest.mark.parametrize(
    "code", ["import ctypes\nctypes.string_at(0)", "import os\nos.abort()", "\ud800", "x = " + "(" * 10_000]
)
def test_a_crash_is_not_a_pass_and_the_next_run_works(code: str) -> None:
    assert run_tests(code, "assert True", limits=_SHORT) is not RunStatus.DONE
    assert run_tests("x = 1", "assert x == 1", limits=_SHORT) is RunStatus.DONE


def test_runs_leave_nothing_to_each_other() -> None:
    run_calls("import builtins\nbuiltins.len = lambda x: 7", ["1"])
    assert run_calls("", ["len('ab')"]).values == (2,)


def test_randomness_repeats() -> None:
    first, second = (run_calls("import random", ["random.random()", "hash('a')"]) for _ in range(2))
    assert first.values == second.values


def test_threads_get_their_own_answers() -> None:
    def run(n: int) -> bool:
        return run_calls(f"def f(): return {n}", ["f()"]).values == (n,)

    with ThreadPoolExecutor(8) as executor:
        assert all(executor.map(run, range(200)))


def test_a_killed_sandbox_is_replaced() -> None:
    run_calls("", ["1"])
    with sandbox._pool.borrow() as worker:
        os.kill(worker.pid, signal.SIGKILL)
    assert run_calls("", ["1"]).values == (1,)


def test_a_forked_copy_of_the_scorer_uses_its_own_sandbox() -> None:
    program = (
        "import os\nfrom rewards.sandbox import run_calls\nrun_calls('', ['1'])\nchild = os.fork()\n"
        "ok = all(run_calls('', [str(i)]).values == (i,) for i in range(50))\n"
        "if child == 0: os._exit(0 if ok else 1)\n"
        "assert ok and os.waitpid(child, 0)[1] == 0"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_sandbox_dies_with_its_owner() -> None:
    program = (
        "import os, signal\nfrom rewards import sandbox\nsandbox.run_calls('', ['1'])\n"
        "with sandbox._pool.borrow() as w: print(w.pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()


def test_without_isolation_nothing_runs_unless_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker("rewards.zygote", ("-I", "-S"))
    try:
        worker.hello["leaks"] = ["network"]
        with pytest.raises(sandbox.SandboxUnavailable, match=r"network.*REWARDS_ALLOW_UNISOLATED"):
            sandbox._refuse_if_leaky(worker)
        monkeypatch.setenv(sandbox.ALLOW_UNISOLATED_VARIABLE, "1")
        sandbox._refuse_if_leaky(worker)
    finally:
        worker.kill()


def test_this_test_process_itself_could_do_what_programs_may_not() -> None:
    socket.socket().close()
