"""What the sandbox runs, how runs end, and how its processes live and die."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rewards.sandbox import runs as sandbox
from rewards.sandbox.runs import Limits, RunStatus, run_calls, run_program, run_tests
from tests.rewards.sandbox_levels import SHORT, SHORT_S

_LINES = "b\na\n"


def _output(code: str, stdin: str = _LINES, limits: Limits = SHORT) -> str:
    (run,) = run_program(code, [stdin], limits=limits)
    assert run.status is RunStatus.DONE
    return run.stdout


def test_isolation_is_in_force_here() -> None:
    with sandbox._pool.borrow() as worker:
        assert "seccomp" in worker.hello["layers"]


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nsys.stdout.write(sys.stdin.read())",
        "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())",
        "import sys\nfor line in sys.stdin: print(line, end='')",
        "print(input())\nprint(input())",
        "import os\nos.write(1, os.read(0, 100))",
        "import os\nos.write(1, os.read(0, os.fstat(0).st_size))",
        "print(open(0).read(), end='')",
        "import sys\nprint(*sys.stdin.readlines(), sep='', end='')",
        "import io, os\nprint(io.BytesIO(os.read(0, 100)).read().decode(), end='')",
        "import fileinput\nfor line in fileinput.input(): print(line, end='')",
        "import sys\nsys.stdout = open(1, 'w')\nprint(sys.stdin.read(), end='')",
        "import sys, atexit, io\nout = io.StringIO()\natexit.register(lambda: sys.__stdout__.write(out.getvalue()))\n"
        "out.write(sys.stdin.read())",
        "import threading, sys\nsys.setrecursionlimit(10**6)\nthreading.stack_size(1 << 26)\n"
        "t = threading.Thread(target=lambda: print(sys.stdin.read(), end=''))\nt.start()",
        "import threading, sys\nt = threading.Thread(target=lambda: print(sys.stdin.read(), end=''))\n"
        "t.start()\nt.join()",
        "if __name__ == '__main__':\n    print(input())\n    print(input())\n    exit()",
        "import sys\nprint(sys.stdin.read(), end='')\nsys.exit(0)",
        "import mmap, sys\nprint(mmap.mmap(0, 0, prot=mmap.PROT_READ).read().decode(), end='')",
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_STACK, (1 << 26, -1))\n"
        "print(sys.stdin.read(), end='')",
    ],
)
def test_any_way_of_reading_and_printing_works(code: str) -> None:
    assert _output(code, limits=Limits()) == _LINES


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", RunStatus.DONE),
        ("exit()", RunStatus.DONE),
        ("quit()", RunStatus.DONE),
        ("raise SystemExit", RunStatus.DONE),
        ("import os\nos._exit(0)", RunStatus.DONE),
        ("import sys\nsys.exit(256)", RunStatus.DONE),
        ("import sys\nsys.exit(1)", RunStatus.RAISED),
        ("import sys\nsys.exit('x')", RunStatus.RAISED),
        ("import os\nos._exit(2)", RunStatus.RAISED),
        ("1 / 0", RunStatus.RAISED),
        ("input()\ninput()\ninput()", RunStatus.RAISED),
        ("print(", RunStatus.RAISED),
        ("while True: pass", RunStatus.TIMEOUT),
        ("import time\ntime.sleep(60)", RunStatus.TIMEOUT),
        ("import os\nos.abort()", RunStatus.DIED),
        ("import ctypes\nctypes.string_at(0)", RunStatus.DIED),
    ],
)
def test_a_script_ends_as_its_exit_status_says(code: str, status: RunStatus) -> None:
    started = time.monotonic()
    (run,) = run_program(code, [_LINES], limits=SHORT)
    assert run.status is status
    assert time.monotonic() - started < SHORT_S


def test_a_series_of_runs_stops_when_told() -> None:
    seen: list[int] = []

    def stop(index: int, run: sandbox.ProgramRun) -> bool:
        seen.append(index)
        return run.stdout == "2\n"

    runs = run_program("print(int(input()) + 1)", ["0", "1", "2", "3"], limits=SHORT, stop=stop)
    assert [run.stdout for run in runs] == ["1\n", "2\n"]
    assert seen == [0, 1]
    assert run_program("print(1)", [], limits=SHORT) == []


def test_every_run_of_a_series_is_a_fresh_process() -> None:
    code = "import builtins\nprint(getattr(builtins, 'count', 0))\nbuiltins.count = 1"
    assert [run.stdout for run in run_program(code, ["", ""], limits=SHORT)] == ["0\n", "0\n"]


def test_output_is_cut_at_its_limit() -> None:
    runs = run_program("print('x' * 10)", ["", ""], limits=SHORT, output_limits=[11, 5])
    assert [(run.status, run.stdout) for run in runs] == [(RunStatus.DONE, "x" * 10 + "\n"), (RunStatus.DIED, "x" * 5)]


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("import os\nos.write(1, b'\\xff\\xfe ok')", "\ufffd\ufffd ok"),
        ("print('a\\0b')", "a\0b\n"),
        ("print('\\udc80')", "\ufffd\n"),
        ("print('é€😀')", "é€😀\n"),
    ],
)
def test_odd_output_is_decoded(code: str, printed: str) -> None:
    assert _output(code) == printed


def test_a_large_input_and_a_large_output_go_through() -> None:
    text = "x" * (8 << 20)
    assert _output("print(input(), end='')", text, Limits()) == text


def test_randomness_and_hashes_repeat() -> None:
    first, second = (run_calls("import random", ["random.random()", "hash('a')"]) for _ in range(2))
    assert first.values == second.values


def test_the_working_directory_is_empty_or_shows_libraries_only() -> None:
    code = "import os\ntry: names = os.listdir('.')\nexcept OSError: names = []"
    assert run_calls(code, ["names"]).values in (([],), (["dev", "etc", "lib", "usr"],))


def test_threads_get_their_own_answers() -> None:
    def run(n: int) -> bool:
        return (
            run_calls(f"def f(): return {n}", ["f()"]).values == (n,)
            and run_program(f"print({n})", [""], limits=Limits())[0].stdout == f"{n}\n"
        )

    with ThreadPoolExecutor(8) as executor:
        assert all(executor.map(run, range(100)))


def test_a_killed_sandbox_is_replaced() -> None:
    run_calls("", ["1"])
    with sandbox._pool.borrow() as worker:
        os.kill(worker.pid, signal.SIGKILL)
    assert run_calls("", ["1"]).values == (1,)


def test_a_restart_ends_every_sandbox() -> None:
    with ThreadPoolExecutor(2) as executor:
        list(executor.map(lambda _: run_calls("import time\ntime.sleep(0.3)", ["1"]), range(2)))
    before = {worker.pid for worker in sandbox._pool._alive}
    sandbox.restart()
    assert len(before) == min(2, sandbox._pool.size)
    assert not sandbox._pool._alive


def test_a_sandbox_killed_in_mid_run_loses_no_sample() -> None:
    code = "import time\ntime.sleep(0.5)"
    with ThreadPoolExecutor(4) as executor:
        runs = [executor.submit(run_calls, code, ["1"]) for _ in range(4)]
        time.sleep(0.25)
        for worker in list(sandbox._pool._alive)[:1]:
            os.kill(worker.pid, signal.SIGKILL)
        assert [run.result().values for run in runs] == [(1,)] * 4


def test_a_stopped_sandbox_is_replaced_at_the_limit() -> None:
    run_calls("", ["1"])
    with sandbox._pool.borrow() as worker:
        pid = worker.pid
        inside = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _parent(int(p.name)) == pid]
        for process in (pid, *inside):
            os.kill(process, signal.SIGSTOP)
    started = time.monotonic()
    while Path(f"/proc/{pid}").exists() and time.monotonic() - started < 30:
        run_calls("", ["1"], limits=SHORT)
    assert not Path(f"/proc/{pid}").exists()
    assert run_calls("", ["1"]).values == (1,)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_a_forked_copy_of_the_scorer_uses_its_own_sandbox() -> None:
    program = (
        "import os\nfrom rewards.sandbox.runs import run_calls\nrun_calls('', ['1'])\nchild = os.fork()\n"
        "ok = all(run_calls('', [str(i)]).values == (i,) for i in range(50))\n"
        "if child == 0: os._exit(0 if ok else 1)\n"
        "assert ok and os.waitpid(child, 0)[1] == 0"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_sandbox_dies_with_its_owner() -> None:
    program = (
        "import os, signal, psutil\nfrom rewards.sandbox import runs\nruns.run_calls('', ['1'])\n"
        "print(*[c.pid for c in psutil.Process().children(recursive=True)], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    pids = [int(text) for text in done.stdout.split()]
    assert pids
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in pids):
        time.sleep(0.02)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_run_in_a_dying_scorer_dies_with_it() -> None:
    program = (
        "import os, signal, threading, time, psutil\nfrom rewards.sandbox.runs import run_calls\nrun_calls('', ['1'])\n"
        "threading.Thread(target=run_calls, args=('while True: pass', ['1']), daemon=True).start()\ntime.sleep(0.3)\n"
        "print(*[c.pid for c in psutil.Process().children(recursive=True)], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    pids = [int(text) for text in done.stdout.split()]
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in pids):
        time.sleep(0.02)
    assert pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_no_descriptor_is_left_open() -> None:
    run_calls("", ["1"])
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        run_program("print(1)", ["", ""], limits=SHORT)
        run_tests("def f(): return 1", "assert f() == 1", limits=SHORT)
        run_calls("1 / 0", ["1"], limits=SHORT)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 4 * sandbox._pool.size
