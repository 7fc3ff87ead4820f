"""What a launch of several runs is called: after its grid, or its axes, and what the command line fixes beside them.

`+grid=model_scale model_family=qwen2.5` is model_scale+qwen2.5, `model=tiny-40k training.actor_lr=1e-3,3e-4` is
by_lr+tiny-40k. Records and reports have these names, so launches that ask different things never share one. An axis of
the grid's own that is narrowed is no part of it: that asks less of the same.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import PurePath

from hydra.core.override_parser.types import Override

from sweeper.grid.assembly import Axis, label
from sweeper.grid.overrides import text_of
from sweeper.host.errors import ConfigError
from sweeper.rows.differences import short_name
from sweeper.rows.grid_file import Launch
from sweeper.spec.digest import digest_of
from sweeper.spec.identity import EXECUTION

LONGEST = 60  # characters of a readable name; the rest is a digest
# No part of what is asked: the seed is an axis like any other, and the rest says where and how runs are made.
ELSEWHERE = ("grid", "seed", "results_dir", *EXECUTION)


def launch_of(
    grid: str | None, name: str | None, overrides: Sequence[Override], axes: Sequence[Axis], own: Collection[str]
) -> Launch:
    """The title of a launch of a file of conf/grid, if it names one; `own` are the keys of the axes that the file has.

    Raises:
        ConfigError: `grid.name`, if the user gives one, is not one plain component of a path.
    """
    if name is not None and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+=-]*", name):
        raise ConfigError(f"grid.name={name!r}: letters, digits, '_', '.', '+', '=' and '-' make a name")
    fixed = [item for item in overrides if not item.is_sweep_override()]
    asked = [item for item in fixed if not any(f"{item.key_or_group}.".startswith(f"{part}.") for part in ELSEWHERE)]
    beside = [item for item in asked if item.key_or_group not in own]
    further = [axis.key for axis in axes if axis.key not in own and axis.key != "seed"]
    base = grid or f"by_{'_'.join(short_name(key, further) for key in further) or 'seed'}"
    parts = [base, *(["by_" + "_".join(short_name(key, further) for key in further)] if grid and further else [])]
    parts += [_word(item) for item in beside]
    settings = tuple(str(item.input_line) for item in beside)
    return Launch(
        name=name or _component("+".join(parts), base, settings),
        grid=grid,
        is_named=name is not None,
        settings=settings,
        narrowed={item.key_or_group: label(text_of(item.value())) for item in fixed if item.key_or_group in own},
    )


def _word(item: Override) -> str:
    """An option by its name, a value with the end of its key."""
    key, value = item.key_or_group, label(text_of(item.value()))
    if "." not in key and key != "data_root":
        return value
    return f"{short_name(key, (key,))}={PurePath(value).name if '/' in value else value}"


def _component(name: str, base: str, settings: Sequence[str]) -> str:
    """One plain component of a path."""
    plain = re.sub(r"[^A-Za-z0-9_.+=-]+", "-", name).strip("-.")
    return plain if len(plain) <= LONGEST else f"{base[:LONGEST]}+{digest_of(list(settings))[:6]}"
