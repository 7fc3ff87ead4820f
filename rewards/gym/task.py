"""One task of reasoning-gym at one level. The only place that imports the package, and only when it is asked to."""

import contextlib
import importlib
import sys
import types
from functools import lru_cache
from typing import Any

from rewards.gym.package import TOO_SLOW

# Problems of one seed. Some data sets draw all of theirs when they are made.
BLOCK = 64
# What the package imports to draw and for tasks that are left out: .ci/setup does without.
_UNUSED = (
    *("matplotlib", "matplotlib.pyplot", "matplotlib.animation", "matplotlib.collections"),
    *("mpl_toolkits", "mpl_toolkits.mplot3d", "pycosat"),
)


@lru_cache(1)
def _factory() -> Any:
    absent = {name: types.ModuleType(name) for name in _UNUSED if name not in sys.modules}
    for module in absent.values():
        vars(module)["Axes3D"] = None  # which is imported from one of them
    sys.modules.update(absent)
    try:
        return importlib.import_module("reasoning_gym.factory")
    finally:
        for name in absent:
            del sys.modules[name]


def names() -> list[str]:
    """All data sets of the package, in order of name."""
    return sorted(_factory().DATASETS)


def category(name: str) -> str:
    """The package's own kind of a data set, such as `arithmetic` or `graphs`."""
    return str(_factory().DATASETS[name][0].__module__.split(".")[1])


def levels(name: str) -> list[int | None]:
    """The levels of a task's curriculum, 1 the easiest; [None] of a task without one, or without a usable one.

    A level is a step of every attribute of the curriculum at once; an attribute with fewer steps stays at its last.
    Left out are steps that the task itself refuses, and those of `TOO_SLOW`.
    """
    factory = _factory()
    if name not in factory.CURRICULA:
        return [None]
    steps = max((len(one.levels) for one in factory.create_curriculum(name).attributes.values()), default=1)
    usable: list[int | None] = []
    for level in range(1, steps + 1):
        with contextlib.suppress(AssertionError, ValueError):
            configuration(name, level)
            if level not in TOO_SLOW.get(name, ()):
                usable.append(level)
    return usable or [None]


def configuration(name: str, level: int | None, *, seed: int = 0) -> Any:
    """The package's configuration of a task at a level.

    Raises:
        AssertionError, ValueError: A level that the task refuses.
    """
    settings = {"seed": seed, "size": BLOCK}
    if level is None:
        chosen = _factory().DATASETS[name][1](**settings)
    else:
        curriculum = _factory().create_curriculum(name)
        curriculum.set_global_level(level - 1)
        chosen = curriculum.generate_configuration(settings)
    if hasattr(chosen, "validate"):
        chosen.validate()
    return chosen


def dataset(name: str, level: int | None, *, seed: int) -> Any:
    """The package's data set: `[i]` is its problem i below `BLOCK`, `score_answer(answer, problem)` in [0, 1].

    Raises:
        AssertionError, ValueError: A level that the task refuses.
    """
    return _factory().DATASETS[name][0](config=configuration(name, level, seed=seed))
