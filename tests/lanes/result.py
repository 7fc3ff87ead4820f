"""What came of one lane: from pytest's JUnit file, its log and its keeper's report."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.outside import ABSENT

OUTCOMES = ("passed", "failed", "skipped", "absent")
_OUTCOME = re.compile(r"^(\S+::.*?) (PASSED|FAILED|ERROR|SKIPPED)(?: \(.*)?\s+\[ *\d+%\]$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A lane that has ended.

    Attributes:
        name: The lane's.
        seconds: Wall time.
        cpu_seconds: Of everything it started, orphans included.
        tests: Outcome (one of `OUTCOMES`) and seconds by test, as far as pytest came.
        ran: Whether pytest came to its end.
        left: Command lines of the processes that outlived it, ended since.
        log: All that pytest printed.
    """

    name: str
    seconds: float
    cpu_seconds: float
    tests: dict[str, tuple[str, float]]
    ran: bool
    left: tuple[str, ...]
    log: Path

    def count(self, outcome: str) -> int:
        """Tests of an outcome; that a lane could not run is a failure more."""
        broken = outcome == "failed" and not self.ran
        return sum(found == outcome for found, _ in self.tests.values()) + broken

    def why(self) -> str:
        """Its failures in full, or the end of the log of a lane that could not run."""
        text = self.log.read_text(errors="replace")
        found = re.search(r"^=+ (ERRORS|FAILURES) =+$.*?(?=^=+ short test summary)", text, re.MULTILINE | re.DOTALL)
        if self.ran and found:
            return found.group()
        return f"could not run; the end of {self.log}:\n" + "\n".join(text.splitlines()[-60:])


def read_result(name: str, folder: Path, seconds: float) -> Result:
    """Read what a lane left in its folder; where that is less than all, it could not run."""
    report: dict[str, Any] = {"code": None, "cpu_seconds": 0.0, "left": []}
    if (folder / "report.json").exists():
        report = json.loads((folder / "report.json").read_text())
    whole = (folder / "junit.xml").exists()
    tests = read_junit(folder / "junit.xml") if whole else {}
    failed = any(outcome == "failed" for outcome, _ in tests.values())
    return Result(
        name=name,
        seconds=seconds,
        cpu_seconds=report["cpu_seconds"],
        tests=tests,
        ran=whole and report["code"] == (1 if failed else 0),
        left=tuple(report["left"]),
        log=folder / "log",
    )


def read_junit(path: Path) -> dict[str, tuple[str, float]]:
    """Outcome and seconds by test; a test that fails and then errs in its teardown counts once."""
    tests: dict[str, tuple[str, float]] = {}
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        outcome = _outcome(case)
        name = f"{case.get('classname')}::{case.get('name')}"
        before, seconds = tests.get(name, (outcome, 0.0))
        tests[name] = ("failed" if "failed" in (before, outcome) else outcome, seconds + float(case.get("time", 0)))
    return tests


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    skipped = case.find("skipped")
    if skipped is None:
        return "passed"
    return "absent" if skipped.get("message", "").startswith(ABSENT) else "skipped"


def progress(text: str) -> tuple[int, list[str]]:
    """From lines of a log: how many tests passed, and which failed."""
    found = _OUTCOME.findall(text)
    passed = sum(outcome == "PASSED" for _, outcome in found)
    return passed, [name for name, outcome in found if outcome in ("FAILED", "ERROR")]
