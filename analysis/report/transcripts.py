"""Transcripts of agents on a report's page: three per agent, with what training learns told apart from the rest.

One that is right, one that ended without an answer and one that answered wrongly, as far as they were kept.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from analysis.drawing.page import Sample, Turn
from analysis.estimates.numerals import count
from analysis.runs.acting import acts, agent_words
from analysis.runs.selection import Run
from sweeper.host.amounts import number_of
from sweeper.host.errors import SweeperError
from sweeper.rows import sample as kept
from sweeper.rows.sample import Origin, halves
from sweeper.rows.trajectories import LIMITS
from sweeper.runs.folder import RunDir
from sweeper.runs.samples import kept_samples
from sweeper.spec.run_id import RunId

LONG = 1500  # characters of a prompt, a response or a turn; of longer ones the middle is left out


def cut(text: str) -> str:
    """A text as a page shows it."""
    if len(text) <= LONG:
        return text
    half = LONG // 2
    return f"{text[:half]}\n[{count(len(text) - LONG)} characters left out]\n{text[-half:]}"


def turns_of(sample: kept.Sample) -> tuple[Turn, ...]:
    """The turns of an agent and what it observed between them; empty of a single response."""
    first, last = halves(sample.turns, sample.turns_left_out)
    gap = f"{number_of(sample.turns_left_out, 'part')} of the middle were not kept"
    between = [Turn(said=gap, text="", trained=False)] if sample.turns_left_out else []
    return (*map(_turn, first), *between, *map(_turn, last))


def _turn(turn: kept.Turn) -> Turn:
    left = f", {count(turn.left_out)} characters of it were not kept" if turn.left_out else ""
    said = f"{turn.role}: {number_of(turn.tokens, 'token')} {turn.kind}{left}"
    return Turn(said=said, text=cut(turn.text), trained=turn.trained)


def transcribed(runs: Sequence[Run]) -> frozenset[str]:
    """Ids of the runs whose transcripts are shown: of each agent the one of the largest model, its first seed."""
    words = agent_words([run.row for run in runs])
    chosen: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: (-run.row.n_params_non_embedding, run.row.seed)):
        if acts(run.row) and run.row.score() is not None:
            chosen.setdefault(words[run.row.run_id], run)
    return frozenset(run.row.run_id for run in chosen.values())


def transcripts(results_dir: Path | None, run: Run) -> tuple[tuple[Sample, ...], str]:
    """(up to three transcripts of a run's evaluation, a sentence about them)."""
    if results_dir is None:
        return (), "Not read."
    run_dir = RunDir(results_dir=results_dir, run_id=RunId(run.row.run_id))
    try:
        found = _chosen(kept_samples(run_dir, Origin.evaluation))
    except SweeperError as error:
        return (), f"None can be shown: {error}"
    if not found:
        return (), "None was kept with its turns"
    return tuple(shown(sample, "Transcript:") for sample in found), (
        f"{number_of(len(found), 'transcript')} below: as far as they were kept, one that is right, one without an "
        f"answer, one that is wrong; more: sweeper samples {run.row.run_id}"
    )


def _chosen(samples: Iterable[kept.Sample]) -> list[kept.Sample]:
    """The first of each kind that has turns; of several the one with an observation."""
    found: dict[str, kept.Sample] = {}
    for sample in samples:
        if not sample.turns:
            continue
        kind = "right" if sample.verdict == "correct" else "unfinished" if sample.verdict in LIMITS else "wrong"
        if kind not in found or (not _observes(found[kind]) and _observes(sample)):
            found[kind] = sample
        if len(found) == 3 and all(map(_observes, found.values())):
            break
    return [found[kind] for kind in ("right", "unfinished", "wrong") if kind in found]


def _observes(sample: kept.Sample) -> bool:
    return any(not turn.trained for turn in sample.turns)


def shown(sample: kept.Sample, told: str) -> Sample:
    """A sample on a page; `told` goes before its verdict."""
    why = ". ".join(part for part in (sample.why, f"Problem {sample.problem_id}") if part)
    return Sample(
        prompt=cut(sample.prompt or "not kept"),
        response=cut(sample.response),
        gold=cut(sample.gold or "not kept"),
        parsed=cut("not kept" if sample.parsed is None else sample.parsed),
        verdict=f"{told} {(sample.verdict or 'of unknown verdict').replace('_', ' ')}",
        why=why,
        turns=turns_of(sample),
    )
