"""Attacks on the machine: whatever a program tries, the host and the scorer stay as they were."""

import ctypes
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rewards.sandbox import runs as sandbox
from rewards.sandbox.runs import Limits, RunStatus, run_calls, run_program, run_tests
from tests.rewards.sandbox_levels import SHORT, SHORT_S, at_the_ends, level, refused, statuses, value_of

__all__ = ["level"]
pytestmark = pytest.mark.usefixtures("level")


@pytest.fixture(autouse=True)
def no_survivors() -> Iterator[None]:
    """After each test only the sandbox processes themselves are new, and each still works."""
    here_before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    workers = {worker.pid for worker in sandbox._pool._alive}
    deadline = time.monotonic() + 2.0
    while True:
        # With namespaces, a worker is a process and its only child, the first process of the namespace.
        strangers = [
            child
            for child in psutil.Process().children(recursive=True)
            if child.pid not in workers | here_before and child.ppid() not in workers
        ]
        grandchildren = sum(len(psutil.Process(pid).children(recursive=True)) for pid in workers)
        if not strangers and grandchildren <= len(workers):
            break
        assert time.monotonic() < deadline, (strangers, grandchildren)
        time.sleep(0.02)
    assert run_calls("x = 1", ["x"]).values == (1,)


@at_the_ends
def test_a_fork_bomb_starts_no_process() -> None:
    bomb = (
        "import os\nstarted = 0\nfor _ in range(10**4):\n    try:\n        if os.fork() == 0: os._exit(0)\n"
        "        started += 1\n    except OSError:\n        pass\n"
    )
    before = len(psutil.pids())
    assert value_of(bomb, "started") == 0
    assert statuses("import os\nwhile True: os.fork()") == [RunStatus.RAISED] * 3
    assert len(psutil.pids()) < before + 50


@pytest.mark.parametrize(
    "start",
    [
        "import os\nos.fork()",
        "import os\nos.forkpty()",
        "import os\nos.posix_spawn('/bin/true', ['true'], {})",
        "import os\nos.execv('/bin/true', ['true'])",
        "import os\nif os.system('true') != 0: raise OSError",
        "import subprocess\nsubprocess.run(['true'])",
        "import multiprocessing\np = multiprocessing.get_context('fork').Process(target=print)\np.start()",
        "import multiprocessing\np = multiprocessing.get_context('spawn').Process(target=print)\np.start()",
        "import ctypes\nif ctypes.CDLL(None).syscall(57) < 0: raise OSError",
        "import ctypes\nif ctypes.CDLL(None).syscall(58) < 0: raise OSError",
        "import ctypes\nif ctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0) < 0: raise OSError",
    ],
)
def test_no_way_of_starting_a_process_works(start: str) -> None:
    assert refused(start)


def test_a_daemon_that_forks_twice_does_not_survive(tmp_path: Path) -> None:
    daemon = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(600)\n"
        "    os._exit(0)\n"
    )
    assert statuses(daemon) == [RunStatus.RAISED] * 3


def test_threads_do_not_survive_their_run() -> None:
    threads = (
        "import threading, time\n"
        "for _ in range(9): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    )
    assert statuses(threads) == [RunStatus.DONE] * 3


@at_the_ends
def test_a_thread_that_never_ends_is_ended_at_the_limit() -> None:
    started = time.monotonic()
    (run,) = run_program(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()", [""], limits=SHORT
    )
    assert run.status is RunStatus.TIMEOUT
    assert time.monotonic() - started < SHORT_S


@at_the_ends
def test_a_thread_bomb_ends_in_time() -> None:
    started = time.monotonic()
    bomb = "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(600,)).start()"
    assert RunStatus.DONE not in statuses(bomb)
    assert time.monotonic() - started < 3 * SHORT_S


@at_the_ends
def test_a_memory_bomb_hits_its_limit() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for bomb in ("x = bytearray(1 << 33)", "x = []\nwhile True: x.append(' ' * 10**6)", "x = 'a' * 10**11"):
        assert RunStatus.DONE not in statuses(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < used + 100_000


def test_a_disk_flood_writes_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    places = [str(tmp_path), "/tmp", "/var/tmp", "/dev/shm", ".", "/", str(Path.home())]
    flood = (
        f"import os\nwritten = []\nfor place in {places!r}:\n    try:\n"
        "        with open(os.path.join(place, 'rewards-flood'), 'wb') as file:\n"
        "            for _ in range(100): file.write(bytes(10**6))\n        written.append(place)\n"
        "    except OSError: pass\n"
    )
    assert value_of(flood, "written") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        "open(path, 'a')",
        "open(path, 'r+')",
        "os.truncate(path, 0)",
        "os.unlink(path)",
        "os.rename(path, path + 'x')",
        "os.chmod(path, 0)",
        "os.chown(path, 1, 1)",
        "os.utime(path)",
        "os.link(path, path + 'x')",
        "os.symlink(path, path + 'x')",
        "os.mkdir(path + 'x')",
        "os.mkfifo(path + 'x')",
        "os.setxattr(path, 'user.x', b'1')",
        "__import__('shutil').rmtree(os.path.dirname(path))",
    ],
)
def test_no_file_of_the_host_is_changed(change: str, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("data")
    target.chmod(0o666)
    tmp_path.chmod(0o777)
    assert refused(f"import os\npath = {str(target)!r}\n{change}")
    assert target.read_text() == "data"
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@at_the_ends
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_an_output_flood_stays_out_of_the_scorers_memory(stream: str) -> None:
    flood = f"import sys\nwhile True: sys.{stream}.write('x' * 10**6)"
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    assert RunStatus.DONE not in statuses(flood)
    (run,) = run_program(flood, [""], limits=SHORT, output_limits=[1000])
    assert len(run.stdout) <= 1000
    assert run.status in (RunStatus.DIED, RunStatus.TIMEOUT)
    assert time.monotonic() - started < 4 * SHORT_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < used + 150_000


@at_the_ends
def test_a_flood_on_any_descriptor_ends_in_time() -> None:
    started = time.monotonic()
    flood = (
        "import os\nwhile True:\n    for fd in range(64):\n        try: os.write(fd, b'x' * 65536)\n"
        "        except OSError: pass"
    )
    assert RunStatus.DONE not in statuses(flood)
    assert time.monotonic() - started < 3 * SHORT_S


def test_a_huge_result_is_refused() -> None:
    assert run_calls("x = 'a' * 10**7", ["x"], limits=SHORT).status is RunStatus.DIED


def test_the_scorers_memory_cannot_be_read() -> None:
    secret = ctypes.create_string_buffer(b"expected output")
    address = ctypes.addressof(secret)
    for pid in (os.getpid(), os.getppid()):
        assert refused(f"f = open('/proc/{pid}/mem', 'rb')\nf.seek({address})\nf.read(8)")
        assert refused(
            "import ctypes\nb = ctypes.create_string_buffer(8)\nl = (ctypes.c_void_p * 2)(ctypes.addressof(b), 8)\n"
            f"r = (ctypes.c_void_p * 2)({address}, 8)\n"
            f"if ctypes.CDLL(None).process_vm_readv({pid}, l, 1, r, 1, 0) < 0: raise OSError"
        )
        assert refused(f"import ctypes\nif ctypes.CDLL(None).ptrace(0x4206, {pid}, 0, 0) < 0: raise OSError")


@pytest.mark.parametrize("pid", ["self", "1", "thread-self", "{parent}", "{scorer}"])
@pytest.mark.parametrize("name", ["environ", "cmdline", "maps", "mem", "fd", "cwd", "root"])
def test_nothing_is_read_from_proc(pid: str, name: str) -> None:
    number = pid.format(parent="' + str(os.getppid()) + '", scorer=os.getpid())
    verb = "os.listdir" if name == "fd" else "os.readlink" if name in ("cwd", "root") else "open"
    if name in ("cwd", "root") and pid in ("self", "thread-self"):
        verb = "os.listdir"
    assert refused(f"import os\n{verb}('/proc/{number}/{name}')")


def test_no_environment_variable_reaches_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    sandbox.restart()
    names = value_of("import os\nresult = sorted(os.environ)")
    assert isinstance(names, list)
    assert "SECRET_TOKEN" not in names
    assert set(names) <= {
        "PATH",
        "LANG",
        "PYTHONHASHSEED",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MALLOC_ARENA_MAX",
    }


def test_the_command_line_tells_nothing_of_the_scorer() -> None:
    assert value_of("import sys\nresult = str((sys.argv, sys.orig_argv))").find("rewards") == -1  # type: ignore[attr-defined]


def test_the_scorers_own_package_is_out_of_sight() -> None:
    source = str(Path(sandbox.__file__).resolve())
    assert refused(f"open({source!r}).read()")
    assert refused("import rewards")
    assert refused("import rewards.sandbox.runs")
    assert value_of("import sys\nresult = [n for n in sys.modules if 'rewards' in n]") == []


def test_no_file_of_the_user_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    for path in (secret, Path("/etc/passwd"), Path("/etc/hostname"), Path.home() / ".bashrc"):
        assert refused(f"open({str(path)!r}).read()")


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"])
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_no_socket_is_opened(family: str, kind: str) -> None:
    assert refused(f"import socket\nsocket.socket(socket.{family}, socket.{kind})")


def test_a_listening_scorer_is_not_reached() -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        unix.bind(f"\0rewards-test-{os.getpid()}")
        unix.listen()
        assert refused(f"import socket\nsocket.create_connection({tcp.getsockname()!r}, timeout=1)")
        assert refused(f"import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({unix.getsockname()!r})")
        assert refused("import socket\nsocket.socketpair()")


@pytest.mark.parametrize("target", ["-1", "0", "1", "os.getppid()", "{scorer}", "-os.getppid()", "-{scorer}"])
@pytest.mark.parametrize("number", ["0", "9", "19"])
def test_no_signal_is_sent(target: str, number: str) -> None:
    assert refused(f"import os\nos.kill({target.format(scorer=os.getpid())}, {number})")


def test_a_program_cannot_change_its_own_bounds() -> None:
    for code in (
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))",
        "import resource, os\nresource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
        "import os\nos.setuid(0)",
        "import os\nos.setgid(0)",
        "import os\nos.nice(-5)",
        "import os\nos.chroot('/')",
        "import os\nos.memfd_create('x')",
        "import os\nos.sched_setaffinity(0, {0})",
        "import ctypes\nif ctypes.CDLL(None).unshare(0x10000000) < 0: raise OSError",
        "import ctypes\nif ctypes.CDLL(None).mount(b'x', b'/', b'tmpfs', 0, 0) < 0: raise OSError",
        "import ctypes\nif ctypes.CDLL(None).syscall(425, 1, 0) < 0: raise OSError",  # io_uring_setup
        "import ctypes\nif ctypes.CDLL(None).syscall(321, 0, 0, 0) < 0: raise OSError",  # bpf
        "import ctypes\nif ctypes.CDLL(None).syscall(0x40000039) < 0: raise OSError",  # fork by the x32 numbers
    ):
        assert refused(code), code


@at_the_ends
def test_ignoring_every_signal_does_not_help() -> None:
    started = time.monotonic()
    code = (
        "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass"
    )
    assert statuses(code) == [RunStatus.TIMEOUT] * 3
    assert time.monotonic() - started < 3 * SHORT_S


@at_the_ends
def test_a_program_that_closes_all_descriptors_and_sleeps_ends_in_time() -> None:
    started = time.monotonic()
    ended = statuses("import os, time\nos.closerange(0, 64)\ntime.sleep(600)")
    # The tests of a function learn at once that its process has hung up.
    assert ended == [RunStatus.TIMEOUT, RunStatus.RAISED, RunStatus.TIMEOUT]
    assert time.monotonic() - started < 3 * SHORT_S


@at_the_ends
@pytest.mark.parametrize(
    "code",
    [
        "import ctypes\nctypes.string_at(0)",
        "import os\nos.abort()",
        "x = " + "(" * 10_000,
        "x = " + "-" * 200_000 + "1",
        "\ud800",
        "x = '\ud800'\nprint(x)\nraise ValueError(x)",
        "a\0b",
        "def f(): f()\nf()",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
        "class A:\n    def __repr__(self): return repr(self)\nrepr(A())",
        "import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6): x = [x]\nprint(x == x[:])\nrepr(x)",
        "x = 9 ** 9 ** 9",
        "print(int('9' * 10**5))",
        "raise BaseException",
        "raise KeyboardInterrupt",
        "import sys\nsys.exit(3)",
        "import os\nos._exit(7)",
        "yield 1",
    ],
)
def test_a_crash_is_an_answer_and_the_next_run_works(code: str) -> None:
    started = time.monotonic()
    assert RunStatus.DONE not in statuses(code)
    assert time.monotonic() - started < 3 * SHORT_S
    assert run_tests("def f(): return 1", "assert f() == 1", limits=SHORT) is RunStatus.DONE


def test_runs_leave_nothing_to_each_other() -> None:
    run_calls("import builtins, sys\nbuiltins.len = lambda x: 7\nsys.modules['leftover'] = sys", ["1"])
    assert run_calls("import sys", ["len('ab')", "'leftover' in sys.modules"]).values == (2, False)


@at_the_ends
def test_no_trace_of_an_earlier_run_is_left_in_memory() -> None:
    # The program, its input and output, tests: none ever passes through the process that is forked.
    word = "zq" + os.urandom(8).hex()
    halves = word[:9], word[9:]
    for _ in range(8):
        run_program(f"print(input() + {word!r})", [word], limits=SHORT)
        run_calls(f"x = {word!r}", [f"x + {word!r}"], limits=SHORT)
        run_tests("def f(x): return x", f"assert f({word!r}) == {word!r}", limits=SHORT)
    search = (
        "import gc\nseen = []\nfor thing in gc.get_objects():\n"
        "    try: seen.append(str(thing))\n    except Exception: pass\n"
        f"result = any({halves[0]!r} + word in text for text in seen for word in [{halves[1]!r}])"
    )
    limits = Limits(cpu_s=8, wall_s=20.0)
    assert value_of(search, limits=limits) is False


@at_the_ends
def test_a_slow_program_delays_no_other() -> None:
    slow = [threading.Thread(target=run_calls, args=("while True: pass", ["1"]), kwargs={"limits": SHORT})]
    started = time.monotonic()
    for thread in slow:
        thread.start()
    times = []
    for _ in range(20):
        begun = time.monotonic()
        assert run_calls("x = 1", ["x"], limits=SHORT).values == (1,)
        times.append(time.monotonic() - begun)
    for thread in slow:
        thread.join()
    assert time.monotonic() - started < SHORT_S + 1
    if sandbox._pool.size > 1:
        assert sorted(times)[10] < 0.5
