"""Rewards: one scorer per kind of problem, routed by data_source, used alike in training and in evaluation.

verl loads `compute_score` (or `compute_score_async`) by `reward.custom_reward_function.path=pkg://rewards` and
`.name=compute_score`. Candidate code runs only in an isolated process (`rewards.sandbox.runs`); model text is never
evaluated here.

Importing this package alone takes no time: a name's module is imported when the name is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rewards.judge.judge import JudgeUnavailable
    from rewards.own.covering import domain_of
    from rewards.own.own_scorer import OwnRewardError
    from rewards.own.reward_file import BadRewardFile
    from rewards.problem.bad_ground_truth import BadGroundTruth
    from rewards.problem.domains import Domain, UnknownDataSource
    from rewards.problem.question import gold_text
    from rewards.problem.verdict import Outcome
    from rewards.route.router import (
        SUITE_VERSION,
        ScoreItem,
        check_gold,
        check_source,
        compute_score,
        compute_score_async,
        score_batch,
    )
    from rewards.route.scorers import UnsupportedDataSource
    from rewards.sandbox.runs import SandboxUnavailable, sandbox_layers

__all__ = [
    "SUITE_VERSION",
    "BadGroundTruth",
    "BadRewardFile",
    "Domain",
    "JudgeUnavailable",
    "Outcome",
    "OwnRewardError",
    "SandboxUnavailable",
    "ScoreItem",
    "UnknownDataSource",
    "UnsupportedDataSource",
    "check_gold",
    "check_source",
    "compute_score",
    "compute_score_async",
    "domain_of",
    "gold_text",
    "sandbox_layers",
    "score_batch",
]
_ROUTER = "rewards.route.router"
_MODULES = {  # of what is not the router's
    "BadGroundTruth": "rewards.problem.bad_ground_truth",
    "BadRewardFile": "rewards.own.reward_file",
    "Domain": "rewards.problem.domains",
    "JudgeUnavailable": "rewards.judge.judge",
    "Outcome": "rewards.problem.verdict",
    "OwnRewardError": "rewards.own.own_scorer",
    "SandboxUnavailable": "rewards.sandbox.runs",
    "UnknownDataSource": "rewards.problem.domains",
    "UnsupportedDataSource": "rewards.route.scorers",
    "domain_of": "rewards.own.covering",
    "gold_text": "rewards.problem.question",
    "sandbox_layers": "rewards.sandbox.runs",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, _ROUTER)), name)
