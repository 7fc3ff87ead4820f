"""One thing that was looked at before a sweep: right, wrong, or not to be told from here."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What came of a check."""

    ok = "ok"
    wrong = "wrong"
    unknown = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check with what was found, and for what is not right the config key and what to do."""

    name: str
    verdict: Verdict
    found: str
    cure: str | None = None


def passed(name: str, found: str) -> Check:
    """A check that came out right."""
    return Check(name=name, verdict=Verdict.ok, found=found)


def wrong(name: str, found: str, cure: str) -> Check:
    """A check that did not."""
    return Check(name=name, verdict=Verdict.wrong, found=found, cure=cure)


def unknown(name: str, found: str, cure: str | None = None) -> Check:
    """A check that could not be made here."""
    return Check(name=name, verdict=Verdict.unknown, found=found, cure=cure)
