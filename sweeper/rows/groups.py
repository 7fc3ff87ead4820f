"""Groups of a training step: how many say nothing to learn from, and what dynamic sampling drew and threw away.

A group is the responses to one prompt. Where all have the same reward, advantages relative to the group are 0.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

_REWARD = "reward_extra_info"  # of verl's `extra_fields`: what the reward function returned


@dataclass(frozen=True, slots=True)
class _Counts:
    """Whole numbers of a step that add up over its batches, among verl's metrics as `PREFIX/NAME`."""

    @classmethod
    def from_metrics(cls, data: Mapping[str, Any]) -> Self | None:
        """What `metrics` was made of; None where a step says nothing of it."""
        names = [field.name for field in fields(cls)]
        if f"{PREFIX[cls]}{names[0]}" not in data:
            return None
        return cls(**{name: int(data[f"{PREFIX[cls]}{name}"]) for name in names})

    @classmethod
    def total(cls, parts: Iterable[Self]) -> Self | None:
        """All together; None of none."""
        found = [asdict(part) for part in parts]
        return cls(**{name: sum(part[name] for part in found) for name in found[0]}) if found else None

    def metrics(self) -> dict[str, float]:
        """By name; verl adds up what has `sum` in its name where a step has several batches."""
        return {f"{PREFIX[type(self)]}{name}": float(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups(_Counts):
    """Of `n` groups that a step trained on those without signal: all answers right, or all of one other reward."""

    n: int
    all_right: int
    none_right: int

    @property
    def without_signal(self) -> float | None:
        """Their share, 0 to 1; None of none."""
        return (self.all_right + self.none_right) / self.n if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded(_Counts):
    """What dynamic sampling (DAPO, arXiv:2503.14476) generated in a step and did not train on.

    Groups without signal, and those drawn beyond a full batch; tokens are those of prompts and responses.
    """

    groups: int
    responses: int
    tokens: int
    response_tokens: int


PREFIX: dict[type[_Counts], str] = {Groups: "groups/sum/", Discarded: "discarded/sum/"}
SHARE = "groups/without_signal_mean"


def groups_of(prompts: Sequence[str], samples: Sequence[Mapping[str, Any]]) -> Groups | None:
    """Count the groups of a batch.

    Args:
        prompts: Of each response, which prompt it answers.
        samples: verl's `extra_fields` of each, with what `rewards.compute_score` returned.

    Returns:
        None where a score is missing (a reward model of verl's gives it later), or no prompt has two responses.
    """
    scores: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for prompt, sample in zip(prompts, samples, strict=True):
        told = sample.get(_REWARD, {})
        if not {"score", "acc"} <= told.keys():
            return None
        scores[prompt].append((float(told["score"]), float(told["acc"])))
    if all(len(group) < 2 for group in scores.values()):
        return None
    alike = [group for group in scores.values() if len({score for score, _ in group}) == 1]
    right = sum(all(acc == 1 for _, acc in group) for group in alike)
    return Groups(n=len(scores), all_right=right, none_right=len(alike) - right)
