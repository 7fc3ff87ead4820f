"""Rows as arrays: what a law is fitted to, and the rows kept from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeper.host.errors import SweeperError

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


class LawError(SweeperError):
    """A law cannot be fitted to these rows as asked; the message says which column and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows in the order given."""

    columns: Mapping[str, Floats]  # explanatory variables by role (`x`, `n`, `d`, `unique`, `tau`), n_rows each
    y: Floats  # the measured quantity: a loss, an error or a pass rate
    group: tuple[str, ...] | None = None  # label of each row's curve (a model size, an arm), or None for one curve
    # Label of each row's run within its group. None: each group is one run; without groups, rows are independent.
    run: tuple[str, ...] | None = None
    sd: Floats | None = None  # standard deviation of each row on the scale of the residual (log y for a log loss)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def groups(self) -> tuple[str, ...]:
        """Distinct groups, numeric labels by value; one empty label without groups."""
        return tuple(sorted(set(self.group), key=by_value)) if self.group is not None else ("",)

    @property
    def group_codes(self) -> Integers:
        """Index into `groups` of each row."""
        if self.group is None:
            return np.zeros(self.n_rows, dtype=np.intp)
        place = {label: i for i, label in enumerate(self.groups)}
        return np.array([place[label] for label in self.group], dtype=np.intp)

    @property
    def clusters(self) -> Integers | None:
        """Index of each row's run; None where rows are independent."""
        if self.run is None:
            return None if self.group is None else self.group_codes
        names = list(zip(self.group or [""] * self.n_rows, self.run, strict=True))
        place = {name: i for i, name in enumerate(sorted(set(names)))}
        return np.array([place[name] for name in names], dtype=np.intp)

    @property
    def runs(self) -> list[Integers]:
        """Clusters of each group; empty where rows are independent."""
        clusters, codes = self.clusters, self.group_codes
        return [] if clusters is None else [np.unique(clusters[codes == i]) for i in range(len(self.groups))]

    def take(self, rows: NDArray[np.bool_] | Integers) -> "Sample":
        """The rows of a mask or of indices, in that order."""
        index: Integers = np.arange(self.n_rows)[rows]
        return Sample(
            columns={role: values[index] for role, values in self.columns.items()},
            y=self.y[index],
            group=_pick(self.group, index),
            run=_pick(self.run, index),
            sd=None if self.sd is None else self.sd[index],
        )

    @property
    def n_different(self) -> int:
        """Rows that differ in any value."""
        return len(np.unique(np.column_stack([self.y, *self.columns.values()]), axis=0))

    def ordered(self) -> "Sample":
        """Rows by group, run and explanatory variables: a fit must not depend on the order of a file."""
        keys: list[NDArray[np.generic]] = [self.y, *reversed(list(self.columns.values()))]
        clusters = self.clusters
        keys += [] if clusters is None else [clusters]
        return self.take(np.lexsort([*keys, self.group_codes]))

    def distinct(self) -> "Sample":
        """Without rows that repeat another row of the same run in every value: a copy is not a measurement.

        Independent rows are left alone: two equal measurements may both be real.
        """
        clusters = self.clusters
        if clusters is None:
            return self
        table = np.column_stack([clusters, self.y, *self.columns.values()])
        _, first = np.unique(table, axis=0, return_index=True)
        return self if len(first) == self.n_rows else self.take(np.sort(first))


def by_value(label: str) -> tuple[float, str]:
    """Sort key: numbers by value, then names."""
    try:
        return float(label), label
    except ValueError:
        return float("inf"), label


def _pick(labels: Sequence[str] | None, index: Integers) -> tuple[str, ...] | None:
    return None if labels is None else tuple(labels[i] for i in index)
