"""Per-problem counts of an evaluation, and the scores made from them.

The one reader of counts files: what a run, an annotation and the analysis read is checked alike, and a file without a
problem is refused everywhere, since nothing was measured.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sweeper.host.errors import ResultsError
from sweeper.host.json_lines import json_lines
from sweeper.rows.flops import Tokens
from sweeper.rows.passk import Count, mean_pass_at_k
from sweeper.rows.score import PassAtK, PassAtTurns, Score
from sweeper.rows.trajectories import Trajectories
from sweeper.spec.bounds import adapter

KEYS = ("problem_id", "n", "c")  # without which a line counts nothing
MOST_TURNS = 10_000  # of a trajectory, that a line may tell right answers by
MOST_SAMPLES = 10**9  # of a problem: far above any real one, far below where counts leave their type


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemCount:
    """What was measured on one problem; one line of a counts file.

    Of an agent a sample is a trajectory. `response_tokens` are then all that the model's forward pass saw behind the
    prompt: what it generated and what it observed, which `trajectories` has apart.
    """

    problem_id: str
    data_source: str
    domain: str
    n: int
    c: int
    outcomes: dict[str, int]
    prompt_tokens: int
    response_tokens: int  # of all n samples together
    difficulty: float | None = None  # level that the source states, 1 the easiest; None: none, or an earlier version
    trajectories: Trajectories | None = None  # what an agent did; None: there was none

    def plain(self) -> dict[str, Any]:
        """As JSON has it, and `of` reads it back; without an agent nothing is said of one."""
        values = asdict(self)
        if self.trajectories is None:
            del values["trajectories"]
        return values

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "ProblemCount":
        """What `plain` gave; keys that it has beside are left alone.

        Raises:
            ValueError: what it says of trajectories is not what they are, or they are of other samples.
        """
        values = {name: line[name] for name in _NAMES if name in line}
        if values.get("trajectories") is not None:
            values["trajectories"] = trajectories_of(values["trajectories"], line["n"], line["c"])
        return cls(**values)


_NAMES = tuple(field.name for field in fields(ProblemCount))


def trajectories_of(told: Any, n: int, c: int) -> Trajectories:
    """Of one problem's samples.

    Raises:
        ValueError: see `ProblemCount.of`.
    """
    found: Trajectories = adapter(Trajectories).validate_python(told)
    if found.n != n or sum(found.ended.values()) != n:
        raise ValueError(f"trajectories of {found.n} samples, ended {sum(found.ended.values())}; there are {n}")
    at_turns = found.correct_at_turns
    if len(at_turns) > MOST_TURNS or list(at_turns) != sorted(at_turns):
        raise ValueError(f"correct_at_turns has over {MOST_TURNS:,} numbers, or falls")
    if at_turns and (at_turns[0] < 0 or at_turns[-1] != c):
        raise ValueError(f"correct_at_turns goes from {at_turns[0]} to {at_turns[-1]}; needs 0 or more, and c={c}")
    return found


def samples_path(out: Path) -> Path:
    """The few completions per problem that an evaluation keeps beside its counts (`evaluation.kept_blocks.Kept`)."""
    return out.with_suffix(".samples.jsonl")


def whole(line: Mapping[str, Any], key: str, where: str) -> int:
    """A whole number of a line, which may be written as text.

    Raises:
        ResultsError: it is none.
    """
    if type(line[key]) is int:  # as every line of a run has it
        return int(line[key])
    text = str(line[key]).strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not value.is_integer():
        raise ResultsError(f"{where}: {key}={text!r} is not a whole number")
    return int(value)


def checked(line: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A line of counts, if its `KEYS` are what they should be.

    Args:
        line: The keys may have others beside them; numbers may be text, as CSV has them.
        where: File and line, for the message.

    Returns:
        The line, `problem_id` a text that is not empty, `n` in 1 to `MOST_SAMPLES`, `c` in 0 to `n`.

    Raises:
        ResultsError: they are not.
    """
    problem, n, c = str(line["problem_id"]).strip(), whole(line, "n", where), whole(line, "c", where)
    if line["problem_id"] is None or not problem:
        raise ResultsError(f"{where}: empty problem_id")
    if n > MOST_SAMPLES:
        raise ResultsError(f"{where}: n={n}; the most samples of a problem is {MOST_SAMPLES}")
    if n < 1 or not 0 <= c <= n:
        raise ResultsError(f"{where}: n={n}, c={c}; needs n >= 1 and 0 <= c <= n")
    return {**line, "problem_id": problem, "n": n, "c": c}


def read_lines(path: Path, *keys: str) -> list[dict[str, Any]]:
    """The lines of a counts file, each as `checked` returns it and with further `keys`; a blank one is none.

    Raises:
        ResultsError: there is no such file, it holds no line, or one is not what it should be; says which.
    """
    not_one = f"{path} is not a file of per-problem counts"
    try:
        lines = list(json_lines(path))
    except FileNotFoundError:
        raise ResultsError(f"{path} is not a file") from None
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ResultsError(f"{not_one}: {error}") from error
    found, needed = [], (*KEYS, *keys)
    for number, line in lines:
        where = f"{not_one}: line {number}"
        if not isinstance(line, dict):
            raise ResultsError(f"{where}: not a JSON object")
        missing = [key for key in needed if key not in line]
        if missing:
            raise ResultsError(f"{where}: it lacks {', '.join(missing)}")
        found.append(checked(line, where))
    if not found:
        raise ResultsError(f"{path} holds no problem: nothing was measured")
    return found


def read_counts(path: Path) -> list[ProblemCount]:
    """What an evaluation measured; errors as in `read_lines`."""
    needed = [field.name for field in fields(ProblemCount) if field.default is MISSING]
    found = []
    for line in read_lines(path, *needed):
        try:
            found.append(ProblemCount.of(line))
        except ValueError as error:
            raise ResultsError(
                f"{path} is not a file of per-problem counts: problem {line['problem_id']}: {error}"
            ) from None
    return found


def evaluated_tokens(counts: Sequence[ProblemCount]) -> Tokens:
    """What an evaluation generated; a prompt counts once per sample.

    Of an agent: every token of a trajectory once, observed ones too, which is what an engine with a prefix cache
    computes. One without encodes `Trajectories.prefilled_again_tokens` more.
    """
    response = sum(count.response_tokens for count in counts)
    prompt = sum(count.n * count.prompt_tokens for count in counts)
    return Tokens(sequences=sum(count.n for count in counts), total=prompt + response, response=response)


def scores(counts: Sequence[ProblemCount], ks: Sequence[int]) -> tuple[Score, ...]:
    """pass@k over all problems ("all") and for each domain; of an agent pass@(k, T), too."""
    domains = sorted({count.domain for count in counts})
    return tuple(
        _score(domain, [count for count in counts if domain in ("all", count.domain)], ks)
        for domain in ("all", *domains)
    )


def _score(domain: str, counts: Sequence[ProblemCount], ks: Sequence[int]) -> Score:
    pairs = [Count(count.n, count.c) for count in counts]
    acted = [count.trajectories for count in counts if count.trajectories is not None]
    outcomes: Counter[str] = Counter()
    for count in counts:
        outcomes.update(count.outcomes)
    return Score(
        domain=domain,
        n_problems=len(counts),
        n_samples=min(count.n for count in counts),
        pass_at_k=tuple(PassAtK(k=k, value=mean_pass_at_k(pairs, k)) for k in ks),
        outcomes=dict(sorted(outcomes.items())),
        trajectories=Trajectories.total(acted) if len(acted) == len(counts) else None,
        pass_at_turns=_pass_at_turns(counts, ks),
    )


def _pass_at_turns(counts: Sequence[ProblemCount], ks: Sequence[int]) -> tuple[PassAtTurns, ...]:
    """pass@(k, T) for each T that all problems were measured for: of n samples those count that were right by then."""
    at_turns = [count.trajectories.correct_at_turns if count.trajectories else () for count in counts]
    found = []
    for turns in range(min(map(len, at_turns))):
        pairs = [Count(count.n, right[turns]) for count, right in zip(counts, at_turns, strict=True)]
        points = tuple(PassAtK(k=k, value=mean_pass_at_k(pairs, k)) for k in ks)
        found.append(PassAtTurns(turns=turns + 1, pass_at_k=points))
    return tuple(found)
