"""Probes as an agent writes them: a trajectory of turns and observations, of which only the last turn may be paid."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from rewards.audit.probes import Kind, Probe
from rewards.check.gold_rendering import Rendering

# How a trajectory ends unfinished: `sweeper.rows.trajectories.LIMITS`.
UNFINISHED = ("turn_limit", "call_limit", "context_limit", "turn_cut")
_CALL = '<tool_call>\n{"name": "calculator", "arguments": {"expression": "1"}}\n</tool_call>'
_OBSERVED = "<tool_response>\n%s\n</tool_response>"
_LAST_WORDS = ("", "The tool has the answer.", _CALL)


def agent_probes(made: Iterable[Probe], gold: str, rendering: Rendering | None) -> Iterator[Probe]:
    """Every probe as the last turn behind a call, and transcripts that hold the right answer elsewhere.

    Args:
        made: Of the row (`rewards.audit.probes`).
        gold: As text.
        rendering: The gold in the source's format; None: the row holds nothing to write it with.
    """
    right, wrong = (rendering.right, rendering.wrong) if rendering is not None else (f"\\boxed{{{gold}}}", "no")
    for probe in made:
        # What the tool said is no answer, right or wrong.
        observed = wrong if probe.kind in (Kind.GOLD, Kind.FRAME) else right
        yield replace(probe, response=_transcript(observed, probe.response), record=_record(probe.response))
    for said in dict.fromkeys((right, f"\\boxed{{{gold}}}", gold)):
        for last in _LAST_WORDS:
            yield Probe(Kind.TOOL, _transcript(said, last), _record(last))
        for ended in UNFINISHED:
            yield Probe(Kind.TOOL, _transcript(said, ""), _record("", ended))
    for ended in UNFINISHED:
        yield Probe(Kind.UNFINISHED, _transcript("", right), _record(right, ended))
    yield Probe(Kind.LOST, _transcript("You lose.", right), _record(right, correct=False))


def _transcript(observed: str, last: str) -> str:
    return f"{_CALL}\n{_OBSERVED % observed}\n{last}"


def _record(answer: str, ended: str = "answered", *, correct: bool | None = None) -> dict[str, Any]:
    """What `rewards.route.trajectory` reads of a trajectory."""
    return {"ended": ended, "answer": answer, "correct": correct}
