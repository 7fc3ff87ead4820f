"""Rewards: one scorer a kind of problem, routed by data_source, used alike in training and in evaluation.

verl loads `compute_score` by `reward.custom_reward_function.path=pkg://rewards` and `.name=compute_score`.
Candidate code runs only in an isolated process (`rewards.sandbox`); model text is never evaluated here.
"""

from rewards.domains import Domain, UnknownDataSource, domain_of
from rewards.functional_tests import BadGroundTruth
from rewards.router import (
    SUITE_VERSION,
    ScoreItem,
    UnsupportedDataSource,
    check_gold,
    check_source,
    compute_score,
    gold_text,
    score_batch,
)
from rewards.sandbox import SandboxUnavailable, sandbox_layers
from rewards.verdict import Outcome

__all__ = [
    "SUITE_VERSION",
    "BadGroundTruth",
    "Domain",
    "Outcome",
    "SandboxUnavailable",
    "ScoreItem",
    "UnknownDataSource",
    "UnsupportedDataSource",
    "check_gold",
    "check_source",
    "compute_score",
    "domain_of",
    "gold_text",
    "sandbox_layers",
    "score_batch",
]
