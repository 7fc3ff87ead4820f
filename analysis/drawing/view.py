"""A view: one coordinate system of a figure, as a specification of Vega-Lite with its data in columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from analysis.estimates.numerals import plain
from analysis.passk.estimate import Estimate

HEIGHT = 300  # pixels of a panel, axes included
FILE_WIDTH = 640  # pixels of a panel in a file
OFF = "off"  # the parameter that holds the groups a reader has hidden
SHOWN = f"indexof({OFF}, datum.group) < 0"
HOVER = "hover"  # layers that only answer the pointer
WIDE = "wide"  # beginning of the names of layers for which a phone has no room

Columns = Mapping[str, Sequence[Any]]  # of equal lengths
Spec = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One coordinate system.

    Attributes:
        title: What it shows, in words; stands above it.
        spec: Encoding and layers, without size and data.
        columns: The data of the layers that have none of their own.
        height: Pixels, axes included.
    """

    title: str
    spec: Spec
    columns: Columns
    height: int = HEIGHT

    @property
    def n_rows(self) -> int:
        """Of its columns."""
        return len(next(iter(self.columns.values()), ()))

    def packed(self) -> dict[str, Any]:
        """As JSON of a page, from which its script makes the specification: values that repeat stand once."""
        columns = {name: _coded(values) for name, values in self.columns.items()}
        return {"title": self.title, "spec": self.spec, "height": self.height, "columns": columns}

    def whole(self, *, width: int | str, hover: bool = False) -> Spec:
        """A specification that stands alone; without `hover`, a picture."""
        names = list(self.columns)
        rows = [dict(zip(names, row, strict=True)) for row in zip(*self.columns.values(), strict=True)]
        layers = [layer for layer in self.spec["layer"] if hover or layer.get("name") != HOVER]
        return {
            **self.spec,
            "width": width,
            "height": self.height,
            "autosize": {"type": "fit", "contains": "padding"},
            "data": {"values": rows},
            "layer": layers,
        }


def group_colours(groups: Sequence[str], colours: Sequence[str]) -> Spec:
    """The channel of colour: the same group has the same colour in every view of a figure."""
    scale = {"domain": list(groups), "range": list(colours)}
    return {"field": "group", "type": "nominal", "scale": scale}


def value_text(value: Estimate) -> str:
    """A value with its interval, if it has one, as every other text has it."""
    return plain(value).removesuffix(" (no interval)")


def told(*fields: tuple[str, str]) -> list[Spec]:
    """What the pointer is told: pairs of a column that holds texts and the name it has for people."""
    return [{"field": field, "type": "nominal", "title": title} for field, title in fields]


def _coded(values: Sequence[Any]) -> Any:
    """The shortest of: as they are; places in a list of the distinct ones; each with how often it stands in a row."""
    distinct = list(dict.fromkeys(values))
    place = {value: i for i, value in enumerate(distinct)}
    groups = [(value, len(list(group))) for value, group in groupby(values)]
    forms = (
        list(values),
        {"of": distinct, "at": [place[value] for value in values]},
        {"of": [value for value, _ in groups], "times": [n for _, n in groups]},
    )
    return min(forms, key=lambda form: len(json.dumps(form, separators=(",", ":"))))
