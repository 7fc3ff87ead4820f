"""How many verdicts of a training step a limit of time or an outage decided: those that may depend on the load."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewards.problem.verdict import Late

_SUM = "verdict/sum/"  # verl adds up what has `sum` in its name where a step has several batches
SHARE = "verdict/late_mean"
_REWARD = "reward_extra_info"  # of verl's `extra_fields`: what the reward function returned
NOT_COUNTED = "not counted: the row is of an earlier version, or imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateVerdicts:
    """Of `n` verdicts those that a limit of time or an outage decided, by what was late (`Late`); zeros left out."""

    n: int
    late: dict[str, int]

    @property
    def share(self) -> float | None:
        """Of all verdicts, 0 to 1; None of none."""
        return sum(self.late.values()) / self.n if self.n else None

    @classmethod
    def total(cls, parts: Iterable["LateVerdicts"]) -> "LateVerdicts":
        """All together."""
        found = list(parts)
        late = sum((Counter(one.late) for one in found), Counter[str]())
        return cls(n=sum(one.n for one in found), late=dict(sorted(late.items())))


def metrics(samples: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Metrics of a step: `verdict/sum/n`, `verdict/sum/<what was late>`, and `verdict/late_mean`, a share.

    Args:
        samples: verl's `extra_fields` of each, with what `rewards.compute_score` returned. Where one is without (a
            reward model of verl's scores it later), nothing is counted.
    """
    scores = [sample.get(_REWARD, {}) for sample in samples]
    if not scores or not all("late" in score for score in scores):
        return {}
    counted = Counter(str(score["late"]) for score in scores)
    sums = {f"{_SUM}{late}": float(counted[late]) for late in Late}
    return {f"{_SUM}n": float(len(scores)), **sums, SHARE: 1 - counted[""] / len(scores)}


def from_metrics(data: Mapping[str, Any]) -> LateVerdicts | None:
    """What `metrics` counted; None where a step says nothing of verdicts."""
    if f"{_SUM}n" not in data:
        return None
    late = {str(one): int(data[f"{_SUM}{one}"]) for one in Late}
    return LateVerdicts(n=int(data[f"{_SUM}n"]), late={name: n for name, n in sorted(late.items()) if n})


def of_steps(steps: Sequence[LateVerdicts | None], why_not: str | None) -> tuple[LateVerdicts | None, str | None]:
    """A run's, from its training steps, or None and why.

    Args:
        steps: None: a step logged nothing of its verdicts.
        why_not: Why this run's steps cannot; None: they can.
    """
    known = [step for step in steps if step is not None]
    if not steps:
        return None, "no step was trained"
    if not known and why_not is not None:
        return None, why_not
    if len(known) < len(steps):
        return None, f"{len(steps) - len(known)} of {len(steps)} steps logged nothing of their verdicts"
    return LateVerdicts.total(known), None
