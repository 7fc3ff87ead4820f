"""What verl logged at one training step, as a row keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sweeper.rows.groups import Discarded, Groups
from sweeper.rows.late_verdicts import LateVerdicts
from sweeper.rows.trajectories import Trajectories


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """A training step; a value is None where the step did not measure it.

    Fields with a default are absent from rows of before they were kept.
    """

    step: int
    reward: float | None  # mean training reward of the step's rollouts
    val_pass1: float | None  # mean accuracy on the validation problems
    response_length: float | None  # tokens, mean
    entropy: float | None  # nats per token
    kl: float | None  # nats per token, to the reference model; None without a KL term: none is loaded then
    tokens: int | None  # prompt + response tokens of the step's batch
    seconds: float | None  # wall time of the step
    truncated: float | None = None  # share of responses that end at the longest length
    clip_share: float | None = None  # of tokens whose ratio was clipped
    grad_norm: float | None = None  # of the policy, before it is clipped, mean over the step's updates
    # |p_rollout - p_actor| of a sampled token, mean over the step's: 0 where the engine has the actor's weights, in the
    # same precision.
    probs_diff: float | None = None
    trajectories: Trajectories | None = None  # what an agent did in the step's rollouts; None: there was none
    verdicts: LateVerdicts | None = None  # of the step's rollouts; None: not counted
    groups: Groups | None = None  # of the step's batch; None: not counted, or one response per prompt
    discarded: Discarded | None = None  # by dynamic sampling; None: there was none


_COUNTED = ("trajectories", "verdicts", "groups", "discarded")
NUMBERS = tuple(field.name for field in fields(CurvePoint) if field.name not in _COUNTED)  # fields that are one number


def signals(point: Mapping[str, Any]) -> dict[str, float | None]:
    """Numbers that follow from the fields of a `CurvePoint`, given as plain values.

    `groups_without_signal` and `groups_all_right`, shares of the step's groups (0 to 1); `discarded_groups`, how many
    dynamic sampling threw away; `tokens_per_s`, of the batch over the step's wall time.
    """
    told, gone = point.get("groups"), point.get("discarded") or {}
    groups = Groups(**{field.name: told[field.name] for field in fields(Groups)}) if told else None
    tokens, seconds = point.get("tokens"), point.get("seconds")
    return {
        "groups_without_signal": groups.without_signal if groups else None,
        "groups_all_right": groups.all_right / groups.n if groups and groups.n else None,
        "discarded_groups": gone.get("groups"),
        "tokens_per_s": tokens / seconds if tokens is not None and seconds else None,
    }
