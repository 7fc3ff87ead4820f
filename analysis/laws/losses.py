"""What a fit minimises: squares, Huber or absolute deviations of y or of ln y.

Published laws differ here more than in their equations. arXiv 2509.25300 minimises squares of L (not of log L);
Hoffmann et al. (2203.15556) Huber with delta 1e-3 on ln L; the table of Besiroglu et al. (2404.10102) is least
absolute deviations on ln L although its text says Huber. Hence every kind is offered, and none is "the" loss.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.laws.sample import Floats, LawError


class Kind(StrEnum):
    """How a residual counts."""

    squares = "squares"
    huber = "huber"
    absolute = "absolute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Sum over rows of weight * rho(residual).

    rho is r^2, Huber's (r^2/2 within delta, delta (|r| - delta/2) beyond) or |r|; the residual is of y or of ln y.
    """

    name: str
    kind: Kind
    log: bool
    delta: float = 0.0

    def rho(self, r: Floats) -> Floats:
        """Contribution of each residual."""
        if self.kind is Kind.squares:
            return r * r
        size = np.abs(r)
        if self.kind is Kind.absolute:
            return size
        return np.where(size <= self.delta, 0.5 * r * r, self.delta * (size - 0.5 * self.delta))

    def slope(self, r: Floats) -> Floats:
        """Derivative of rho."""
        if self.kind is Kind.squares:
            return 2.0 * r
        if self.kind is Kind.absolute:
            return np.sign(r)
        return np.clip(r, -self.delta, self.delta)

    def curvature(self, r: Floats, *, newton: bool) -> Floats:
        """Weight of a row in the normal equations: slope / r, or the second derivative (`newton`)."""
        if self.kind is Kind.squares:
            return np.full_like(r, 2.0)
        if self.kind is Kind.absolute:
            raise ValueError("absolute deviations have no curvature: solve a Huber sequence instead")
        if newton:
            return (np.abs(r) <= self.delta).astype(np.float64)
        return np.minimum(1.0, self.delta / np.maximum(np.abs(r), 1e-300))


L2 = Loss(name="l2", kind=Kind.squares, log=False)
LOG_L2 = Loss(name="log-l2", kind=Kind.squares, log=True)


def parse_loss(text: str, *, residual: str | None = None) -> Loss:
    """A loss from `l2`, `log-l2`, `huber:DELTA` or `lad`.

    Args:
        text: As on the command line.
        residual: `log` or `linear` instead of the loss's own scale (l2: y; the others: ln y).

    Raises:
        LawError: the text is none of these.
    """
    name, _, number = text.partition(":")
    log = name != "l2" if residual is None else residual == "log"
    if text in ("l2", "log-l2"):
        return LOG_L2 if log else L2
    if text == "lad":
        return Loss(name=text, kind=Kind.absolute, log=log)
    try:
        delta = float(number) if name == "huber" else 0.0
    except ValueError:
        delta = 0.0
    if not 0 < delta < float("inf"):
        raise LawError(f"--loss is {text!r} - use l2, log-l2, lad or huber:DELTA with DELTA > 0, as in huber:1e-3")
    return Loss(name=text, kind=Kind.huber, log=log, delta=delta)
