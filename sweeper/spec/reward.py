"""The reward of a run: our scorers, or functions of the user's own."""

from dataclasses import dataclass, field
from pathlib import Path

from sweeper.spec.bounds import Count, TextOrEmpty

FOLDER = "rewards"  # below the results: files of reward functions, by their content


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnScorer:
    """One function of the user's own, by what it is."""

    source: str  # it scores the sources whose name begins so; "*": all that no other does
    file: str  # name of its file
    function: str
    digest: str  # of the file, and of what it imports from its folder
    version: str | None = None  # what the file sets VERSION to


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """What a response earns, in training and in pass@k alike; without a setting our own scorers say it."""

    path: TextOrEmpty | None = None  # my_rewards.py:score; takes verl's arguments, returns a number or {"score": ...}
    sources: dict[TextOrEmpty, TextOrEmpty] = field(
        default_factory=dict
    )  # the same per data source: {mycorp__x: my_rewards.py:score}
    limits: dict[TextOrEmpty, Count] = field(
        default_factory=dict
    )  # CPU seconds of each test or call of a program, by data source, where not the published ones (docs/rewards.md)
    partial_credit: bool = False  # in training, the share of right cells of zebra puzzles; pass@k stays exact
    scorers: tuple[OwnScorer, ...] = ()  # what `path` and `sources` name, filled in when the spec is made
    versions: dict[str, int] = field(default_factory=dict)  # of our scorers, where not suite 2's; filled in likewise

    def references(self, folder: Path) -> tuple[str, ...]:
        """`SOURCE=FILE.py:FUNCTION` for each, as `rewards.compute_score` wants it; `folder` has the files by digest."""
        return tuple(f"{one.source}={folder / one.digest / one.file}:{one.function}" for one in self.scorers)

    @property
    def program_limits(self) -> tuple[str, ...]:
        """`SOURCE=SECONDS` for each, as `rewards.compute_score` wants it."""
        return tuple(f"{source}={seconds}" for source, seconds in sorted(self.limits.items()))
