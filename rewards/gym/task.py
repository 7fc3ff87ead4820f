"""One task of reasoning-gym at one level. The only place that imports the package, and only when it is asked to."""

import contextlib
from typing import Any

from rewards.gym.package import TOO_SLOW

# Problems of one seed. Some data sets draw all of theirs when they are made.
BLOCK = 64


def names() -> list[str]:
    """All data sets of the package, in order of name."""
    from reasoning_gym.factory import DATASETS

    return sorted(DATASETS)


def category(name: str) -> str:
    """The package's own kind of a data set, such as `arithmetic` or `graphs`."""
    from reasoning_gym.factory import DATASETS

    return str(DATASETS[name][0].__module__.split(".")[1])


def levels(name: str) -> list[int | None]:
    """The levels of a task's curriculum, 1 the easiest; [None] of a task without one, or without a usable one.

    A level is a step of every attribute of the curriculum at once; an attribute with fewer steps stays at its last.
    Left out are steps that the task itself refuses, and those of `TOO_SLOW`.
    """
    from reasoning_gym.factory import CURRICULA, create_curriculum

    if name not in CURRICULA:
        return [None]
    steps = max((len(one.levels) for one in create_curriculum(name).attributes.values()), default=1)
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
    from reasoning_gym.factory import DATASETS, create_curriculum

    settings = {"seed": seed, "size": BLOCK}
    if level is None:
        chosen = DATASETS[name][1](**settings)
    else:
        curriculum = create_curriculum(name)
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
    from reasoning_gym.factory import DATASETS

    return DATASETS[name][0](config=configuration(name, level, seed=seed))
