"""Blocking calls off the event loop, in threads of our own, each with an end.

`asyncio.to_thread` shares its few threads with verl's tokenisation, and a thread of its pool that hangs keeps the
process from ending. Here each call has a thread that dies with the process.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")
AT_ONCE = max(4, 2 * len(os.sched_getaffinity(0)))  # calls per event loop; more wait, and that counts against no limit
MOST_HUNG = 64

_slots: "WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]" = WeakKeyDictionary()
_hung: set[int] = set()  # calls that were given up on, and still run


async def in_thread(call: Callable[[], T], seconds: float) -> T:
    """What a blocking call returns, or raises.

    Args:
        call: Runs in a thread.
        seconds: How long it may take from when it begins.

    Raises:
        TimeoutError: It took longer. The thread goes on, and its result is thrown away.
        RuntimeError: `MOST_HUNG` calls that were given up on are still running.
    """
    loop = asyncio.get_running_loop()
    slot = _slots.setdefault(loop, asyncio.Semaphore(AT_ONCE))
    async with slot:
        if len(_hung) >= MOST_HUNG:
            raise RuntimeError(f"{MOST_HUNG} calls of tools hang at once")
        answer: asyncio.Future[T] = loop.create_future()
        threading.Thread(target=_run, args=(loop, answer, call), daemon=True, name="agent").start()
        try:
            return await asyncio.wait_for(asyncio.shield(answer), seconds)
        except TimeoutError:
            if answer.done():  # what the call itself raised
                raise
            _hung.add(id(answer))
            answer.add_done_callback(_ended)
            raise


def _ended(answer: "asyncio.Future[T]") -> None:
    _hung.discard(id(answer))
    if not answer.cancelled():
        answer.exception()  # seen


def _run(loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[T]", call: Callable[[], T]) -> None:
    try:
        tell = partial(_tell, answer, result=call())
    except BaseException as error:  # the boundary of the thread: whoever waits gets it
        whole = isinstance(error, Exception) and not isinstance(error, StopIteration)  # no future takes the others
        tell = partial(_tell, answer, error=error if whole else RuntimeError(f"{type(error).__name__}: {error}"))
    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:  # the event loop has ended: nobody waits
        _hung.discard(id(answer))


def _tell(answer: "asyncio.Future[T]", *, result: T | None = None, error: BaseException | None = None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)  # type: ignore[arg-type]  # a call may return None
