"""From command-line overrides to the points of a grid.

Hydra composes a few configs a second, far too slow for thousands of points, so the points are assembled
(`sweeper.grid.assembly`) from each option composed once (`sweeper.grid.loader`).
"""

import difflib
import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from rewards.bounded_file import MIB, read_text
from sweeper.grid.assembly import Assembly, Axis, Plain, label
from sweeper.grid.composition_error import in_one_line, refusal_of
from sweeper.grid.constraints import GridRules, Labels, allowed_by
from sweeper.grid.copies import packed, unpacked
from sweeper.grid.known import refuse_unknown
from sweeper.grid.loader import Loader
from sweeper.grid.merging import Pair, merged
from sweeper.grid.overrides import MAX_VALUES, axis_of, grid_of, parsed, refuse_no_option, text_of
from sweeper.grid.project import check_grid_file, conf_folders
from sweeper.grid.schema import register, setting
from sweeper.grid.title import launch_of
from sweeper.host.errors import ConfigError
from sweeper.host.patience import counted
from sweeper.rows.grid_file import QUESTIONS, Launch
from sweeper.spec.bounds import Text, validated
from sweeper.spec.dotted import overlap
from sweeper.spec.idle import NAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a grid: the chosen label of each axis, and the composed config as plain values."""

    choice: Mapping[str, str]
    config: Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """An expanded grid; `launch` is None for a single point of no grid."""

    launch: Launch | None
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    questions: tuple[str, ...] = ()  # what its report answers
    budget_gpu_hours: float | None = None  # of a launch, from the grid file
    notes: tuple[str, ...] = ()  # what was done with settings that change nothing in some points
    asked: tuple[str, ...] = ()  # the overrides

    @property
    def results_dir(self) -> Path:
        """Where its runs, rows and reports go."""
        return results_dir_of(self.points[0].config)


def results_dir_of(config: Plain) -> Path:
    """The results folder of a composed config, absolute.

    Raises:
        ConfigError: it is empty, which would be the current folder, or a file is in its place or above it.
    """
    path = Path(setting(config, "results_dir")).resolve()
    validated(Text, "results_dir", str(path))  # a folder above it may have any name
    if file := next((place for place in (path, *path.parents) if place.is_file()), None):
        raise ConfigError(f"results_dir={path}: {file} is a file; name a folder")
    return path


@contextmanager
def hydra_session() -> Iterator[None]:
    """Hydra's compose API over the project's `conf/` and ours, with our schema."""
    register()
    if GlobalHydra.instance().is_initialized():
        yield
        return
    with initialize_config_module("conf", version_base="1.3"):
        session: Any = GlobalHydra.instance().hydra
        session.config_loader = Loader(session.config_loader.config_search_path)
        yield


def expand(arguments: Sequence[str], *, multirun: bool | None) -> Grid:
    """Expand overrides into points.

    Args:
        arguments: Hydra overrides, e.g. `("+grid=model_scale", "seed=0,1")`.
        multirun: Whether `-m` was given; without it the overrides must describe one point. None: as many as they say,
            for a verb that starts nothing.

    Raises:
        ConfigError: anything Hydra or the schema refuses, an axis without `-m`, a list as an axis, several grids.
    """
    overrides = parsed(arguments)
    grid, sweeps = grid_of(overrides), [item for item in overrides if item.is_sweep_override()]
    if multirun is None:
        multirun = bool(grid or sweeps)
    fixed = [str(item.input_line) for item in overrides if not item.is_sweep_override()]
    if grid:
        check_grid_file(grid)
    with hydra_session():
        for item in overrides:
            refuse_no_option(item, options_of(item.key_or_group))
        cfg = _compose(fixed)
        setting(cfg, "data_root")  # else it is told of as data.root, which follows it
        rules = rules_of(cfg)
        own, axes, allows = _axes(cfg, rules, overrides)
        if not multirun and any(len(axis.values) > 1 for axis in axes):
            what = sweeps[0].input_line if sweeps else f"+grid={grid}" if grid else "grid.replicates"
            command = f"python -m sweeper {shlex.join(arguments)} -m"
            raise ConfigError(f"{what} describes several runs; add -m to run them all: {command}")
        if multirun and not axes and not grid:
            raise ConfigError("nothing varies: name a grid (+grid=model_scale) or an axis (seed=0,1), or leave out -m")
        if (n := math.prod(len(axis.values) for axis in axes)) > MAX_VALUES:
            raise ConfigError(f"{' '.join(arguments)} has {n:,} points, and {MAX_VALUES:,} are the most; take fewer")
        several = grid is not None or multirun
        launch = launch_of(grid, rules.name, overrides, axes, own) if several else None
        added = [axis.override(0) for axis in axes if axis.prefix and not axis.is_group]
        if added:  # their values are put into the points without Hydra
            _compose([*fixed, *added])
        pairs, notes = _points(axes, overrides, cfg, allows)
        points = tuple(Point(choice=choice, config=config) for choice, config in pairs)
        if not points:
            raise ConfigError(
                f"no point of {grid} is left: its tied axes and exclusions (conf/grid/{grid}.yaml, grid) allow none of "
                f"{' '.join(arguments)}"
            )
        return Grid(
            launch=launch,
            axes=tuple(axes),
            points=points,
            questions=rules.questions,
            budget_gpu_hours=rules.budget_gpu_hours,
            asked=tuple(arguments),
            notes=notes,
        )


def _points(
    axes: Sequence[Axis], overrides: Sequence[Override], cfg: DictConfig, allows: Callable[[Labels], bool]
) -> tuple[list[Pair], tuple[str, ...]]:
    """The points that differ, and what was done with settings that change nothing in some."""
    fixed = [item for item in overrides if not item.is_sweep_override()]
    lines = [str(item.input_line) for item in fixed]
    points = counted(
        Assembly(axes, lines, cfg, compose=_compose, plain=_plain).points(allows),
        total=math.prod(len(axis.values) for axis in axes),
        what="composing",
    )
    left = [axis for axis in axes if axis.is_group or not _may_be_idle(axis.key)]
    rest = [
        str(item.input_line) for item in fixed if options_of(item.key_or_group) or not _may_be_idle(item.key_or_group)
    ]
    if len(left) == len(axes) and len(rest) == len(lines):
        return list(points), ()
    base = cfg if len(rest) == len(lines) else _compose(rest)
    unset = {
        tuple(choice.values()): config
        for choice, config in Assembly(left, rest, base, compose=_compose, plain=_plain).points(lambda _: True)
    }
    return merged(points, lambda choice: unset[tuple(choice[axis.key] for axis in left)])


def _may_be_idle(key: str) -> bool:
    return any(overlap(key, name) for name in NAMES)


def _axes(
    cfg: DictConfig, rules: GridRules, overrides: Sequence[Override]
) -> tuple[list[str], list[Axis], Callable[[Labels], bool]]:
    """The keys of a grid's own axes; all its axes, these first; and which of their combinations are points."""
    given = {item.key_or_group for item in overrides}
    tied = {key for keys in rules.tie for key in keys}
    params = list(cfg.hydra.sweeper.get("params") or ())
    own = {
        item.key_or_group: axis_of(item, options_of(item.key_or_group), repeats=item.key_or_group in tied)
        for item in _grid_axes(cfg, params)
    }
    allows = allowed_by(
        rules,
        axes={key: axis.labels for key, axis in own.items()},
        chosen={item.key_or_group: label(text_of(item.value())) for item in overrides if not item.is_sweep_override()},
        options=options_of,
    )
    axes = [axis.unique() for key, axis in own.items() if key not in given]
    axes += [axis_of(item, options_of(item.key_or_group)) for item in overrides if item.is_sweep_override()]
    if rules.replicates is not None and "seed" not in given:
        axes.append(Axis(key="seed", is_group=False, values=tuple(range(rules.replicates))))
    return list(own), axes, allows


def options_of(group: str) -> list[str]:
    """The options of a configuration group; none of what is no group. Only in a `hydra_session`."""
    # Not the loader's own method of that name: that copies the whole configuration at every call (25 ms).
    loader: Any = GlobalHydra.instance().config_loader()
    options: list[str] = loader.repository.get_group_options(group, ObjectType.CONFIG)
    return options


def group_options() -> dict[str, list[str]]:
    """Every configuration group with its options."""
    with hydra_session():
        groups = [name for name in GlobalHydra.instance().config_loader().list_groups("") if name != "hydra"]
        return {name: options for name in groups if (options := options_of(name))}


def grid_titles() -> dict[str, str]:
    """What every grid is, its run counts and its question: the second line of its file; "" where it is no comment."""
    files = {path.stem: path for folder in reversed(conf_folders()) for path in (folder / "grid").glob("*.yaml")}
    return {name: _title(files[name]) for name in sorted(files)}


def _title(grid: Path) -> str:
    lines = read_text(grid, MIB, errors="replace").splitlines()
    return lines[1].removeprefix("# ") if len(lines) > 1 and lines[1].startswith("# ") else ""


def _compose(overrides: Sequence[str]) -> DictConfig:
    try:
        composed = compose("config", overrides=list(overrides), return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(refusal_of(error, overrides)) from None
    refuse_unknown(composed)
    return composed


def _plain(cfg: DictConfig) -> Plain:
    own: DictConfig = unpacked(packed(cfg))
    kept = {key: node for key, node in own.items_ex(resolve=False) if key not in ("hydra", "grid")}
    visible = DictConfig(kept, flags={"no_deepcopy_set_nodes": True})
    try:
        plain: Plain = OmegaConf.to_container(visible, resolve=True, enum_to_str=True)  # type: ignore[assignment]
    except OmegaConfBaseException as error:
        raise ConfigError(refusal_of(error, ())) from None
    return plain


def _grid_axes(cfg: DictConfig, params: Any) -> list[Override]:
    lines = []
    for key in params:
        try:
            value = cfg.hydra.sweeper.params[key]
        except OmegaConfBaseException as error:
            raise ConfigError(f"grid axis {in_one_line(error)}") from None
        if not isinstance(value, str) or value.startswith("["):
            raise ConfigError(f"grid axis {key}={value!r}: write the values as a string, 'a,b,c', not as a YAML list")
        lines.append(f"{key}={value}")
    return parsed(lines)


def rules_of(cfg: DictConfig) -> GridRules:
    """The `grid` block of a composed config.

    Raises:
        ConfigError: an interpolation in it leads nowhere, a value is out of its bounds, or a question is none.
    """
    try:
        values = OmegaConf.to_container(cfg.grid, resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigError(in_one_line(error)) from None
    rules: GridRules = validated(GridRules, "grid", values)
    for name in rules.questions:
        if name not in QUESTIONS:
            near = difflib.get_close_matches(name, QUESTIONS, n=2)
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            raise ConfigError(f"grid.questions: no question {name!r}; {hint}there are {', '.join(QUESTIONS)}")
    return rules
