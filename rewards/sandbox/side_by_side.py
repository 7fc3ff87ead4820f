"""A series of runs side by side, judged in order: what a series comes to does not depend on which run ends first."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


def in_order(
    count: int, run: Callable[[int], Result], *, until: Callable[[int, Result], bool], helpers: Callable[[], int]
) -> list[Result]:
    """The results of `run(0)`, `run(1)`, ... up to the first for which `until` is true.

    Args:
        count: Of runs.
        run: Makes one; called from several threads once the first run is over.
        until: Called in order, each time when all results before are known.
        helpers: How many threads beside the caller's would find something free to run on.

    Raises:
        Whatever `run` raises, of the first run in order that does.
    """
    results: list[Result] = []
    if count:
        results.append(run(0))
    if not results or until(0, results[0]) or count == 1:
        return results
    wanted = min(helpers(), count - 2)
    if wanted <= 0:
        for index in range(1, count):
            results.append(run(index))
            if until(index, results[-1]):
                break
        return results
    return results + _Series(count, run, until, wanted).judged()


class _Series(Generic[Result]):
    """All but the first run of a series. Runs under way when the series is decided end unheard."""

    def __init__(
        self, count: int, run: Callable[[int], Result], until: Callable[[int, Result], bool], helpers: int
    ) -> None:
        self._count, self._run, self._until = count, run, until
        self._next = 1
        self._ended: dict[int, Result | BaseException] = {}
        self._changed = threading.Condition()
        for _ in range(helpers):
            threading.Thread(target=self._work, name="rewards-series", daemon=True).start()

    def judged(self) -> list[Result]:
        results: list[Result] = []
        try:
            for index in range(1, self._count):
                results.append(self._result(index))
                if self._until(index, results[-1]):
                    break
            return results
        finally:
            with self._changed:
                self._next = self._count

    def _result(self, index: int) -> Result:
        """Of one run; meanwhile this thread makes runs as the others do."""
        while True:
            with self._changed:
                while index not in self._ended and self._next >= self._count:
                    self._changed.wait()
                if index in self._ended:
                    result = self._ended.pop(index)
                    if isinstance(result, BaseException):
                        raise result
                    return result
            self._make_one()

    def _work(self) -> None:
        while self._make_one():
            pass

    def _make_one(self) -> bool:
        with self._changed:
            index = self._next
            if index >= self._count:
                return False
            self._next += 1
        try:
            result: Result | BaseException = self._run(index)
        except BaseException as error:  # raised where the series is judged
            result = error
        with self._changed:
            self._ended[index] = result
            self._changed.notify_all()
        return True
