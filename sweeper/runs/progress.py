"""How far a run is within the phase that its job is in, and on its whole way.

Phases say it in their log, in lines of one form: `fine-tuning 240/800 steps`, `evaluated 32/64 problems x 128 samples`.
"""

import re
from dataclasses import dataclass

from rewards.bounded_file import last_bytes
from sweeper.runs.attempt import Attempt, Heartbeat

_TOLD = re.compile(rb"^(?:fine-tuning|evaluated) (\d{1,9})/(\d{1,9}) (steps|problems)", re.MULTILINE)
_PHASE = re.compile(rb"^== \S+ ([\w -]+)$", re.MULTILINE)
_END = 1 << 16  # bytes of a log that are read
# Where each phase begins and ends on the way of a run that makes its own model, and what is told of it until it counts.
# Shares of the demo's eight runs, rounded: they decide what a bar shows and nothing else.
_WAY = {
    "data": (0.0, 0.0, "data"),
    "model": (0.0, 0.35, "making the model"),
    "evaluate base": (0.35, 0.45, "base pass@k"),
    "fine-tune": (0.45, 0.5, "fine-tuning"),
    "screen": (0.45, 0.5, "screening"),
    "train": (0.5, 0.9, "starting verl, about a minute"),
    "evaluate": (0.9, 1.0, "pass@k"),
}
_AFTER = "evaluate step "
_VERL_STARTS = 0.05  # of the way


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a run is doing.

    Attributes:
        phase: As the job names it.
        text: For people: the phase and how far it is.
        share: Of the phase, 0 to 1; None: it does not say.
        whole: Of the whole way, 0 to 1, roughly.
    """

    phase: str
    text: str
    share: float | None
    whole: float


def counted(log: bytes) -> tuple[int, int, str] | None:
    """What the last phase of a log has done, of how many steps or problems; None: it has not said."""
    begun = [match.end() for match in _PHASE.finditer(log)]
    found = _TOLD.findall(log, begun[-1] if begun else 0)
    done, of, unit = found[-1] if found else (b"0", b"0", b"")
    return (int(done), int(of), unit.decode()) if int(of) else None


def _otherwise(phase: str) -> tuple[float, float, str]:
    """Of a phase that few runs have: pass@k after a step, once the last one's is measured."""
    if phase.startswith(_AFTER):
        return 0.95, 1.0, f"pass@k of {phase.removeprefix('evaluate ')}"
    return 0.0, 0.0, phase


def progress_of(attempt: Attempt, beat: Heartbeat) -> Progress:
    """Where an attempt is, from its last heartbeat and, in phases that make none, the end of its log."""
    first, last, name = _WAY.get(beat.phase) or _otherwise(beat.phase)
    if beat.phase == "train":
        share = (beat.step or 0) / max(1, beat.total_steps)
        begun = _VERL_STARTS if beat.step is not None else 0.0
        return Progress(
            phase=beat.phase,
            text=str(beat),
            share=share if beat.step is not None else None,
            whole=first + begun + (last - first - begun) * share,
        )
    told = counted(last_bytes(attempt.log, _END)) if attempt.log.is_file() else None
    if told is None:
        return Progress(phase=beat.phase, text=str(beat).replace(beat.phase, name, 1), share=None, whole=first)
    done, of, unit = told
    share = min(1.0, done / of)
    return Progress(
        phase=beat.phase, text=f"{name}, {done}/{of} {unit}", share=share, whole=first + (last - first) * share
    )
