"""Per-problem counts of an evaluation, and the scores made from them."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.host.errors import RunFailedError
from sweeper.rows.flops import Tokens
from sweeper.rows.passk import Count, mean_pass_at_k
from sweeper.rows.row import PassAtK, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemCount:
    """What was measured on one problem; one line of a counts file."""

    problem_id: str
    data_source: str
    domain: str
    n: int
    c: int
    outcomes: dict[str, int]
    prompt_tokens: int
    response_tokens: int  # of all n samples together
    difficulty: float | None = None  # level that the source states, 1 the easiest; None: none, or an earlier version


def samples_path(out: Path) -> Path:
    """The few completions per problem that an evaluation keeps beside its counts (`evaluation.kept_blocks.Kept`)."""
    return out.with_suffix(".samples.jsonl")


def read_counts(path: Path) -> list[ProblemCount]:
    """Read a counts file.

    Raises:
        RunFailedError: the file is empty: nothing was measured.
    """
    names = ProblemCount.__dataclass_fields__
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    if not lines:
        raise RunFailedError(f"{path} holds no problem: nothing was measured")
    return [ProblemCount(**{name: line[name] for name in names if name in line}) for line in lines]


def evaluated_tokens(counts: Sequence[ProblemCount]) -> Tokens:
    """What an evaluation generated; a prompt counts once a sample."""
    response = sum(count.response_tokens for count in counts)
    prompt = sum(count.n * count.prompt_tokens for count in counts)
    return Tokens(sequences=sum(count.n for count in counts), total=prompt + response, response=response)


def scores(counts: Sequence[ProblemCount], ks: Sequence[int]) -> tuple[Score, ...]:
    """pass@k over all problems ("all") and for each domain."""
    domains = sorted({count.domain for count in counts})
    return tuple(
        _score(domain, [count for count in counts if domain in ("all", count.domain)], ks)
        for domain in ("all", *domains)
    )


def _score(domain: str, counts: Sequence[ProblemCount], ks: Sequence[int]) -> Score:
    pairs = [Count(count.n, count.c) for count in counts]
    outcomes: Counter[str] = Counter()
    for count in counts:
        outcomes.update(count.outcomes)
    return Score(
        domain=domain,
        n_problems=len(counts),
        n_samples=min(count.n for count in counts),
        pass_at_k=tuple(PassAtK(k=k, value=mean_pass_at_k(pairs, k)) for k in ks),
        outcomes=dict(sorted(outcomes.items())),
    )
