"""What a model wrote on a problem and what its scorer said: one record, whichever file kept it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Protocol

from rewards import Outcome
from sweeper.host.errors import ConfigError
from sweeper.rows.trajectories import LIMITS, Ended

_NEAREST = 3  # names that an error tells

TRUNCATED = "truncated"  # the verdict of an evaluation on a response that was cut off at the limit and scored nothing
VERDICTS = (*map(str, Outcome), TRUNCATED, *map(str, LIMITS))  # of an agent's trajectory also how it ended unfinished
_WHY: dict[str, str] = {
    Outcome.NO_ANSWER: "nothing in the required format was found",
    Outcome.TOO_LONG: "the program is longer than 65,536 characters, and was not run",
    Outcome.TIMEOUT: "the program or the comparison ran past its time limit",
    Outcome.ERROR: "the scorer failed; it counts as 0",
    Ended.turn_limit: "no answer within agent.max_turns",
    Ended.call_limit: "called on after a call beyond agent.max_calls was refused",
    Ended.context_limit: "the next observation or turn did not fit into the context",
    Ended.turn_cut: "a turn was cut off, at agent.turn_tokens or at the end of the context",
}


class Origin(StrEnum):
    """Which measurement a sample is of."""

    evaluation = "evaluation"  # pass@k of the trained model
    validation = "validation"  # during training, at one step
    base = "base"  # pass@k of the model before RL


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A part of an agent's transcript: what one side put there.

    Attributes:
        role: `assistant`: the model; `tool` or `user`: what it observed.
        text: Without special tokens; a long one lacks its middle.
        tokens: Of the whole part.
        trained: Whether training learns these tokens: those that the model drew.
        left_out: Characters that were not kept.
    """

    role: str
    text: str
    tokens: int
    trained: bool
    left_out: int = 0

    @property
    def kind(self) -> str:
        """Whose tokens these are, in words."""
        return "generated, which training learns" if self.trained else "observed, which training does not learn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One response. A field is None where nothing says it: what was not kept is not guessed.

    Attributes:
        run_id: The run that it was read for; the base model's are shared by runs.
        origin: Which measurement.
        step: Training step of a validation; None of the others.
        problem_id: Name of the problem in the run's data.
        data_source: What decided the scorer.
        domain: `math`, `code`, ...; of the counts.
        prompt: What the model was asked, as text.
        response: What it answered, without special tokens; long ones lack their middle (`left_out`).
        left_out: Characters of the response that were not kept.
        gold: The right answer, as text.
        parsed: The answer as the scorer read it, at most 200 characters; empty: it read none.
        score: The reward.
        verdict: One of `VERDICTS`; None: kept by a version that did not write it down.
        why: Why it got this verdict, where the scorer or the limit says more than the verdict does.
        tokens: Of the response.
        finish: `stop`: it came to its end; `length`: it was cut off.
        place: Which of the problem's samples, from 0; of a validation of one sample per problem 0.
        n: How many samples were drawn for the problem in this measurement.
        c: How many of them are correct.
        turns: The transcript of an agent, in its order; empty of a single response. `response` has all of it as one
            text, `tokens` counts all of it, and only the last turn was scored.
        turns_left_out: Parts of the transcript that were not kept, from its middle.
    """

    run_id: str
    origin: Origin
    step: int | None = None
    problem_id: str | None = None
    data_source: str | None = None
    domain: str | None = None
    prompt: str | None = None
    response: str
    left_out: int = 0
    gold: str | None = None
    parsed: str | None = None
    score: float | None = None
    verdict: str | None = None
    why: str | None = None
    tokens: int | None = None
    finish: str | None = None
    place: int | None = None
    n: int | None = None
    c: int | None = None
    turns: tuple[Turn, ...] = ()
    turns_left_out: int = 0

    def as_dict(self) -> dict[str, Any]:
        """All fields, in this order, as JSON has them; without those on turns where there are none."""
        values = asdict(self) | {"origin": str(self.origin)}
        return values if self.turns else {name: values[name] for name in values if not name.startswith("turns")}


def halves(turns: Sequence[Turn], left_out: int) -> tuple[Sequence[Turn], Sequence[Turn]]:
    """A kept transcript before and after the parts that were left out of its middle; all before, where none were."""
    end = (len(turns) + 1) // 2 if left_out else len(turns)
    return turns[:end], turns[end:]


class Named(Protocol):
    """What names a problem: a sample, its counts, or what was asked."""

    @property
    def problem_id(self) -> str | None:
        """Of the problem."""

    @property
    def data_source(self) -> str | None:
        """What decided the scorer."""

    @property
    def domain(self) -> str | None:
        """`math`, `code`, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which samples to show; None: whichever.

    Attributes:
        verdict: Exactly this one.
        problem: Beginning or end of a problem's name.
        source: Beginning of a data source, or a domain.
        text: Found in prompt, response, gold or parsed answer, whatever its case.
    """

    verdict: str | None = None
    problem: str | None = None
    source: str | None = None
    text: str | None = None

    def fits(self, sample: Sample) -> bool:
        """Whether it is one of them; a sample without the field is none."""
        if self.verdict is not None and sample.verdict != self.verdict:
            return False
        if not self.names(sample.problem_id or ""):
            return False
        if self.source not in (None, sample.domain) and not (sample.data_source or "").startswith(self.source or ""):
            return False
        if self.text is None:
            return True
        found = (sample.prompt, sample.response, sample.gold, sample.parsed)
        return any(self.text.casefold() in part.casefold() for part in found if part)

    def names(self, problem_id: str) -> bool:
        """Whether `problem` is the beginning or the end of this name, or asks for none."""
        return self.problem is None or problem_id.startswith(self.problem) or problem_id.endswith(self.problem)

    def require_known(self, about: Iterable[Named]) -> None:
        """Require of what is asked for by name that these problems have it.

        Raises:
            ConfigError: none of them has such a name, or such a source; the nearest are named.
        """
        problems, sources = set[str](), set[str]()
        for item in about:
            problems.add(str(item.problem_id))
            sources |= {str(name) for name in (item.data_source, item.domain) if name is not None}
        is_known = self.source is None or any(name.startswith(self.source) for name in sources)
        for what, asked, names, fits in (
            ("problem", self.problem, problems, any(map(self.names, problems))),
            ("source", self.source, sources, is_known),
        ):
            if asked is not None and not fits:
                near = ", ".join(get_close_matches(asked, sorted(names), n=_NEAREST, cutoff=0)) or "none is known"
                raise ConfigError(f"--{what} {asked!r}: there is none of that name here; the nearest: {near}")

    def among(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Those that fit, in their order, one by one."""
        return (sample for sample in samples if self.fits(sample))


def why(verdict: str | None, *, judge_failed: bool = False, limit: int | None = None) -> str | None:
    """What there is to say of a verdict beside the parsed and the right answer.

    Args:
        verdict: One of `VERDICTS`.
        judge_failed: An error that is an outage of the judge.
        limit: Most tokens of a response.

    Raises:
        ValueError: There is no such verdict.
    """
    if verdict not in (None, *VERDICTS):
        raise ValueError(f"{verdict!r} is no verdict")
    if verdict == TRUNCATED:
        return "cut off at the limit" + ("" if limit is None else f" of {limit:,} tokens")
    if verdict == Outcome.ERROR and judge_failed:
        return "the judge gave no verdict; it counts as 0"
    return None if verdict is None else _WHY.get(verdict)
