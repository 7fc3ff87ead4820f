"""Audits a scorer: how often it pays each kind of probe, by data source."""

import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from rewards.audit.agent_probes import agent_probes
from rewards.audit.probes import MUST_NOT_PASS, OF_AGENTS, Kind, Probe, probes
from rewards.check.gold_check import GoldRow, rendering_of
from rewards.check.gold_rendering import NoRendering
from rewards.own.covering import covering
from rewards.problem.domains import Domain, UnknownDataSource, domain_of
from rewards.problem.question import BadGroundTruth, question_of
from rewards.problem.verdict import Outcome
from rewards.route import trajectory
from rewards.route.router import Score
from rewards.route.scorers import scorer_of
from rewards.sandbox.worker import pool_size

_SEED = 0
_TOLD_EVERY_S = 10.0
_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a scorer said of one probe, and the reward; `error` says why a row could not be probed, or not read."""

    where: str
    data_source: str
    kind: Kind
    response: str = ""
    outcome: Outcome | None = None
    reward: float = 0.0
    error: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether the scorer is wrong in it."""
        is_paid = self.outcome is Outcome.CORRECT
        return is_paid if self.kind in MUST_NOT_PASS else self.kind is Kind.GOLD and not is_paid


@dataclass(frozen=True, slots=True, kw_only=True)
class KindReport:
    """Of one kind in one source: probes, how many were paid or late, the rate of pay, and an example of a fault.

    Paid is what counts as right; `highest` is the highest reward, which a function of the user's own may give for less.
    Without a fault the example is one that was paid; None: none was. `note` says why there is nothing to tell.
    """

    kind: Kind
    tried: int
    paid: int
    late: int
    rate: float | None
    highest: float | None
    example: Finding | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAudit:
    """One data source."""

    data_source: str
    rows: int
    kinds: tuple[KindReport, ...]

    def faults(self, threshold: float) -> tuple[KindReport, ...]:
        """Golds that are not all paid, and kinds that must not be and are, in more than this share of their probes."""
        return tuple(one for one in self.kinds if _is_at_fault(one, threshold))


def _is_at_fault(one: KindReport, threshold: float) -> bool:
    if one.rate is None:
        return False
    return one.rate < 1 if one.kind is Kind.GOLD else one.kind in MUST_NOT_PASS and one.rate > threshold


def sampled(rows: Iterable[GoldRow], most: int | None) -> list[GoldRow]:
    """At most that many rows of each source, drawn with a fixed seed, in their order; None: all."""
    if most is None:
        return list(rows)
    drawing, seen = random.Random(_SEED), Counter[str]()
    kept: dict[str, list[tuple[int, GoldRow]]] = {}
    for number, row in enumerate(rows):
        seen[row.data_source] += 1
        held = kept.setdefault(row.data_source, [])
        place = len(held) if len(held) < most else drawing.randrange(seen[row.data_source])
        if place < most:
            held[place : place + 1] = [(number, row)]
    return [row for _, row in sorted((one for held in kept.values() for one in held), key=lambda one: one[0])]


def audit(rows: Sequence[GoldRow], own: Sequence[str] = (), *, agent: bool = False) -> tuple[SourceAudit, ...]:
    """Scores every probe of every row, as many rows at once as there are helper processes; progress goes to stderr.

    Args:
        rows: To make probes of.
        own: The user's own reward functions (`rewards.own.covering`).
        agent: Whether answers are trajectories of an agent, scored by `rewards.route.trajectory`.

    Raises:
        SandboxUnavailable: Programs cannot be isolated here.
        OwnRewardError: A function of the user's own does not load, or fails for most answers.
    """
    findings: list[Finding] = []
    with ThreadPoolExecutor(max_workers=pool_size(), thread_name_prefix="audit") as executor:
        for found in _with_progress(executor.map(partial(_audited, own=tuple(own), agent=agent), rows), len(rows)):
            findings += found
    counted = Counter(row.data_source for row in rows)
    return tuple(
        _of_source(source, counted[source], [one for one in findings if one.data_source == source])
        for source in sorted(counted)
    )


def _with_progress(parts: Iterable[list[Finding]], total: int) -> Iterator[list[Finding]]:
    told = time.monotonic()
    for number, part in enumerate(parts, 1):
        yield part
        if time.monotonic() - told >= _TOLD_EVERY_S:
            told = time.monotonic()
            print(f"audited {number:,} of {total:,} rows", file=sys.stderr, flush=True)


def _audited(row: GoldRow, own: tuple[str, ...], agent: bool) -> list[Finding]:
    def finding(kind: Kind, response: str = "", score: Score | None = None, error: str = "") -> Finding:
        found = Finding(where=row.where, data_source=row.data_source, kind=kind, response=response, error=error)
        if score is None:
            return found
        return replace(found, outcome=Outcome(str(score["outcome"])), reward=float(score["score"]))

    try:
        scorer = scorer_of(row.data_source, own)
        question = question_of(row.ground_truth, row.extra_info, scorer.fields)
        scorer.read(question)
    except (UnknownDataSource, BadGroundTruth) as error:
        return [replace(finding(Kind.GOLD, error=str(error)), outcome=Outcome.ERROR)]
    found, rendering = [], None
    try:
        rendering = rendering_of(row, scorer, question, own)
    except NoRendering as error:
        found = [finding(kind, error=str(error)) for kind in (Kind.GOLD, Kind.PERTURBED)]
    is_code = domain_of(row.data_source) is Domain.CODE if covering(row.data_source, own) is None else False
    about = dict(question_of("", row.extra_info, ("question",)).extra).get("question", "")
    made = probes(is_code=is_code, gold=question.gold, prompt=row.prompt, question=about, rendering=rendering)
    if agent:
        made = agent_probes(made, question.gold, rendering)

    def score(probe: Probe) -> Score:
        if probe.record is None:
            return scorer.verdict(probe.response, question).as_dict()
        extra = {**(row.extra_info or {}), trajectory.FIELD: probe.record}
        return trajectory.compute_score(row.data_source, probe.response, row.ground_truth, extra, own=own)

    return found + [finding(one.kind, one.response, score(one)) for one in made]


def _of_source(source: str, rows: int, findings: Sequence[Finding]) -> SourceAudit:
    kinds = []
    for kind in Kind:
        of_kind = [one for one in findings if one.kind is kind]
        if kind in OF_AGENTS and not of_kind:
            continue
        tried = [one for one in of_kind if one.outcome is not None]
        paid = [one for one in tried if one.outcome is Outcome.CORRECT]
        untried = Counter(one.error for one in of_kind if one.error)
        note = "; ".join(f"{count} rows: {error}" for error, count in untried.most_common(3))
        faults = [one for one in tried if one.is_fault]
        kinds.append(
            KindReport(
                kind=kind,
                tried=len(tried),
                paid=len(paid),
                late=sum(one.outcome is Outcome.TIMEOUT for one in tried),
                rate=len(paid) / len(tried) if tried else None,
                highest=max((one.reward for one in tried), default=None),
                example=next(iter([*faults, *(paid if kind is not Kind.GOLD else ())]), None),
                note=note[:_SHOWN] if note else "" if tried else "no such probe for these rows",
            )
        )
    return SourceAudit(data_source=source, rows=rows, kinds=tuple(kinds))
