"""pass@k of one model on one set of problems."""

from dataclasses import dataclass

from sweeper.rows.trajectories import Trajectories


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAtK:
    """pass@k of one set of problems; `None` where it is undefined (k > n)."""

    k: int
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAtTurns:
    """pass@(k, T): a sample is right if it was given within at most `turns` turns."""

    turns: int
    pass_at_k: tuple[PassAtK, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """pass@k of one model on one set of problems (`domain="all"` for the whole suite).

    `outcomes` counts every sample once: correct + wrong + no_answer + truncated + timeout + error = all samples. Of an
    agent a sample is a trajectory, and an unfinished one counts under how it ended (`rows.trajectories.LIMITS`).
    """

    domain: str
    n_problems: int
    n_samples: int  # samples per problem
    pass_at_k: tuple[PassAtK, ...]
    outcomes: dict[str, int]
    trajectories: Trajectories | None = None  # what an agent did; None: there was none
    pass_at_turns: tuple[PassAtTurns, ...] = ()  # of an agent, in ascending order of turns

    def at(self, k: int) -> float | None:
        """pass@k, or None where it is undefined or was not measured."""
        return next((point.value for point in self.pass_at_k if point.k == k), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresAfter:
    """pass@k after a training step before the last one, on the problems of the last one's evaluation."""

    step: int
    scores: tuple[Score, ...]  # as a row's `trained`; empty: not measured
    missing: str | None = None  # why there are none
