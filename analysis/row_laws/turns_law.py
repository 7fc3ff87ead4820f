"""A law of size, turns and compute for agents: error = A N^-alpha T^-beta C^-gamma, and whether it predicts.

The error is 1 - acc@T of a run: an answer is right if it was given within T turns. The law is fitted twice without what
it is asked for, the largest size and the most turns, and compared with the last value: that of the next smaller size at
the same turns, of the same size at the next fewer. It is given only where it is closer both times. Compute is a factor
of its own only where it does not move together with size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.laws.catalogue import POWER_ND, POWER_NDX
from analysis.laws.fitting import Fit, fit
from analysis.laws.heldout import evaluate
from analysis.laws.inference import infer
from analysis.laws.losses import LOG_L2
from analysis.laws.sample import Floats, LawError, Sample
from analysis.passk.estimate import NONE, Estimate
from analysis.row_laws.final import CONFOUNDED

FEWEST = 3  # sizes, and numbers of turns: two of each are left when one is held out
SIZE, TURNS = "the largest size", "the most turns"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsPoint:
    """What one run gave within some turns."""

    model: str  # whose rows move together
    size: int  # parameters without embedding
    turns: int
    flops: float | None  # of training; None: not counted
    error: float  # 1 - acc@turns


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What a law that never saw them says of some points."""

    what: str  # SIZE | TURNS
    at: int  # parameters, or turns
    n_fitted: int
    law_mae: float
    last_value_mae: float

    @property
    def is_closer(self) -> bool:
        """Whether the law is closer than the last value."""
        return self.law_mae < self.last_value_mae


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsLaw:
    """A fitted law.

    Attributes:
        held_out: Of the largest size and of the most turns.
        exponents: By what they are of: size, turns, compute; each with its 95% interval over base models.
        with_compute: Whether compute is a factor of its own; otherwise it moves with size, or was not counted.
    """

    held_out: tuple[HeldOut, HeldOut]
    exponents: dict[str, Estimate]
    with_compute: bool

    @property
    def predicts(self) -> bool:
        """Whether it is closer than the last value both times: only then it is worth its exponents."""
        return all(item.is_closer for item in self.held_out)


def turns_law(points: Sequence[TurnsPoint]) -> TurnsLaw | str:
    """Fit it, or say why these points do not carry it; their order does not matter."""
    rows = sorted(points, key=lambda item: (item.size, item.turns, item.model, item.error))
    sizes, turns = ({getattr(item, name) for item in rows} for name in ("size", "turns"))
    if len(sizes) < FEWEST or len(turns) < FEWEST:
        return (
            f"{len(sizes)} sizes and {len(turns)} numbers of turns: a law of both, with one of each held out, needs "
            f"{FEWEST} of either"
        )
    with_compute = _is_apart(rows)
    try:
        held = (_held(rows, SIZE, max(sizes), with_compute), _held(rows, TURNS, max(turns), with_compute))
        law = _fitted(_rows(rows, with_compute))
    except LawError as error:
        return str(error)
    names = {"alpha": "size", "beta": "turns", "gamma": "compute"}
    found = {item.name: item for item in infer(law, draws=0).estimates}
    exponents = {
        words: NONE
        if (item := found[name]).value is None
        else Estimate(item.value, *((item.interval.low, item.interval.high) if item.interval else (None, None)))
        for name, words in names.items()
        if name in found
    }
    return TurnsLaw(held_out=held, exponents=exponents, with_compute=with_compute)


def _is_apart(rows: Sequence[TurnsPoint]) -> bool:
    """Whether compute says something that size does not."""
    flops = [item.flops for item in rows]
    known = [value for value in flops if value]
    if len(known) < len(rows) or len(set(known)) < 2:
        return False
    both = np.log(np.array([known, [float(item.size) for item in rows]]))
    return abs(float(np.corrcoef(both)[0, 1])) < CONFOUNDED


def _held(rows: Sequence[TurnsPoint], what: str, at: int, with_compute: bool) -> HeldOut:
    """Curves over what is held out, size or turns: the last value of a curve is the baseline."""
    along = "size" if what == SIZE else "turns"
    rest, held = ([item for item in rows if (getattr(item, along) == at) is side] for side in (False, True))
    curves = evaluate(_fitted(_curves(rest, along)), _curves(held, along))
    errors = evaluate(_fitted(_rows(rest, with_compute)), _rows(held, with_compute)) if with_compute else curves
    return HeldOut(
        what=what,
        at=at,
        n_fitted=len(rest),
        law_mae=math.fsum(item.n * item.error.mae for item in errors) / len(held),
        last_value_mae=math.fsum(item.n * item.last_value for item in curves) / len(held),
    )


def _fitted(sample: Sample) -> Fit:
    return fit(POWER_NDX if "x" in sample.columns else POWER_ND, sample, loss=LOG_L2, keep_repeats=True)


def _curves(rows: Sequence[TurnsPoint], along: str) -> Sample:
    """A curve a number of turns, over sizes, or a curve a size, over turns: a product of powers minds no order."""
    across = "turns" if along == "size" else "size"
    columns = {"n": _column(rows, across), "d": _column(rows, along)}
    group = tuple(str(getattr(item, across)) for item in rows)
    return Sample(columns=columns, y=_column(rows, "error"), group=group)


def _rows(rows: Sequence[TurnsPoint], with_compute: bool) -> Sample:
    """Rows without curves; those of one base model are no independent points."""
    columns = {"n": _column(rows, "size"), "d": _column(rows, "turns")}
    columns |= {"x": _column(rows, "flops")} if with_compute else {}
    return Sample(columns=columns, y=_column(rows, "error"), run=tuple(item.model for item in rows))


def _column(rows: Sequence[TurnsPoint], name: str) -> Floats:
    return np.array([float(getattr(item, name)) for item in rows])
