"""Rewards: one scorer per kind of problem, routed by data_source, used alike in training and in evaluation.

verl loads `compute_score` (or `compute_score_async`) by `reward.custom_reward_function.path=pkg://rewards` and
`.name=compute_score`. Candidate code runs only in an isolated process (`rewards.sandbox.runs`); model text is never
evaluated here.

Importing this package alone takes no time: a name's module is imported when the name is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rewards.judge.judge import JudgeUnavailable as JudgeUnavailable
    from rewards.own.covering import domain_of as domain_of
    from rewards.own.own_scorer import OwnRewardError as OwnRewardError
    from rewards.own.reward_file import BadRewardFile as BadRewardFile
    from rewards.problem.domains import Domain as Domain
    from rewards.problem.domains import UnknownDataSource as UnknownDataSource
    from rewards.problem.question import BadGroundTruth as BadGroundTruth
    from rewards.problem.question import gold_text as gold_text
    from rewards.problem.verdict import Outcome as Outcome
    from rewards.route.router import SUITE_VERSION as SUITE_VERSION
    from rewards.route.router import ScoreItem as ScoreItem
    from rewards.route.router import check_gold as check_gold
    from rewards.route.router import check_source as check_source
    from rewards.route.router import compute_score as compute_score
    from rewards.route.router import compute_score_async as compute_score_async
    from rewards.route.router import score_batch as score_batch
    from rewards.route.scorers import UnsupportedDataSource as UnsupportedDataSource
    from rewards.sandbox.walls.isolation import SandboxUnavailable as SandboxUnavailable

_MODULES = {
    "BadGroundTruth": "problem.question",
    "BadRewardFile": "own.reward_file",
    "Domain": "problem.domains",
    "JudgeUnavailable": "judge.judge",
    "Outcome": "problem.verdict",
    "OwnRewardError": "own.own_scorer",
    "SandboxUnavailable": "sandbox.walls.isolation",
    "UnknownDataSource": "problem.domains",
    "UnsupportedDataSource": "route.scorers",
    "domain_of": "own.covering",
    "gold_text": "problem.question",
    **dict.fromkeys(("SUITE_VERSION", "ScoreItem", "check_gold", "check_source"), "route.router"),
    **dict.fromkeys(("compute_score", "compute_score_async", "score_batch"), "route.router"),
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
