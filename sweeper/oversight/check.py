"""One thing that was looked at before a sweep: right, wrong, not to be told from here, or open to others."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class Verdict(StrEnum):
    """What came of a check."""

    ok = "ok"
    wrong = "wrong"
    unknown = "unknown"
    open = "open"  # to other users of the site: no run fails of it


@dataclass(frozen=True, slots=True)
class Check:
    """A check with what was found, and for what is not right the config key and what to do."""

    verdict: Verdict
    name: str
    found: str
    cure: str | None = None


passed, wrong, unknown, left_open = (partial(Check, verdict) for verdict in Verdict)
