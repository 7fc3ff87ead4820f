import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sweeper.training.fork_server import fork_server, worker_command
from tests.sweeper.test_process import alive, wait_until

SHOW = """
import json, os, sys
print(json.dumps({"argv": sys.argv[1:], "env": os.environ.get("MARK"), "cwd": os.getcwd(), "name": __name__,
                  "torch": "torch" in sys.modules, "ray": "ray" in sys.modules}))
print("to stderr", file=sys.stderr)
sys.exit(7)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("fork")
    with fork_server(folder / "socket", log=folder / "log", env={}):
        assert wait_until((folder / "socket").exists)
        yield folder / "socket"


def start(server: Path, script: Path, *arguments: str, **options: object) -> "subprocess.Popen[str]":
    command = [*worker_command(server).split(), str(script), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]


def write(folder: Path, code: str) -> Path:
    path = folder / "script.py"
    path.write_text(code)
    return path


def test_a_script_gets_its_arguments_environment_folder_and_streams(server: Path, tmp_path: Path) -> None:
    script = write(tmp_path, SHOW)
    process = start(server, script, "a", "b c", cwd=tmp_path, env={**os.environ, "MARK": "mine"})
    out, err = process.communicate(timeout=300)
    seen = json.loads(out)
    assert seen["argv"] == ["a", "b c"]
    assert seen["env"] == "mine"
    assert seen["cwd"] == str(tmp_path)
    assert seen["name"] == "__main__"
    assert err == "to stderr\n"
    assert process.returncode == 7


def test_a_script_finds_torch_imported_and_ray_not(server: Path, tmp_path: Path) -> None:
    out, _ = start(server, write(tmp_path, SHOW)).communicate(timeout=300)
    assert json.loads(out)["torch"]
    assert not json.loads(out)["ray"]


def test_a_python_flag_before_the_script_is_not_its_argument(server: Path, tmp_path: Path) -> None:
    script = write(tmp_path, SHOW)
    command = [*worker_command(server).split(), "-u", str(script), "a"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["argv"] == ["a"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", 0),
        ("import sys; sys.exit('words')", 1),
        ("raise ValueError('broken')", 1),
        ("import os; os.kill(os.getpid(), 9)", 137),
    ],
)
def test_the_stand_in_ends_as_the_script_does(server: Path, tmp_path: Path, code: str, expected: int) -> None:
    process = start(server, write(tmp_path, code))
    process.communicate(timeout=300)
    assert process.returncode == expected


def test_an_exception_is_printed_as_python_prints_it(server: Path, tmp_path: Path) -> None:
    _, err = start(server, write(tmp_path, "raise ValueError('broken')")).communicate(timeout=300)
    assert err.splitlines()[-1] == "ValueError: broken"


def test_sigterm_to_the_stand_in_reaches_the_script(server: Path, tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\ntime.sleep(600)"
    )
    process = start(server, write(tmp_path, code))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode == 42


def test_many_scripts_at_once_each_get_their_own_answer(server: Path, tmp_path: Path) -> None:
    script = write(tmp_path, "import sys, time; time.sleep(0.2); sys.exit(int(sys.argv[1]))")
    processes = [start(server, script, str(number)) for number in range(12)]
    for process in processes:
        process.communicate(timeout=300)
    assert [process.returncode for process in processes] == list(range(12))


def test_a_script_does_not_hold_the_servers_sockets(server: Path, tmp_path: Path) -> None:
    code = """
import os
fds = [f'/proc/self/fd/{fd}' for fd in os.listdir('/proc/self/fd') if int(fd) > 2]
print(sum(os.readlink(fd).startswith('socket:') for fd in fds if os.path.lexists(fd)))
"""
    out, _ = start(server, write(tmp_path, code)).communicate(timeout=300)
    assert out == "0\n"


def test_the_server_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from sweeper.training.fork_server import fork_server\n"
        "folder = Path(sys.argv[1])\n"
        "with fork_server(folder / 'socket', log=folder / 'log', env={}):\n"
        "    print('started', flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline()
    [child] = psutil.Process(parent.pid).children()
    assert wait_until((tmp_path / "socket").exists)
    parent.kill()
    parent.communicate()
    assert wait_until(lambda: not alive(child.pid))
