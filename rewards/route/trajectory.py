"""Rewards of an agent's trajectories: only the model's own last turn is scored, never what a tool said.

verl hands a reward function the text of the whole transcript, answers of tools among it. For runs of an agent it loads
`compute_score` of this module (`reward.custom_reward_function.path=pkg://rewards.route.trajectory`), which looks at the
record that the agent's loop keeps (`extra_info["agent"]`) in its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rewards.problem.verdict import Outcome, Verdict, verdict_of
from rewards.route import router

FIELD = "agent"  # of a row's `extra_info`: the record of the trajectory


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    **options: Any,
) -> router.Score:
    """`rewards.compute_score` of the last turn of a trajectory.

    Args:
        data_source: As there.
        solution_str: Not looked at: the transcript.
        ground_truth: As there.
        extra_info: As there, with the record: `ended`, `answer` and `correct`. Unfinished trajectories have no answer
            and are wrong. Where `correct` is given, it is an environment's verdict, and decides.
        **options: As there.

    Raises:
        KeyError: There is no record: a transcript is not scored in its place.
        Exception: As there.
    """
    del solution_str
    record = _record(extra_info)
    decided = _decided(record)
    if decided is not None:
        return decided.as_dict() | _tokens(record)
    found = router.compute_score(data_source, str(record["answer"]), ground_truth, extra_info, **options)
    return found | _tokens(record)


def score_batch(
    items: Sequence[router.ScoreItem],
    *,
    partial_credit: bool = False,
    own: Sequence[str] = (),
    limits: Sequence[str] = (),
) -> list[router.Score]:
    """`compute_score` of every item, in order, many at once; `solution_str` is not looked at."""
    decided = [_decided(_record(item.extra_info)) for item in items]
    waiting = [
        replace(item, solution_str=str(_record(item.extra_info)["answer"]))
        for item, verdict in zip(items, decided, strict=True)
        if verdict is None
    ]
    scored = iter(router.score_batch(waiting, partial_credit=partial_credit, own=own, limits=limits))
    return [next(scored) if verdict is None else verdict.as_dict() for verdict in decided]


def _record(extra_info: Mapping[str, object] | None) -> Mapping[str, Any]:
    found = (extra_info or {}).get(FIELD)
    if not isinstance(found, Mapping) or not {"ended", "answer", "correct"} <= found.keys():
        raise KeyError(f"extra_info[{FIELD!r}] has no record of a trajectory: was it made by a loop of sweeper.agent?")
    return found


def _tokens(record: Mapping[str, Any]) -> router.Score:
    return {f"{name}_tokens": int(record[name]) for name in ("generated", "observed") if name in record}


def _decided(record: Mapping[str, Any]) -> Verdict | None:
    """The verdict where no scorer is needed."""
    if record["ended"] != "answered":
        return Verdict(outcome=Outcome.NO_ANSWER)
    if record["correct"] is not None:
        return verdict_of(bool(record["correct"]), str(record["answer"]))
    return None
