"""A form bound to training rows: bounds, coordinates of the solver, residuals with their derivatives.

The solver's coordinates are [theta (ln theta where it is a scale), beta, level of each group], with powers of columns
taken relative to their geometric mean: condition numbers stay small and units do not matter. `natural` coordinates are
the same without the reference, the parameters people report.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.laws.form import LN10, Columns, Form
from analysis.laws.losses import Loss
from analysis.laws.sample import Floats, LawError, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything but the responses and weights; arrays have draws as their first axis."""

    form: Form
    columns: Columns
    groups: tuple[str, ...]
    log: bool  # residuals of ln y
    lower: Floats  # bounds in the solver's coordinates
    upper: Floats

    @property
    def n_theta(self) -> int:
        """Non-linear parameters."""
        return len(self.form.theta)

    @property
    def n_parameters(self) -> int:
        """All coordinates."""
        return len(self.lower)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the coordinates, as reported."""
        names = tuple(item.name for item in self.form.parameters)
        return (*names, *(f"E[{name}]" for name in self.groups)) if self.form.level_per_group else names

    @property
    def scales(self) -> NDArray[np.bool_]:
        """Which coordinates are logarithms of the reported parameter."""
        logs = [item.log for item in self.form.parameters]
        return np.array(logs + [False] * (self.n_parameters - len(logs)))

    def columns_of(self, rows: Sample) -> Columns:
        """Columns of rows whose groups may be unknown to the law."""
        return _columns(self.form, rows, self.groups, self.columns.reference)

    def theta_of(self, coordinates: Floats) -> Floats:
        """Non-linear parameters in natural units."""
        theta = coordinates[:, : self.n_theta].copy()
        for j, item in enumerate(self.form.theta):
            if item.log:
                theta[:, j] = np.exp(theta[:, j])
        return theta

    def design(self, theta: Floats, columns: Columns | None = None) -> Floats:
        """Basis with the levels of groups: draws x rows x n_beta."""
        columns = columns or self.columns
        basis = self.form.basis(theta, columns)
        if not self.form.level_per_group:
            return basis
        own = (columns.group[:, None] == np.arange(columns.n_groups)[None, :]).astype(np.float64)
        return np.concatenate([basis, np.broadcast_to(own, (len(theta), *own.shape))], axis=2)

    def predict(self, coordinates: Floats, columns: Columns | None = None) -> Floats:
        """Mean response: draws x rows."""
        beta = coordinates[:, self.n_theta :]
        eta = np.einsum("bnq,bq->bn", self.design(self.theta_of(coordinates), columns), beta)
        return np.asarray(10.0**eta if self.form.log10 else eta)

    def linearise(self, coordinates: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Residuals (draws x rows) and the derivative of the fitted value (draws x rows x coordinates).

        Residuals are infinite where ln of the fitted value does not exist.
        """
        theta, beta = self.theta_of(coordinates), coordinates[:, self.n_theta :]
        design = self.design(theta)
        eta = np.matmul(design, beta[:, :, None])[:, :, 0]
        slopes = self.form.slopes(theta, beta, self.columns)
        for j, item in enumerate(self.form.theta):
            if item.log:
                slopes[:, :, j] *= theta[:, j, None]
        jacobian = np.concatenate([slopes, design], axis=2)
        if self.form.log10:
            if self.log:
                return np.log(y) - LN10 * eta, LN10 * jacobian
            fitted = np.exp(LN10 * np.minimum(eta, 300.0))
            jacobian *= (LN10 * fitted)[:, :, None]
            return y - fitted, jacobian
        if not self.log:
            return y - eta, jacobian
        safe = np.where(eta > 0, eta, np.nan)
        jacobian = np.nan_to_num(jacobian / safe[:, :, None])
        return np.nan_to_num(np.log(y) - np.log(safe), nan=np.inf), jacobian

    def to_natural(self, coordinates: Floats) -> Floats:
        """Reported parameters: draws x parameters."""
        theta = self.theta_of(coordinates)
        beta = self.form.shift(theta, coordinates[:, self.n_theta :], self.columns, 1)
        return np.concatenate([theta, beta], axis=1)

    def unscaled(self) -> "Problem":
        """The same problem with references of 1: its coordinates are the natural ones (logarithms of scales)."""
        return replace(self, columns=replace(self.columns, reference=dict.fromkeys(self.columns.reference, 1.0)))

    def without_reference(self, coordinates: Floats) -> Floats:
        """Coordinates of `unscaled` for coordinates of this problem."""
        natural = self.to_natural(coordinates)
        scales = self.scales
        natural[:, scales] = np.log(natural[:, scales])
        return natural

    def with_reference(self, natural: Floats) -> Floats:
        """The inverse of `without_reference`."""
        theta, beta = self.theta_of(natural), natural[:, self.n_theta :]
        return np.concatenate([natural[:, : self.n_theta], self.form.shift(theta, beta, self.columns, -1)], axis=1)


def _columns(form: Form, sample: Sample, groups: tuple[str, ...], reference: Mapping[str, float]) -> Columns:
    place = {label: i for i, label in enumerate(groups)}
    labels = sample.group if sample.group is not None else ("",) * sample.n_rows
    return Columns(
        values={role: sample.columns[role] for role in form.roles},
        reference=reference,
        group=np.array([place.get(label, -1) for label in labels], dtype=np.intp),
        n_groups=len(groups),
    )


def bind(form: Form, sample: Sample, loss: Loss) -> Problem:
    """A problem for training rows.

    Raises:
        LawError: a column holds values the form or the loss has no meaning for.
    """
    _check(form, sample, loss)
    reference = {role: float(np.exp(np.mean(np.log(sample.columns[role])))) for role in form.roles}
    columns = _columns(form, sample, sample.groups, reference)
    bounds = [item.bounds(columns, sample.y) if callable(item.bounds) else item.bounds for item in form.parameters]
    if form.level_per_group:
        bounds += [(-np.inf, np.inf)] * len(sample.groups)
    table = np.array(bounds, dtype=np.float64)
    scales = [j for j, item in enumerate(form.parameters) if item.log]
    table[scales] = np.log(table[scales])
    return Problem(form=form, columns=columns, groups=sample.groups, log=loss.log, lower=table[:, 0], upper=table[:, 1])


def _check(form: Form, sample: Sample, loss: Loss) -> None:
    for role in form.roles:
        values = sample.columns[role]
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if len(bad):
            raise LawError(
                f"{len(bad)} of {len(values)} rows have a --{role} that is not a positive number (first: "
                f"{values[bad[0]]}) - leave them out with --where"
            )
    few = sample.columns["tau"] < 1 if "tau" in form.roles else np.zeros(0, dtype=np.bool_)
    if few.any():
        raise LawError(
            f"{int(few.sum())} of {len(few)} rows have --tau below 1 (first: {sample.columns['tau'][few][0]:g}) - tau "
            "counts how often each sample is seen, the first time included; --unique counts those seen at all"
        )
    bad = np.flatnonzero(~np.isfinite(sample.y))
    if len(bad):
        raise LawError(f"{len(bad)} of {sample.n_rows} rows have no finite --y - leave them out with --where")
    if sample.n_rows > 1 and np.ptp(sample.y) == 0:
        raise LawError(
            f"all {sample.n_rows} training rows have the same y, {sample.y[0]:g} - nothing changes, so nothing to fit"
        )
    if (loss.log or form.log10) and np.any(sample.y <= 0):
        raise LawError(
            f"{int(np.sum(sample.y <= 0))} rows have --y <= 0 (smallest: {sample.y.min():g}), whose logarithm does not "
            f"exist - {form.name} with --loss {loss.name} needs positive values: leave them out with --where, fit "
            "1 - y, or take --residual linear with another law"
        )
    needed = len(form.parameters) + (len(sample.groups) if form.level_per_group else 0)
    if sample.n_rows <= needed:
        raise LawError(
            f"{sample.n_rows} training rows for {needed} parameters of {form.name} - add rows, or take a law with "
            "fewer parameters (power has 2)"
        )
    if form.level_per_group:
        sizes = [np.unique(sample.columns["n"][sample.group_codes == i]) for i in range(len(sample.groups))]
        if any(len(size) != 1 for size in sizes) or len(sizes) < 3:
            raise LawError(
                f"{form.name} needs at least three groups with one model size each, found {len(sizes)} groups - name "
                "the column of model sizes with --group"
            )
