"""What `fit CSV` and `rank CSV` are asked for on the command line, and their answers as JSON values."""

import argparse
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from analysis.laws.catalogue import form_named
from analysis.laws.estimate import Estimate
from analysis.laws.fitting import Weights, fit
from analysis.laws.form import Form
from analysis.laws.heldout import LEAKY, GroupError, evaluate, rehearse, split
from analysis.laws.inference import infer
from analysis.laws.losses import parse_loss
from analysis.laws.ranking import ORIGINS, rank
from analysis.laws.sample import LawError, Sample
from analysis.laws.table import Table, read_table

ROLES = ("x", "n", "d", "unique", "tau")
OTHER_ROWS = re.compile(r"\bover\s*[(\w]|\bselect\b", re.IGNORECASE)
Json = dict[str, Any]


def answer(options: argparse.Namespace) -> Json:
    """Read, split, fit, infer, and only then look at held-out rows.

    Raises:
        LawError: what is wrong with the request, the option and the cure.
    """
    form = form_named(options.law)
    loss = parse_loss(options.loss, residual=options.residual)
    if options.weights == Weights.per_group and options.group is None:
        raise LawError("--weights per-group: there are no groups - name their column with --group")
    table = _selected(read_table(Path(options.csv)), options.where)
    columns = _columns(form, options)
    if options.holdout is not None:
        _refuse_other_rows(columns, options, table)
    table, n_missing = _measured(table, columns, options)
    sample = _sample(table, columns, options)
    held = None
    if options.holdout is not None:
        sample, held = split(sample, table.condition(options.holdout, "--holdout"))
    found = fit(form, sample, loss=loss, weights=Weights(options.weights), fixed=_fixed(options.fix))
    inference = infer(found, draws=options.draws)
    errors = evaluate(found, held) if held is not None else ()
    sample = found.sample
    return {
        "law": form.name,
        "equation": form.equation,
        "source": form.source,
        "loss": loss.name,
        "residual": "log" if loss.log else "linear",
        "weights": str(found.weights),
        "columns": columns,
        "n": sample.n_rows,
        "n_held_out": held.n_rows if held is not None else 0,
        "n_missing": n_missing,
        "groups": {label: int((sample.group_codes == i).sum()) for i, label in enumerate(sample.groups)},
        "parameters": {item.name: _estimate(item) for item in inference.estimates},
        "interval": inference.method,
        "objective": found.objective,
        "objective_mean": found.objective / float(found.row_weights.sum()),
        "held_out": [_group(item) for item in errors],
        "rehearsal": [asdict(item) for item in rehearse(found)] if any(item.trained == 0 for item in errors) else [],
        "flags": [*table.said, *inference.flags],
        "file": options.csv,
        "sha256": table.digest,
        "where": options.where,
        "holdout": options.holdout,
    }


def ranking(options: argparse.Namespace) -> Json:
    """Forms of one curve, best first.

    Raises:
        LawError: as `answer`.
    """
    table = _selected(read_table(Path(options.csv)), options.where)
    columns = {"x": options.x, "y": options.y}
    sample = _sample(_measured(table, columns, options)[0], columns, options)
    ranked = rank(sample, loss=parse_loss(options.loss, residual=options.residual))
    return {"origins": list(ORIGINS), "forms": [asdict(item) for item in ranked], "flags": list(table.said)}


def _estimate(item: Estimate) -> Json:
    """A parameter; one that is no number has the value null and a reason."""
    ends = [{"low": i.low, "high": i.high, "method": i.method} for i in (item.interval, *item.others) if i]
    none = dict.fromkeys(("low", "high", "method"))
    return {
        "value": item.value,
        **(ends[0] if item.interval else none),
        "unit": item.unit,
        "status": str(item.status),
        "reason": item.reason,
        "other_intervals": ends[1:],
    }


def _group(item: GroupError) -> Json:
    return {
        "group": item.group,
        "n": item.n,
        "n_trained": item.trained,
        **asdict(item.error),
        "last_value_mae": item.last_value,
        "mae_by_level_rule": {rule.name: mae for rule, mae in item.by_rule.items()},
        "level_tuned_on_held_out": asdict(item.level_tuned) | {"note": LEAKY} if item.level_tuned else None,
    }


def _selected(table: Table, where: str | None) -> Table:
    if where is None:
        return table
    rows = table.condition(where, "--where")
    if not rows.any():
        raise LawError(f"--where {where!r} is true for none of {len(rows)} rows - check names and values")
    return table.take(rows)


def _measured(table: Table, columns: dict[str, str], options: argparse.Namespace) -> tuple[Table, int]:
    """Rows without an empty cell in the columns used, and how many others there are."""
    used = {f"--{role}": text for role, text in columns.items()}
    used |= {f"--{name}": text for name in ("group", "run", "sd") if (text := getattr(options, name, None)) is not None}
    empty = {option: np.asarray(table.values(text, option).isna(), dtype=np.bool_) for option, text in used.items()}
    missing = np.any(list(empty.values()), axis=0)
    if missing.all():
        worst = max(empty, key=lambda option: int(empty[option].sum()))
        raise LawError(f"every row has an empty cell, most in {worst} {used[worst]} - check the columns")
    return table.take(~missing), int(missing.sum())


def _sample(table: Table, columns: dict[str, str], options: argparse.Namespace) -> Sample:
    roles = {role: table.numbers(text, f"--{role}") for role, text in columns.items() if role in ROLES}
    return Sample(
        columns=roles,
        y=table.numbers(columns["y"], "--y"),
        group=table.labels(options.group, "--group") if options.group else None,
        run=table.labels(options.run, "--run") if options.run else None,
        sd=table.numbers(options.sd, "--sd") if getattr(options, "sd", None) else None,
    )


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


def _refuse_other_rows(columns: dict[str, str], options: argparse.Namespace, table: Table) -> None:
    """Refuse expressions that look beyond their own row: held-out rows would enter training."""
    given = {f"--{role}": text for role, text in columns.items()}
    given |= {f"--{name}": text for name in ("group", "run", "sd") if (text := getattr(options, name)) is not None}
    for option, text in given.items():
        if text not in table.frame.columns and OTHER_ROWS.search(text):
            raise LawError(
                f"{option} {text!r} looks at other rows (a window or a subquery), and with --holdout those may be held "
                "out - write the column into the file, or leave --holdout out"
            )


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
