import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from rewards.problem.python_tree import python_literal, python_tree

SOURCE = "\n".join(
    f"def f{i}(a, b):\n    return [a + {i} for x in range(b) if x * {i} > (a if b else {{1: 2}}[1])]" for i in range(60)
)


@pytest.fixture
def threads_that_meet() -> Iterator[None]:
    """Threads take turns as often as they can, also while the interpreter makes a tree: at every garbage collection."""

    def hook(*_: object) -> None:
        sum(range(50))

    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    gc.callbacks.append(hook)
    gc.set_threshold(50)
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.callbacks.remove(hook)


@pytest.mark.usefixtures("threads_that_meet")
def test_threads_that_read_python_at_once_do_not_disturb_each_other() -> None:
    errors: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(30):
                python_tree(SOURCE)
                python_literal("[(1, 2), {'a': [3]}]")
        except SystemError as error:
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_copy_of_the_process_reads_python_though_a_thread_of_the_original_was_reading() -> None:
    inside, done = threading.Event(), threading.Event()

    def hook(phase: str, _: object) -> None:
        if phase == "start" and threading.current_thread() is reader and not inside.is_set():
            inside.set()
            done.wait(30)

    reader = threading.Thread(target=python_tree, args=(SOURCE,))
    threshold = gc.get_threshold()
    gc.callbacks.append(hook)
    gc.set_threshold(50)
    try:
        reader.start()
        assert inside.wait(30)
        child = os.fork()
        if not child:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(10)
            os._exit(40 + len(python_tree("a = 1\nb = 2").body))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    finally:
        done.set()
        reader.join()
        gc.callbacks.remove(hook)
        gc.set_threshold(*threshold)
