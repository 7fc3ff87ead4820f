"""What a fit is asked for on the command line, and its answer."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.laws.catalogue import form_named
from analysis.laws.fitting import Weights, fit
from analysis.laws.form import Form
from analysis.laws.heldout import GroupError, SizeStep, evaluate, rehearse, split
from analysis.laws.inference import Inference, infer
from analysis.laws.losses import parse_loss
from analysis.laws.sample import LawError, Sample
from analysis.laws.table import Table, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A fitted law with what was asked.

    Attributes:
        path: Of the file.
        digest: SHA-256 of the file.
        where: Condition on rows, or None.
        holdout: Condition on held-out rows, or None.
        columns: Role to column or expression.
        inference: The fit with its intervals.
        held_out: Errors a group; empty without --holdout.
        n_held_out: Rows.
        n_missing: Rows left out because a cell of a column used is empty.
        rehearsal: Training sizes predicted from smaller ones, where the law was asked for an unseen size.
    """

    path: str
    digest: str
    where: str | None
    holdout: str | None
    columns: dict[str, str]
    inference: Inference
    held_out: tuple[GroupError, ...]
    n_held_out: int
    n_missing: int
    rehearsal: tuple[SizeStep, ...]


def answer(options: argparse.Namespace) -> Answer:
    """Read, split, fit, infer, and only then look at held-out rows.

    Raises:
        LawError: what is wrong with the request, the option and the cure.
    """
    form = form_named(options.law)
    loss = parse_loss(options.loss, residual=options.residual)
    table = selected(read_table(Path(options.csv)), options.where)
    columns = _columns(form, options)
    table, n_missing = measured(table, columns, options)
    sample = sample_of(table, columns, options)
    held = None
    if options.holdout is not None:
        sample, held = split(sample, table.condition(options.holdout, "--holdout"))
    found = fit(form, sample, loss=loss, weights=Weights(options.weights), fixed=_fixed(options.fix))
    inference = infer(found, draws=options.draws)
    errors = evaluate(found, held) if held is not None else ()
    return Answer(
        path=options.csv,
        digest=table.digest,
        where=options.where,
        holdout=options.holdout,
        columns=columns,
        inference=inference,
        held_out=errors,
        rehearsal=rehearse(found) if any(item.trained == 0 for item in errors) else (),
        n_held_out=held.n_rows if held is not None else 0,
        n_missing=n_missing,
    )


def selected(table: Table, where: str | None) -> Table:
    """Rows of a condition.

    Raises:
        LawError: no row satisfies it.
    """
    if where is None:
        return table
    rows = table.condition(where, "--where")
    if not rows.any():
        raise LawError(f"--where {where!r} is true for none of {len(rows)} rows - check names and values")
    return table.take(rows)


def measured(table: Table, columns: dict[str, str], options: argparse.Namespace) -> tuple[Table, int]:
    """Rows without an empty cell in the columns used, and how many others there are.

    Raises:
        LawError: every row has one.
    """
    used = {f"--{role}": text for role, text in columns.items()}
    used |= {f"--{name}": text for name in ("group", "run", "sd") if (text := getattr(options, name)) is not None}
    empty = {option: np.asarray(table.values(text, option).isna(), dtype=np.bool_) for option, text in used.items()}
    missing = np.any(list(empty.values()), axis=0)
    if missing.all():
        worst = max(empty, key=lambda option: int(empty[option].sum()))
        raise LawError(f"every row has an empty cell, most in {worst} {used[worst]} - check the columns")
    return table.take(~missing), int(missing.sum())


def sample_of(table: Table, columns: dict[str, str], options: argparse.Namespace) -> Sample:
    """Arrays for the columns named."""
    roles = {role: table.numbers(text, f"--{role}") for role, text in columns.items() if role in ROLES}
    return Sample(
        columns=roles,
        y=table.numbers(columns["y"], "--y"),
        group=table.labels(options.group, "--group") if options.group else None,
        run=table.labels(options.run, "--run") if options.run else None,
        sd=table.numbers(options.sd, "--sd") if options.sd else None,
    )


ROLES = ("x", "n", "d", "unique", "tau")


def _columns(form: Form, options: argparse.Namespace) -> dict[str, str]:
    """Role to column text; the size of a law with a level a group is the group itself unless --n says otherwise."""
    given = {role: getattr(options, role) for role in ROLES}
    if form.level_per_group:
        if options.group is None:
            raise LawError(f"--law {form.name} has a level for every model size: name their column with --group")
        given["n"] = given["n"] or options.group
    missing = [f"--{role}" for role in form.roles if given[role] is None]
    if missing:
        raise LawError(f"--law {form.name} ({form.equation}) needs {' and '.join(missing)} - name the columns")
    unused = [f"--{role}" for role in ROLES if getattr(options, role) is not None and role not in form.roles]
    if unused:
        raise LawError(f"--law {form.name} ({form.equation}) has no {' and '.join(unused)} - leave it out")
    return {role: given[role] for role in form.roles} | {"y": options.y}


def _fixed(items: list[str]) -> dict[str, float]:
    found = {}
    for item in items:
        name, _, number = item.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise LawError(f"--fix {item!r} - write NAME=NUMBER, as in --fix R0=0.2") from None
        if not np.isfinite(found[name]):
            raise LawError(f"--fix {item!r} - the number must be finite")
    return found
