"""One record of a source, in verl's columns, as a `Row`: nothing lost, known defects normalised, the rest refused."""

import ast
import math
import re
from collections.abc import Mapping
from functools import cache

from data_prep.files.row import Message, Row, as_json, content_id, read_json_object
from data_prep.sources.finding import Kind
from data_prep.sources.record_file import Record
from data_prep.spec import PASS_RATE, DataError
from rewards import BadGroundTruth, Domain, check_gold, domain_of, gold_text
from rewards.own.covering import covering

REQUIRED = ("data_source", "prompt", "reward_model")
# Fields of extra_info that a Row has of its own.
_OWN = ("problem_id", "domain", "prefix", "solution", "rest")
# Parquet's name of the row number in the file that a pandas frame was cut from.
_PANDAS_INDEX = "__index_level_0__"
# Their scorers read text; JSON of a list would be a gold that no answer equals.
_TEXT_GOLDS = (Domain.MATH, Domain.STEM, Domain.TABLE)
_ROLES = ("system", "user", "assistant", "tool")
_ASKING = ("user", "tool")
_domain_of = cache(domain_of)
_OWN_ID = re.compile(r"(?P<domain>[a-z]+)-[0-9a-f]{16}")


class BadRow(DataError):
    """One row that cannot be used, for its prompt unless a class below says otherwise."""

    kind = Kind.broken_prompt


class BadGold(BadRow):
    """No gold answer, or one of the wrong kind."""

    kind = Kind.wrong_gold


class BadNumber(BadRow):
    """A pass rate or a difficulty that is none."""

    kind = Kind.wrong_number


class BadExtra(BadRow):
    """An extra_info that is no struct."""

    kind = Kind.wrong_extra


def source_of(record: Record, where: str) -> str:
    """The data_source of a record that has the columns of verl's format.

    Raises:
        DataError: A column is missing, or the data_source is not text.
    """
    missing = [name for name in REQUIRED if name not in record]
    if missing:
        raise DataError(
            f"{where}: lacks the columns {missing}; it has {sorted(record)}. data_root must hold files in verl's "
            "format, or declare the columns of others in its columns.yaml, e.g. "
            '"*.jsonl": {prompt: question, ground_truth: answer, data_source: openai/gsm8k} (docs/data.md).'
        )
    source = record["data_source"]
    if not isinstance(source, str):
        raise DataError(f"{where}: data_source is {source!r}, not text. Write the name of the data set there.")
    return source


def to_row(record: Record, where: str, own_rewards: tuple[str, ...] = ()) -> tuple[Row, str | None]:
    """The row of a record, and what was repaired in it, or None.

    Converting a prepared row again gives the same row. Beyond a `Row`'s own fields, `rest` keeps everything of the
    record: pass rates, the source's own ids, further columns. Its `source_index`, `source_split` and `source_position`
    are extra_info's index and split and the row number in the file that the source's file was cut from.

    Args:
        record: One that has passed `source_of`, of a data_source that has a scorer.
        where: File and row, for errors.
        own_rewards: The user's own reward functions; a gold of a source that one of them scores may be anything.

    Raises:
        BadRow: A broken prompt, no gold answer or one of the wrong kind for its data_source, a pass rate or difficulty
            that is no number, or an extra_info that is no struct.
    """
    source = str(record["data_source"])
    domain, is_ours = _domain_of(source, own_rewards), covering(source, own_rewards) is None
    prompt, repaired = messages_of(record["prompt"], where)
    reward_model = record["reward_model"]
    if not isinstance(reward_model, dict) or reward_model.get("ground_truth") is None:
        raise BadGold(f"{where}: reward_model has no ground_truth. Fix the row or take the file out of data_root.")
    extra = record.get("extra_info")
    if extra is None:
        extra = {}
    if not isinstance(extra, dict):
        raise BadExtra(f"{where}: extra_info is {str(extra)[:80]!r}, not a struct. Fix the row, or leave it null.")
    rest = _rest(record, reward_model, extra)
    for name, value in rest.items():
        if name.endswith(PASS_RATE) and not _is_rate(value):
            raise BadNumber(
                f"{where}: {name} is {_short(value)}, not a number between 0 and 1. Fix the row, or leave it null."
            )
    if is_ours and domain in _TEXT_GOLDS and isinstance(reward_model["ground_truth"], list | dict | bool):
        kind = type(reward_model["ground_truth"]).__name__
        several = " (several answers: one text, with | between them)" if domain is Domain.TABLE else ""
        raise BadGold(f"{where}: the ground_truth of a {domain} problem is a {kind}, not text{several}. Fix the row.")
    try:
        gold = gold_text(reward_model["ground_truth"])
        if is_ours and domain is Domain.MATH:
            folded = fold_doubled_backslashes(gold)
            repaired = repaired or (None if folded == gold else "doubled backslashes of the gold answer, folded")
            gold = folded
        check_gold(source, gold, {**rest, "prefix": extra.get("prefix")}, own_rewards)
    except BadGroundTruth as error:
        raise BadGold(f"{where}: {error}. Fix the row or take the file out of data_root.") from error
    solution = extra.get("solution")
    return Row(
        data_source=source,
        prompt=prompt,
        ability=str(record.get("ability") or domain),
        style=str(reward_model.get("style") or "rule"),
        ground_truth=gold,
        problem_id=_own_id(extra, domain) or content_id(domain, prompt),
        domain=domain,
        difficulty=_level(extra.get("difficulty"), where),
        prefix=str(extra.get("prefix") or ""),
        solution=str(solution) if solution else None,
        rest=as_json(rest),
    ), repaired


def _level(difficulty: object, where: str) -> float | None:
    """A source's level; words are none."""
    if not isinstance(difficulty, int | float):
        return None
    try:
        level = float(difficulty)
    except OverflowError:
        level = math.inf
    if math.isinf(level):
        raise BadNumber(
            f"{where}: difficulty is {_short(difficulty)}, not a finite number. Fix the row, or leave it null."
        )
    return level


def _short(value: object) -> str:
    text = (
        f"an integer of {value.bit_length()} bits" if isinstance(value, int) and abs(value) >= 10**20 else repr(value)
    )
    return text if len(text) <= 80 else f"{text[:80]}…"


def _is_rate(value: object) -> bool:
    # NaN is how pandas writes a missing one.
    return isinstance(value, int | float) and not isinstance(value, bool) and (0 <= value <= 1 or value != value)


def fold_doubled_backslashes(gold: str) -> str:
    r"""LaTeX that was escaped once too often, `\\frac{1}{2}`, as it was meant, `\frac{1}{2}`.

    Text in which any run of backslashes is odd is left alone: its doubled ones are line breaks of a matrix.
    """
    while "\\" in gold and all(len(run) % 2 == 0 for run in re.findall(r"\\+", gold)):
        gold = re.sub(r"\\+", lambda run: run[0][: len(run[0]) // 2], gold)
    return gold


def _own_id(extra: Mapping[str, object], domain: Domain) -> str | None:
    own = extra.get("problem_id")
    match = _OWN_ID.fullmatch(own) if isinstance(own, str) else None
    return match[0] if match and match["domain"] == domain else None


def _rest(record: Record, reward_model: Mapping[str, object], extra: Mapping[str, object]) -> dict[str, object]:
    rest: dict[str, object] = {}
    if isinstance(extra.get("rest"), str):
        rest |= read_json_object(str(extra["rest"]))
    renamed = {"index": "source_index", "split": "source_split"}
    for name, value in extra.items():
        if name in renamed:
            rest.setdefault(renamed[name], value)
        elif name == "problem_id":
            if value is not None and not _OWN_ID.fullmatch(str(value)):
                rest.setdefault("source_id", value)
        elif name == "difficulty":
            if isinstance(value, str):
                rest[name] = value
        elif name not in _OWN:
            rest[name] = value
    for name, value in record.items():
        if name in (*REQUIRED, "ability", "extra_info") or value is None:
            continue
        key = "source_position" if name == _PANDAS_INDEX else name
        rest[key if rest.get(key, value) == value else f"column.{key}"] = value
    for name, value in reward_model.items():
        if name not in ("style", "ground_truth"):
            rest[f"reward_model.{name}"] = value
    return {name: value for name, value in rest.items() if value is not None}


def messages_of(prompt: object, where: str) -> tuple[tuple[Message, ...], str | None]:
    """The turns of a prompt, and what was repaired in it, or None.

    Raises:
        BadRow: It is no list of messages that ends with a question.
    """
    messages = _as_messages(prompt)
    if messages is None:
        raise BadRow(
            f"{where}: prompt is not a list of messages with role and content, but {str(prompt)[:80]!r}. "
            "Rewrite the file in verl's format, or take it out of data_root."
        )
    content = messages[0].content.lstrip()
    if len(messages) == 1 and content.startswith(("[{'content':", "[{'role':", '[{"')) and content.endswith("]"):
        # Published HumanEval rows hold str(messages) as the content; models were then asked in Python's repr.
        try:
            inner = _as_messages(ast.literal_eval(content))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            inner = None
        if inner is None:
            raise BadRow(f"{where}: the prompt is a stringified message list that cannot be read back.")
        return _turns(inner, where), "stringified message list, read back"
    return _turns(messages, where), None


def _turns(messages: tuple[Message, ...], where: str) -> tuple[Message, ...]:
    unknown = [message.role for message in messages if message.role not in _ROLES]
    if unknown:
        raise BadRow(
            f"{where}: the prompt has a turn of role {unknown[0]!r}, which chat templates leave out or refuse. "
            f"Use {', '.join(_ROLES)}."
        )
    if messages[-1].role not in _ASKING:
        raise BadRow(
            f"{where}: the prompt's last turn is the {messages[-1].role}'s, so there is nothing to answer. "
            f"End it with a turn of {' or '.join(_ASKING)}."
        )
    return messages


def _as_messages(prompt: object) -> tuple[Message, ...] | None:
    if not isinstance(prompt, list) or not prompt:
        return None
    messages = []
    for item in prompt:
        if not isinstance(item, dict):
            return None
        role, content = _text(item.get("role")), _text(item.get("content"))
        if role is None or content is None or not content.strip():
            return None
        messages.append(Message(role, content))
    return tuple(messages)


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    return value if isinstance(value, str) else None
