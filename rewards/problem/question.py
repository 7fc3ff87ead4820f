"""What a scorer may know of a problem, in one form whatever reader the row came from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Added by verl's reward managers in training alone.
_OF_VERL = ("num_turns", "rollout_reward_scores")


class BadGroundTruth(ValueError):
    """The data's ground truth is not what its data_source promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The gold answer as text, and those fields of extra_info that the scorer uses."""

    gold: str
    extra: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """A field of extra_info; empty if the row has none."""
        return dict(self.extra).get(name, "")


def question_of(
    ground_truth: object, extra_info: Mapping[str, object] | None, fields: Sequence[str] | None
) -> Question:
    """Builds the question with `fields` from extra_info or from its `rest`, where data_prep keeps what it does not use.

    Fields None: all of them, as one JSON object under the name "".

    Raises:
        BadGroundTruth: The ground truth has no form as text.
    """
    gold = gold_text(ground_truth)
    if fields is None:
        return Question(gold=gold, extra=(("", _all_fields(extra_info or {})),))
    if not fields or not extra_info:
        return Question(gold=gold)
    found = {name: extra_info.get(name) for name in fields}
    if None in found.values() and isinstance(extra_info.get("rest"), str):
        rest = _parsed(str(extra_info["rest"]))
        found = {name: rest.get(name) if value is None else value for name, value in found.items()}
    texts = {name: gold_text(value) for name, value in found.items() if value is not None}
    return Question(gold=gold, extra=tuple(sorted(texts.items())))


def _all_fields(extra_info: Mapping[str, object]) -> str:
    rest = _parsed(str(extra_info.get("rest", "")))
    given = {name: value for name, value in extra_info.items() if name not in ("rest", *_OF_VERL)}
    return json.dumps({**rest, **given}, ensure_ascii=False, default=_plain, sort_keys=True)


def _parsed(rest: str) -> Mapping[str, object]:
    try:
        value = json.loads(rest)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def gold_text(ground_truth: object) -> str:
    """A ground truth in any form that parquet readers give (text, bytes, list, numpy array) as text.

    Text stays as it is; everything else becomes compact JSON, which the scorers of structured golds read.

    Raises:
        BadGroundTruth: Missing, or not representable.
    """
    if isinstance(ground_truth, str):
        return ground_truth
    if ground_truth is None:
        raise BadGroundTruth("ground_truth is missing")
    try:
        if isinstance(ground_truth, bytes):
            return ground_truth.decode()
        return json.dumps(ground_truth, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadGroundTruth(f"ground_truth of type {type(ground_truth).__name__}: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode()
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")
