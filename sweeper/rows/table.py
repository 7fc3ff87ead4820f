"""The results table: one flat record a run, printed, exported or queried."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from sweeper.host.errors import ResultsError
from sweeper.host.printed_table import WIDE, Room, paragraph, printed
from sweeper.rows.after_steps import after_steps, along_note
from sweeper.rows.agent_columns import NAMES as OF_AGENTS
from sweeper.rows.agent_columns import PRINTED, agent_columns
from sweeper.rows.closed_query import MOST_ROWS, NoSelectError, QueryError, answered
from sweeper.rows.differences import INSTEAD, between_rows, setting
from sweeper.rows.flops import axis_note
from sweeper.rows.late_columns import NAMES as OF_LATE
from sweeper.rows.late_columns import any_late, late_columns, late_note
from sweeper.rows.money import Money
from sweeper.rows.row import Flops, ResultRow
from sweeper.rows.spreadsheet import shown
from sweeper.spec.agent import NONE
from sweeper.spec.run_id import handles

Record = dict[str, Any]
Costs = Mapping[str, Money]  # of runs that have a price, by run id
# Fields of a row that are columns.
_AS_THEY_ARE = (
    *("run_id", "status", "model", "n_params", "n_params_non_embedding", "n_params_active", "n_params_head"),
    *("algorithm", "domain_mix", "data_scale", "n_unique", "problems_seen", "n_sft", "reuse", "curriculum"),
    *("rollout_n", "lora_rank", "kl_loss_coef", "kl_reward_coef", "seed", "steps", "train_samples"),
    *("lost_samples", "train_tokens"),
)
_LEAST_READ = (
    *("observed", "generated", "errors", "answered", "seconds", "FLOPs", "params", "curriculum", "mix", "pass@128"),
    *("pass@8", "steps", "seen", "algorithm"),
)
_SETTINGS_TOO = 'a setting is a column by its dotted key in double quotes, "training.actor_lr", where a row tells it'
TRACKED = "row/json"  # what trackers call a row without its curve, beside `row/<column>`: they have the curve


def record(row: ResultRow) -> Record:
    """A row as flat columns; what was not measured is None.

    `base_pass@k`/`pass@k` are over all problems, `pass@1_<domain>` per domain; `gain` is trained minus base pass@1.
    A row with an agent has `agent_columns` too, one with a verdict that was late `late_columns`.
    """
    flat: Record = {
        **{name: getattr(row, name) for name in _AS_THEY_ARE},
        "status": str(row.status),
        "flops": row.flops.total if row.flops else None,
        **_ledger(row.flops),
        "gpu_seconds": row.gpu_seconds,
        "total_s": row.timing.total_s if row.timing else None,
    }
    base, trained = row.score(base=True), row.score()
    for prefix, score in (("base_", base), ("", trained)):
        flat[f"{prefix}pass@1"] = None  # a column, whether or not any run was evaluated
        for point in score.pass_at_k if score else ():
            flat[f"{prefix}pass@{point.k}"] = point.value
    first, last = flat.get("base_pass@1"), flat.get("pass@1")
    flat["gain"] = None if first is None or last is None else last - first
    for score in row.trained:
        if score.domain != "all":
            flat[f"pass@1_{score.domain}"] = score.at(1)
    flat |= after_steps(row)
    kind = row.failure.failure_class if row.failure else None
    flat["failure_class"] = None if kind is None else str(kind)
    flat["reason"] = row.failure.reason if row.failure else None
    flat["imported"] = row.imported.kind if row.imported else None
    flat["evidence"] = row.failure.evidence if row.failure else None
    return flat | agent_columns(row) | (late_columns(row) if any_late(row) else {})


def _ledger(flops: Flops | None) -> Record:
    """The phases behind `flops`, the other ways of counting, and the tokens they are counted from."""
    phases = ("generation", "log_prob", "reference", "actor", "critic", "fine_tuning", "evaluation", "validation")
    names = {f"flops_{name}": name for name in (*phases, "recomputed")}
    names |= {"flops_6nt": "published_6nt", "prompt_tokens": "prompt_tokens", "response_tokens": "response_tokens"}
    names |= {"flops_accounting": "accounting"}
    return {column: getattr(flops, name) if flops else None for column, name in names.items()}


def records(rows: Sequence[ResultRow], costs: Costs | None = None) -> list[Record]:
    """The rows as flat columns, with a column for every setting in which they differ, by its dotted key.

    Where any row has an agent, all have its columns, and where any has a late verdict those of late verdicts.
    """
    found = [record(row) for row in rows]
    if any(map(any_late, rows)):
        found = [flat | late_columns(row) for flat, row in zip(found, rows, strict=True)]
    acting = dict.fromkeys(name for row in rows for name in agent_columns(row))
    for flat in found if acting else ():
        flat |= {name: flat.get(name) for name in acting}
    for flat in found if costs else ():
        money = (costs or {}).get(flat["run_id"])
        flat |= {"cost": money.amount if money else None, "currency": money.currency if money else None}
    for difference in between_rows(rows):
        for flat, value in zip(found, difference.columns, strict=True):
            flat[difference.key] = value
    return found


def columns(records: Sequence[Record]) -> list[str]:
    """All columns that occur, in order of first appearance; of no records those that every row has."""
    if not records:
        unknown: dict[str, Any] = dict.fromkeys(item.name for item in fields(ResultRow))
        return list(record(ResultRow(**unknown | {"base": (), "trained": (), "along": (), "curve": ()})))
    return list(dict.fromkeys(name for item in records for name in item))


def text(rows: Sequence[ResultRow], room: Room = WIDE, costs: Costs | None = None) -> str:
    """The table people read: one line per run, sorted by size, data and seed; what never varies may be left out."""
    own, lines, acting = between_rows(rows), [], any(row.agent for row in rows)
    short = {} if room.ids else handles(row.run_id for row in rows)

    def order(number: int) -> tuple[Any, ...]:
        return *_rank(rows[number]), *(item.place(number) for item in own), rows[number].seed

    for i in sorted(range(len(rows)), key=order):
        row, flat = rows[i], record(rows[i])
        ks = [k for k in (8, 128) if flat.get(f"pass@{k}") is not None]
        lines.append(
            {
                "run": short.get(row.run_id, row.run_id),
                "model": row.model,
                "params": row.n_params,
                "algorithm": row.algorithm,
                "mix": row.domain_mix,
                "curriculum": row.curriculum,
                "agent": row.agent or (NONE if acting else None),
                "rollouts": row.rollout_n,
                "LoRA": row.lora_rank,
                "KL loss": _coefficient(row.kl_loss_coef),
                "KL reward": _coefficient(row.kl_reward_coef),
                "SFT": row.n_sft,
                **{item.name: None if item.values[i] is None else item.texts[i] for item in own},
                "unique": row.n_unique,
                "seen": row.problems_seen,
                "seed": row.seed,
                "steps": row.steps,
                "base pass@1": flat.get("base_pass@1"),
                "pass@1": flat.get("pass@1"),
                "gain": flat["gain"],
                **{f"pass@{k}": flat[f"pass@{k}"] for k in ks},
                **{head: _per_trajectory(flat.get(name)) for name, head in (PRINTED.items() if acting else ())},
                "FLOPs": None if flat["flops"] is None else f"{flat['flops']:.1e}",
                **_cost_column(row, costs),
                "seconds": None if flat["total_s"] is None else round(flat["total_s"]),
                "status": str(row.status) if flat["failure_class"] is None else f"failed: {flat['failure_class']}",
            }
        )
    for name in ("mix", "curriculum", "agent", "rollouts", "LoRA", "KL loss", "KL reward", "SFT"):
        if len({line[name] for line in lines}) == 1:  # says nothing about differences, and the table is wide already
            for line in lines:
                del line[name]
    may_be = ("algorithm", "unique", "seen", "seed", "steps", "status")
    alike = tuple(name for name in may_be if len({line[name] for line in lines}) == 1)
    shown_table = printed(lines, room, drop=(*_LEAST_READ, *alike), form=".3f", cut_start="run")
    accountings = {row.flops.accounting for row in rows if row.flops}
    notes = [*([axis_note(accountings)] if accountings else []), *_losses(rows), *late_note(rows), *along_note(rows)]
    return "\n".join([shown_table, *(paragraph(note, room) for note in notes)])


def _per_trajectory(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _cost_column(row: ResultRow, costs: Costs | None) -> dict[str, str | None]:
    """What a run has cost, where any of them has a price."""
    if not costs:
        return {}
    money = costs.get(row.run_id)
    return {"cost": None if money is None else f"{money.currency} {money.amount:,.2f}"}


def _losses(rows: Sequence[ResultRow]) -> list[str]:
    """What is to be said of samples that training went on without."""
    lost = {row.run_id: row.lost_samples for row in rows if row.lost_samples}
    if not lost:
        return []
    most = max(lost, key=lost.__getitem__)
    return [
        f"lost: {sum(lost.values())} training samples in {len(lost)} run{'s' if len(lost) > 1 else ''} could not be "
        f"generated or scored; their steps were trained without them (most in {most}: {lost[most]}; its log says why)"
    ]


def _coefficient(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _rank(row: ResultRow) -> tuple[int, str, str, int, int, str, tuple[float, ...]]:
    return (
        row.n_params,
        row.domain_mix,
        row.curriculum or "",
        row.n_sft or 0,
        row.n_unique or 0,
        row.algorithm,
        tuple(value or 0 for value in (row.kl_loss_coef, row.kl_reward_coef, row.lora_rank, row.rollout_n)),
    )


def to_csv(rows: Sequence[ResultRow], costs: Costs | None = None, *, spreadsheet: bool = False) -> str:
    """All columns as CSV; an empty field was not measured. For a spreadsheet no text is a formula."""
    found = records(rows, costs)
    if spreadsheet:
        found = [{shown(name): shown(value) for name, value in flat.items()} for flat in found]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns(found), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return buffer.getvalue()


def to_parquet(rows: Sequence[ResultRow], path: Path, costs: Costs | None = None) -> None:
    """All columns as one Parquet file."""
    import pyarrow.parquet

    pyarrow.parquet.write_table(_arrow(rows, costs), path)


def query(rows: Sequence[ResultRow], sql: str, costs: Costs | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run SQL (DuckDB) over the table `results`.

    A setting that the query names in double quotes is a column even where all runs have the same value, as `cost` and
    `currency` are where no run has a price, and the columns of an agent, and of late verdicts, where no run has one.

    Raises:
        ResultsError: the statement is not valid or no SELECT, takes too long or too much memory, or its answer has
            more than `MOST_ROWS` rows.
    """
    try:
        with answered({"results": _arrow(rows, costs, sql)}, sql) as answer:
            names, found = [item[0] for item in answer.description], answer.fetchmany(MOST_ROWS + 1)
    except QueryError as error:
        said = str(error)
        if "pytz" in said:
            said = "write a time with a zone as text, as in now()::text"
        elif said.startswith("Catalog Error: Table with"):  # DuckDB proposes tables of its own
            said = f"{said.partition('!')[0]}; the only table is results"
        elif said.startswith("Binder Error: Referenced column"):
            said = f"{said.partition('LINE ')[0].rstrip()}\n{_SETTINGS_TOO}"
        elif isinstance(error, NoSelectError):
            said = f"{sql!r}: {said}; write a SELECT over the table results"
        raise ResultsError(f"--sql: {said}") from None
    if len(found) > MOST_ROWS:
        raise ResultsError(f"--sql: it answers with more than {MOST_ROWS:,} rows; add a LIMIT")
    return names, found


def _arrow(rows: Sequence[ResultRow], costs: Costs | None, sql: str = "") -> Any:
    import pyarrow

    found = records(rows, costs)
    if sql:
        told = (key for row in rows if row.settings is not None for key in (*row.settings, *INSTEAD))
        keys = dict.fromkeys(key for key in told if f'"{key}"' in sql)
        for key in keys:
            for flat, value in zip(found, setting(rows, key), strict=True):
                flat.setdefault(key, value)
        perhaps = [name for name in ("cost", "currency", *OF_AGENTS, *OF_LATE) if re.search(rf"\b{name}\b", sql)]
        late = [late_columns(row) for row in rows] if set(perhaps) & set(OF_LATE) else [{} for _ in rows]
        for flat, shares in zip(found, late, strict=True):
            flat |= {name: flat.get(name, shares.get(name)) for name in perhaps}
    names = columns(found)
    return pyarrow.table({name: [item.get(name) for item in found] for name in names})
