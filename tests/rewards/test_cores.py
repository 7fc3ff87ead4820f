"""Right programs on few cores: limits in wall time must not count what is waited for."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from rewards.sandbox import cores
from rewards.sandbox.cores import one_core

# A fifth of a second of CPU under a wall limit of two seconds: late only where ten others run beside it.
_PROGRAM = "import time\nwhile time.process_time() < 0.2: pass\nprint('done')"
_PROCESSES = 12
# One scoring process: says that it is ready, waits until all are, runs the program twice, tells how the runs ended.
_PROCESS = textwrap.dedent(
    f"""
    import json, sys
    from concurrent.futures import ThreadPoolExecutor
    from rewards.sandbox.runs import Limits, run_program
    def run(_):
        return run_program({_PROGRAM!r}, [""], limits=Limits(cpu_s=1, wall_s=2.0, memory_mb=256))[0].status
    run_program("print(1)", [""], limits=Limits())
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(2) as executor:
        print(json.dumps([str(status) for status in executor.map(run, range(2))]))
    """
)


def ended(environment: dict[str, str]) -> list[str]:
    """How the runs of a dozen processes end that score on one core at once."""
    core = {min(os.sched_getaffinity(0))}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
            preexec_fn=lambda: os.sched_setaffinity(0, core),
        )
        for _ in range(_PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [status for process in processes for status in json.loads(process.communicate(timeout=120)[0])]


def test_right_programs_of_a_dozen_processes_on_one_core_are_in_time(tmp_path: Path) -> None:
    assert set(ended(cores.share(tmp_path, 1))) == {"done"}


@pytest.mark.nightly
def test_without_a_share_of_the_cores_they_are_late() -> None:
    assert "timeout" in ended({})


def _use(folder: dict[str, str], used: "multiprocessing.SimpleQueue[list[tuple[float, float]]]") -> None:
    os.environ.update(folder)
    times = []
    for _ in range(10):
        with one_core():
            begun = time.monotonic()
            time.sleep(0.01)
            times.append((begun, time.monotonic()))
    used.put(times)


def test_no_more_runs_are_under_way_than_there_are_cores_whatever_processes_there_are(tmp_path: Path) -> None:
    folder = cores.share(tmp_path, 2)
    context = multiprocessing.get_context("fork")
    used = context.SimpleQueue()
    processes = [context.Process(target=_use, args=(folder, used)) for _ in range(6)]
    for process in processes:
        process.start()
    times = [time for _ in processes for time in used.get()]
    for process in processes:
        process.join()
    assert len(times) == 60
    together = [sum(begun <= moment < ended for begun, ended in times) for moment, _ in times]
    assert max(together) == 2


def _hold(folder: dict[str, str], held: "multiprocessing.SimpleQueue[float]") -> None:
    os.environ.update(folder)
    with one_core():
        held.put(time.monotonic())
        time.sleep(30)


def test_a_process_that_is_killed_gives_its_core_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cores.share(tmp_path, 1)
    context = multiprocessing.get_context("fork")
    held = context.SimpleQueue()
    holder = context.Process(target=_hold, args=(folder, held))
    holder.start()
    held.get()
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    monkeypatch.setenv(cores.FOLDER_VARIABLE, str(tmp_path))
    with one_core():
        pass
    holder.join()


def test_cores_are_as_many_as_were_said_and_at_least_one(tmp_path: Path) -> None:
    assert cores.share(tmp_path / "four", 4) == {cores.FOLDER_VARIABLE: str(tmp_path / "four")}
    cores.share(tmp_path / "none", 0)
    assert len(list((tmp_path / "four").iterdir())) == 4
    assert len(list((tmp_path / "none").iterdir())) == 1


def test_nothing_is_waited_for_where_cores_are_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cores.FOLDER_VARIABLE, raising=False)
    with one_core(), one_core():
        pass
