"""The measured counts of one group of problems.

The problem is the unit of every interval. A problem that occurs in several lines of one group (seeds, repeated
measurements, a file concatenated with itself) has several replicates: its pass@k is their mean, never pooled, so
repeating lines changes neither a value nor the width of an interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from analysis.passk.estimator import pass_at_k_values
from sweeper.host.errors import ResultsError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Lines of counts, sorted by problem; `problem` numbers the problem of each line 0, 1, 2, ..."""

    problem_ids: tuple[str, ...]
    problem: Ints
    n: Ints
    c: Ints

    @classmethod
    def of(cls, lines: Iterable[tuple[str, int, int]]) -> "Sample":
        """From (problem id, samples, correct ones), in any order.

        Raises:
            ResultsError: there is no line, or one has c outside [0, n] or n < 1.
        """
        found = sorted(lines)
        if not found:
            raise ResultsError("no problem was counted: the group is empty")
        for name, n, c in found:
            if n < 1 or not 0 <= c <= n:
                raise ResultsError(f"problem {name} has n={n}, c={c}: needs n >= 1 and 0 <= c <= n; correct the counts")
        ids = tuple(name for name, _ in groupby(found, key=lambda line: line[0]))
        numbers = {name: i for i, name in enumerate(ids)}
        return cls(
            problem_ids=ids,
            problem=np.array([numbers[name] for name, _, _ in found], dtype=np.int64),
            n=np.array([n for _, n, _ in found], dtype=np.int64),
            c=np.array([c for _, _, c in found], dtype=np.int64),
        )

    @property
    def n_problems(self) -> int:
        """Different problems."""
        return len(self.problem_ids)

    @cached_property
    def replicates(self) -> Ints:
        """Lines of each problem."""
        return np.bincount(self.problem, minlength=self.n_problems).astype(np.int64)

    def mean_over_lines(self, values: Floats) -> Floats:
        """One value per problem from one per line."""
        return np.bincount(self.problem, weights=values, minlength=self.n_problems) / self.replicates

    def per_problem(self, k: int) -> Floats:
        """pass@k of every problem; NaN where a line of it has n < k."""
        return self.mean_over_lines(pass_at_k_values(self.n, self.c, k))

    def matrix(self, ks: Sequence[int]) -> Floats:
        """pass@k, problems x ks."""
        return np.column_stack([self.per_problem(k) for k in ks])

    def undefined(self, k: int) -> str | None:
        """Why pass@k of this group is undefined, or None if it is defined."""
        short = int((np.bincount(self.problem, weights=self.n < k, minlength=self.n_problems) > 0).sum())
        if not short:
            return None
        return (
            f"k={k} is more than the samples of {short} of {self.n_problems} problems (fewest n={self.n.min()}); "
            "undefined, never 1"
        )

    @property
    def lines(self) -> list[tuple[str, int, int]]:
        """(problem id, samples, correct ones) of each line."""
        names = [self.problem_ids[i] for i in self.problem]
        return list(zip(names, self.n.tolist(), self.c.tolist(), strict=True))

    def keep(self, ids: Sequence[str]) -> "Sample":
        """Only the given problems."""
        wanted = set(ids)
        return Sample.of(line for line in self.lines if line[0] in wanted)


def shared(groups: Mapping[str, Sample]) -> bool:
    """Whether any problem is in more than one group: then the groups cannot be put together as one suite."""
    ids = [name for sample in groups.values() for name in sample.problem_ids]
    return len(set(ids)) < len(ids)
