"""Assemble the points of a grid from configs that Hydra composed once per option.

Every axis is known to touch some top-level keys of the config: those that change when one of its options is composed
alone, and those that interpolate a key it changes. Axes that touch the same key form a block. A block with several
options that only Hydra can combine is composed by Hydra for every combination of them; a plain value under a key that
nothing interpolates is converted to its type by OmegaConf and put where it belongs. Blocks are independent of each
other, so a point is one choice of each block. Values are shared among points and must not be changed.

The last point is composed by Hydra as well. Should it differ, a config entangles its options in a way that is not
foreseen here, and Hydra composes every point.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sweeper.spec.dotted import overlap, render

Plain = dict[str, Any]
_REFERENCE = re.compile(r"\.*[A-Za-z_][\w.]*")


def label(value: Any) -> str:
    """A value as people write it."""
    return "null" if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One dimension of a grid: a config group or a key, and its values in order."""

    key: str  # a group may name its package: group@package
    prefix: str = ""  # "+" adds a key, "++" adds or overrides one
    is_group: bool
    values: tuple[Any, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The values as people write them."""
        return tuple(map(label, self.values))

    def unique(self) -> "Axis":
        """Without repetitions of a value."""
        return replace(self, values=tuple(dict.fromkeys(self.values)))

    def override(self, index: int) -> str:
        """The Hydra override that selects one value."""
        value = self.labels[index] if self.is_group else render(self.values[index])
        return f"{self.prefix}{self.key}={value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    touched: frozenset[str]  # top-level keys
    composed: tuple[int, ...]  # axes whose options Hydra combines
    plain: tuple[int, ...]  # axes whose values are put into the composed config


class Assembly:
    """The points of some axes over one base config."""

    def __init__(
        self,
        axes: Sequence[Axis],
        fixed: Sequence[str],
        base: DictConfig,
        *,
        compose: Callable[[Sequence[str]], DictConfig],
        plain: Callable[[DictConfig], Plain],
    ) -> None:
        """Compose every option that is not a plain value once.

        Args:
            axes: What varies.
            fixed: Overrides of every point.
            base: The config of `fixed`.
            compose: Hydra's composition of overrides.
            plain: A composed config as plain values, interpolations resolved.
        """
        self._axes, self._fixed, self._compose, self._plain = axes, fixed, compose, plain
        self._base = plain(base)
        self._references: set[tuple[str, str]] = set()  # (top-level key, path that it interpolates)
        self._alone: dict[tuple[int, int], Plain] = {}  # (axis, option): the config with nothing else chosen
        self._combined: dict[tuple[tuple[int, int], ...], Plain] = {}  # the touched keys of a block's options
        if axes:
            self._note_references(base)
        touched: list[set[str]] = []
        self._values: list[tuple[Any, ...] | None] = []  # of plain axes; None: Hydra composes its options
        for number, axis in enumerate(axes):
            self._values.append(None if axis.is_group else _converted(axis, base))
            touched.append({axis.key.partition(".")[0]} if self._values[-1] is not None else self._changed_by(number))
        for number, axis in enumerate(axes):  # only now are the interpolations of all options known
            if self._values[number] is not None and any(overlap(axis.key, path) for _, path in self._references):
                self._values[number] = None
                touched[number] |= self._changed_by(number)
        self._blocks = self._partition([self._closure(keys) for keys in touched])
        self._parts: list[dict[tuple[int, ...], Plain]] = [{} for _ in self._blocks]

    def points(self, allows: Callable[[Mapping[str, str]], bool]) -> Iterator[tuple[dict[str, str], Plain]]:
        """Every point that is allowed, in the order of the axes: the label of each axis, and the config."""
        labels = [axis.labels for axis in self._axes]
        keys = [axis.key for axis in self._axes]
        chosen = []
        for indices in itertools.product(*(range(len(axis.values)) for axis in self._axes)):
            choice = {key: names[index] for key, names, index in zip(keys, labels, indices, strict=True)}
            if allows(choice):
                chosen.append((choice, indices))
        trusted = not chosen or self._is_sound(chosen[-1][1])
        for choice, indices in chosen:
            yield choice, self._assembled(indices) if trusted else self._whole(enumerate(indices))

    def _is_sound(self, indices: Sequence[int]) -> bool:
        """Whether a point is what Hydra makes of it; a single block is Hydra's own composition."""
        return len(self._blocks) < 2 or self._assembled(indices) == self._whole(enumerate(indices))

    def _assembled(self, indices: Sequence[int]) -> Plain:
        config = dict(self._base)
        for block, parts in zip(self._blocks, self._parts, strict=True):
            chosen = tuple(indices[number] for number in (*block.composed, *block.plain))
            if chosen not in parts:
                parts[chosen] = self._part(block, indices)
            config.update(parts[chosen])
        return config

    def _part(self, block: _Block, indices: Sequence[int]) -> Plain:
        options = tuple((number, indices[number]) for number in block.composed)
        if options not in self._combined:
            whole = self._alone[options[0]] if len(options) == 1 else self._base
            if len(options) > 1:
                whole = self._whole(options)
            self._combined[options] = {key: whole[key] for key in block.touched if key in whole}
        part = self._combined[options]
        for number in block.plain:
            values, axis = self._values[number], self._axes[number]
            assert values is not None
            try:
                part = with_value(part, axis.key.split("."), values[indices[number]], create=bool(axis.prefix))
            except KeyError:  # this option lacks the key: Hydra knows what to say
                every = (*options, *((other, indices[other]) for other in block.plain))
                whole = self._whole(every)
                return {key: whole[key] for key in block.touched if key in whole}
        return part

    def _whole(self, options: Iterable[tuple[int, int]]) -> Plain:
        """Hydra's composition of some axes' options."""
        composed = self._compose([*self._fixed, *(self._axes[number].override(index) for number, index in options)])
        self._note_references(composed)
        return self._plain(composed)

    def _changed_by(self, number: int) -> set[str]:
        """Top-level keys that change with any option of an axis, composed alone."""
        keys: set[str] = set()
        for index in range(len(self._axes[number].values)):
            whole = self._alone[number, index] = self._whole([(number, index)])
            keys |= {key for key in whole.keys() | self._base.keys() if whole.get(key, ...) != self._base.get(key, ...)}
        return keys

    def _note_references(self, config: DictConfig) -> None:
        raw = OmegaConf.to_container(config, resolve=False)
        assert isinstance(raw, dict)
        for top, value in raw.items():
            if top not in ("hydra", "grid"):
                self._references |= {(str(top), path) for path in _references(value, [str(top)])}

    def _closure(self, touched: set[str]) -> frozenset[str]:
        """With the keys that interpolate a touched one, and those that interpolate these."""
        while True:
            more = {key for key, path in self._references if path.partition(".")[0] in touched} - touched
            if not more:
                return frozenset(touched)
            touched = touched | more

    def _partition(self, touched: Sequence[frozenset[str]]) -> list[_Block]:
        merged: list[tuple[set[str], list[int]]] = []
        for number, keys in enumerate(touched):
            whole, members = set(keys), [number]
            for other in [item for item in merged if item[0] & whole]:
                merged.remove(other)
                whole |= other[0]
                members = other[1] + members
            merged.append((whole, members))
        return [
            _Block(
                touched=frozenset(keys),
                composed=tuple(number for number in members if self._values[number] is None),
                plain=tuple(number for number in members if self._values[number] is not None),
            )
            for keys, members in merged
        ]


def _converted(axis: Axis, base: DictConfig) -> tuple[Any, ...] | None:
    """The values in the types of the config's schema; None: only Hydra can tell."""
    if any(isinstance(value, dict | list) or (isinstance(value, str) and "${" in value) for value in axis.values):
        return None
    found = []
    try:
        scratch = OmegaConf.masked_copy(base, [axis.key.partition(".")[0]] if not axis.prefix else [*map(str, base)])
        if axis.prefix == "+" and OmegaConf.select(base, axis.key) is not None:
            return None  # Hydra refuses to add what is there
        for value in axis.values:
            OmegaConf.update(scratch, axis.key, value, merge=True, force_add=bool(axis.prefix))
            found.append(_leaf(scratch, axis.key))
    except OmegaConfBaseException:
        return None
    return tuple(found)


def _leaf(config: DictConfig, key: str) -> Any:
    *parents, last = key.split(".")
    node = OmegaConf.select(config, ".".join(parents)) if parents else config
    holder = OmegaConf.to_container(OmegaConf.masked_copy(node, [last]), resolve=True, enum_to_str=True)
    assert isinstance(holder, dict)
    return holder[last]


def with_value(values: Plain, path: Sequence[str], value: Any, *, create: bool) -> Plain:
    """A copy with one value replaced, shared where nothing changes.

    Raises:
        KeyError: the path is not there, and `create` is false.
    """
    first, *rest = path
    if not rest:
        if first not in values and not create:
            raise KeyError(first)
        return {**values, first: value}
    inner = values.get(first, {} if create else None)
    if not isinstance(inner, dict):
        raise KeyError(first)
    return {**values, first: with_value(inner, rest, value, create=create)}


def _references(value: Any, path: list[str]) -> Iterator[str]:
    """Every path that interpolations under a value may name, absolute."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _references(item, [*path, str(key)])
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, [*path, str(index)])
    elif isinstance(value, str) and "${" in value:
        for word in _REFERENCE.findall(value):
            name = word.lstrip(".")
            up = len(word) - len(name)
            yield ".".join([*path[: len(path) - up], name]) if up else name
