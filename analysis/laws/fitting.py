"""One law fitted to training rows. Held-out rows have no way in: they are another `Sample`, and `fit` takes one."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.laws.form import Form
from analysis.laws.levels import LevelRule, level_by, rules_for
from analysis.laws.losses import L2, Loss
from analysis.laws.problem import Problem, bind
from analysis.laws.sample import Floats, LawError, Sample
from analysis.laws.solver import best_fit


class Weights(StrEnum):
    """Weight of a row before `sd`."""

    equal = "equal"  # every row the same
    per_group = "per-group"  # every group the same total


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted law."""

    form: Form
    sample: Sample  # the training rows in the order used, repeats of a run's rows taken out
    n_repeats: int  # rows taken out because they repeat another row of their run
    loss: Loss
    weights: Weights  # how rows were weighted
    problem: Problem  # the form bound to the rows
    row_weights: Floats  # one a row, with sum n_rows
    fixed: Floats  # coordinates set by the user, NaN where free
    coordinates: Floats  # of the solver; `natural` are the reported parameters
    objective: float  # sum of row_weights * rho(residual); with equal weights the plain sum

    @property
    def natural(self) -> dict[str, float]:
        """Every parameter by name, also those the data do not identify: for predictions, not for print."""
        values = self.problem.to_natural(self.coordinates[None, :])[0]
        return dict(zip(self.problem.names, values.tolist(), strict=True))

    @property
    def n_free(self) -> int:
        """Parameters estimated."""
        return int(np.sum(~np.isfinite(self.fixed)))

    def predict(self, rows: Sample, *, rules: tuple[LevelRule, ...] | None = None) -> Floats:
        """Mean response for rows with the same columns; their `y` is not read.

        A group that the law has no level for gets one from the trained levels alone (`levels`), by the given rules or
        by the mean of all.
        """
        return np.asarray(self.predict_with(self.coordinates[None, :], rows, rules=rules)[0])

    def predict_with(self, coordinates: Floats, rows: Sample, *, rules: tuple[LevelRule, ...] | None = None) -> Floats:
        """The same for other coordinates (bootstrap draws): draws x rows."""
        columns = self.problem.columns_of(rows)
        found = self.problem.predict(coordinates, columns)
        unknown = columns.group < 0
        if self.form.level_per_group and unknown.any():
            sizes, rules = columns.values["n"][unknown], rules or rules_for(self.sample.y)
            levels = [level_by(rule, self.problem, coordinates, sizes) for rule in rules]
            found[:, unknown] *= 10.0 ** np.mean(levels, axis=0)
        return found


def fit(
    form: Form,
    training: Sample,
    *,
    loss: Loss = L2,
    weights: Weights = Weights.equal,
    fixed: Mapping[str, float] | None = None,
    keep_repeats: bool = False,
) -> Fit:
    """Fit a form to training rows; deterministic, and independent of the order of rows.

    Args:
        form: Of `catalogue`.
        training: All rows that any parameter may see.
        loss: What to minimise.
        weights: `sd` of the sample, where given, multiplies by 1 / sd^2.
        fixed: Parameters held at a value, by reported name (not the levels of groups).
        keep_repeats: Rows are whole runs, which may coincide by chance, not checkpoints, which do not.

    Raises:
        LawError: the rows cannot carry this form.
    """
    sample = (training if keep_repeats else training.distinct()).ordered()
    problem = bind(form, sample, loss)
    known = _fixed(problem, fixed or {})
    w = row_weights(sample, weights)
    coordinates, objective = best_fit(problem, sample.y, w, loss, known)
    if not np.isfinite(objective):
        raise LawError(f"{form.name} has no finite {loss.name} anywhere on these rows - take another --loss or --law")
    return Fit(
        form=form,
        sample=sample,
        n_repeats=training.n_rows - sample.n_rows,
        loss=loss,
        weights=weights,
        problem=problem,
        row_weights=w,
        fixed=known,
        coordinates=coordinates,
        objective=objective,
    )


def row_weights(sample: Sample, weights: Weights) -> Floats:
    """Weights with sum n_rows.

    Raises:
        LawError: a standard deviation is not positive.
    """
    w = np.ones(sample.n_rows)
    if sample.sd is not None:
        if not np.all(np.isfinite(sample.sd) & (sample.sd > 0)):
            raise LawError("--sd holds values that are not positive numbers - leave those rows out with --where")
        w = (sample.sd.min() / sample.sd) ** 2
    if weights is Weights.per_group:
        codes = sample.group_codes
        w = w / np.bincount(codes, weights=w)[codes]
    return np.asarray(w * (sample.n_rows / w.sum()))


def _fixed(problem: Problem, fixed: Mapping[str, float]) -> Floats:
    # A coordinate that is relative to a reference cannot be held by itself: it moves when references are taken out.
    probe = np.clip(np.full((1, problem.n_parameters), 0.5), problem.lower, problem.upper)
    moved = problem.without_reference(probe)
    own = np.isclose(moved, probe, rtol=1e-12, atol=1e-12)[0]
    allowed = [name for name, ours in zip(problem.names, own, strict=True) if ours]
    known = np.full(problem.n_parameters, np.nan)
    for name, value in fixed.items():
        if name not in allowed:
            raise LawError(f"--fix {name}: {problem.form.name} can hold {', '.join(allowed)} at a value")
        place = problem.names.index(name)
        log = bool(problem.scales[place])
        if log and not value > 0:
            raise LawError(f"--fix {name}={value:g}: {name} is a scale and must be positive")
        known[place] = np.log(value) if log else value
    return known
