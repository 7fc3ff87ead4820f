"""Expand a Hydra grid into RL runs, train each with verl, measure pass@k, write one row per run.

`import sweeper` gives `results`, `curves`, `samples`, `problems` and `report` (`sweeper.api`): a results folder as data
frames. Importing this package alone takes no time: they are imported when one is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeper.api import curves as curves
    from sweeper.api import problems as problems
    from sweeper.api import report as report
    from sweeper.api import results as results
    from sweeper.api import samples as samples

_API = ("curves", "problems", "report", "results", "samples")


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("sweeper.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
