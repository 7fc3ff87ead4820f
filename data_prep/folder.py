"""Reads a folder of parquet files in Guru's format into rows, refusing what could not be trained on or scored."""

import ast
import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data_prep.row import Message, Row, as_json, content_id
from data_prep.spec import DataError, parquet_files
from rewards import (
    BadGroundTruth,
    Domain,
    UnknownDataSource,
    check_gold,
    check_source,
    domain_of,
    gold_text,
)

_REQUIRED = ("data_source", "prompt", "reward_model")
_DECLARED_EXTRA = (
    "split",
    "index",
    "problem_id",
    "domain",
    "difficulty",
    "prefix",
    "solution",
    "rest",
)


@dataclass(slots=True)
class FolderRows:
    """Different problems of a folder, by domain, in content order; and what was set aside, by reason."""

    train: dict[Domain, list[Row]] = field(default_factory=dict)
    held_out: dict[Domain, list[Row]] = field(default_factory=dict)
    set_aside: Counter[str] = field(default_factory=Counter)


def read_folder(root: Path, *, domains: Collection[Domain], n_held_out: int | None, seed: int) -> FolderRows:
    """All rows of `domains`, each problem once, train and held-out disjoint by content.

    With `train/` and `online_eval/` below `root` these are the two sides, and train problems that also occur in
    the evaluation are set aside. Otherwise the first `n_held_out` of each domain, in the order of a content hash
    that does not depend on `seed`, are held out.

    Args:
        root: The folder.
        domains: Rows of other domains are set aside.
        n_held_out: Per domain; None is allowed only with `online_eval/`.
        seed: Decides the order of train rows.

    Raises:
        DataError: A malformed row, or an unknown or unsupported data_source among the wanted domains.
    """
    result = FolderRows()
    train_folder, eval_folder = root / "train", root / "online_eval"
    if train_folder.is_dir() and eval_folder.is_dir():
        held_out = _distinct(_rows_of(eval_folder, domains, result.set_aside), result.set_aside)
        train = _distinct(_rows_of(train_folder, domains, result.set_aside), result.set_aside)
        evaluated = {row.problem_id for row in held_out}
        kept = [row for row in train if row.problem_id not in evaluated]
        result.set_aside["train problem that occurs in online_eval/"] += len(train) - len(kept)
        result.held_out = {domain: _ordered(held_out, domain, "held out") for domain in domains}
        result.train = {domain: _ordered(kept, domain, f"train|{seed}") for domain in domains}
        return result
    if n_held_out is None:
        raise DataError(
            f"data_root={root} has no train/ and online_eval/ folders, so some rows must be held out of its flat "
            "files: set n_eval_per_domain to a number."
        )
    rows = _distinct(_rows_of(root, domains, result.set_aside), result.set_aside)
    for domain in domains:
        ordered = _ordered(rows, domain, "held out")
        result.held_out[domain] = ordered[:n_held_out]
        result.train[domain] = _ordered(ordered[n_held_out:], domain, f"train|{seed}")
    return result


def _ordered(rows: list[Row], domain: Domain, salt: str) -> list[Row]:
    def key(row: Row) -> bytes:
        return hashlib.sha256(f"{salt}|{row.problem_id}".encode()).digest()

    return sorted((row for row in rows if row.domain is domain), key=key)


def _distinct(rows: Iterator[Row], set_aside: Counter[str]) -> list[Row]:
    """The first row of each problem; which is first depends on file names and row order only."""
    first: dict[str, Row] = {}
    for row in rows:
        known = first.setdefault(row.problem_id, row)
        if known is not row:
            same = known.ground_truth == row.ground_truth
            set_aside["repeated problem" if same else "repeated problem with another ground truth"] += 1
    return list(first.values())


def _rows_of(folder: Path, domains: Collection[Domain], set_aside: Counter[str]) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in parquet_files(folder):
        try:
            table = pq.read_table(path)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path} cannot be read as parquet: {error}. Fix it or take it out of data_root."
            ) from error
        missing = [name for name in _REQUIRED if name not in table.column_names]
        if missing:
            raise DataError(
                f"{path} lacks the columns {missing}; it has {table.column_names}. "
                "data_root must hold files in verl's format."
            )
        wanted = _wanted_sources(path, set(table.column("data_source").to_pylist()), domains)
        for number, record in enumerate(table.to_pylist()):
            if record["data_source"] not in wanted:
                set_aside["domain not in use"] += 1
                continue
            yield _row(path, number, record, set_aside)


def _wanted_sources(path: Path, sources: set[str], domains: Collection[Domain]) -> set[str]:
    wanted = set()
    for source in sorted(str(source) for source in sources):
        try:
            if domain_of(source) in domains:
                check_source(source)
                wanted.add(source)
        except UnknownDataSource as error:
            raise DataError(f"{path}: {error}") from error
    return wanted


def _row(path: Path, number: int, record: dict[str, object], set_aside: Counter[str]) -> Row:
    source = str(record["data_source"])
    where = f"{path} row {number} ({source})"
    domain = domain_of(source)
    prompt = _messages(record["prompt"], where, set_aside)
    reward_model = record["reward_model"]
    if not isinstance(reward_model, dict) or reward_model.get("ground_truth") is None:
        raise DataError(f"{where}: reward_model has no ground_truth. Fix the row or take the file out of data_root.")
    extra = record.get("extra_info")
    extra = extra if isinstance(extra, dict) else {}
    try:
        gold = gold_text(reward_model["ground_truth"])
        check_gold(source, gold)
    except BadGroundTruth as error:
        raise DataError(f"{where}: {error}. Fix the row or take the file out of data_root.") from error
    rest = {key: value for key, value in extra.items() if key not in _DECLARED_EXTRA}
    rest |= {key: value for key, value in record.items() if key.endswith("_pass_rate")}
    if "index" in extra:
        rest["source_index"] = extra["index"]
    return Row(
        data_source=source,
        prompt=prompt,
        ability=str(record.get("ability") or domain),
        style=str(reward_model.get("style") or "rule"),
        ground_truth=gold,
        problem_id=content_id(domain, prompt),
        domain=domain,
        prefix=str(extra.get("prefix") or ""),
        rest=as_json(rest),
    )


def _messages(prompt: object, where: str, set_aside: Counter[str]) -> tuple[Message, ...]:
    messages = _as_messages(prompt)
    if messages is None:
        raise DataError(
            f"{where}: prompt is not a list of messages with role and content. Rewrite the file in verl's format, "
            "or take it out of data_root."
        )
    content = messages[0].content.lstrip()
    if len(messages) == 1 and content.startswith(("[{'content':", "[{'role':", '[{"')) and content.endswith("]"):
        # Published HumanEval rows hold str(messages) as the content; models were then asked in Python's repr.
        try:
            inner = _as_messages(ast.literal_eval(content))
        except (ValueError, SyntaxError):
            inner = None
        if inner is None:
            raise DataError(f"{where}: the prompt is a stringified message list that cannot be read back.")
        set_aside["stringified message list, read back (row kept)"] += 1
        return inner
    return messages


def _as_messages(prompt: object) -> tuple[Message, ...] | None:
    if not isinstance(prompt, list) or not prompt:
        return None
    messages = []
    for item in prompt:
        if not isinstance(item, dict):
            return None
        role, content = item.get("role"), item.get("content")
        if not isinstance(role, str) or not isinstance(content, str) or not content.strip():
            return None
        messages.append(Message(role, content))
    return tuple(messages)
