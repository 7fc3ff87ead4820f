"""What is printed when all lanes have ended."""

from collections.abc import Sequence

from tests.lanes.result import OUTCOMES, Result

SLOWEST = 30


def summary(results: Sequence[Result], seconds: float) -> str:
    """Failures in full, a table of lanes, the slowest tests, and a last line of counts.

    Args:
        results: Lanes that have ended.
        seconds: Wall time of all of them together.
    """
    parts = [f"\n##### {result.name} #####\n{result.why()}" for result in results if result.count("failed")]
    left = [f"{result.name} left running, ended since: {line}" for result in results for line in result.left]
    counts = [sum(result.count(outcome) for result in results) for outcome in OUTCOMES]
    last = ", ".join(f"{count} {outcome}" for count, outcome in zip(counts, OUTCOMES, strict=True))
    return "\n".join([*parts, *left, *skipped(results), "", *table(results, seconds), "", *slowest(results), "", last])


def table(results: Sequence[Result], seconds: float) -> list[str]:
    """A line per lane, the longest first, and one of all together."""
    lines = [f"{'lane':<12} {'minutes':>8} {'CPU min':>8} " + " ".join(f"{outcome:>8}" for outcome in OUTCOMES)]
    for result in sorted(results, key=lambda result: -result.seconds):
        counts = " ".join(f"{result.count(outcome):>8,}" for outcome in OUTCOMES)
        broken = "" if result.ran else "  could not run"
        lines.append(f"{result.name:<12} {result.seconds / 60:>8.1f} {result.cpu_seconds / 60:>8.1f} {counts}{broken}")
    used = sum(result.cpu_seconds for result in results)
    counts = " ".join(f"{sum(result.count(outcome) for result in results):>8,}" for outcome in OUTCOMES)
    return [*lines, f"{'all':<12} {seconds / 60:>8.1f} {used / 60:>8.1f} {counts}"]


def slowest(results: Sequence[Result]) -> list[str]:
    """The tests that took longest, over all lanes; a fixture counts with the first test that needs it."""
    tests = [(seconds, name) for result in results for name, (_, seconds) in result.tests.items()]
    found = sorted(tests, reverse=True)[:SLOWEST]
    return [f"the {len(found)} slowest tests, in seconds:", *(f"{seconds:8.1f}  {name}" for seconds, name in found)]


def skipped(results: Sequence[Result]) -> list[str]:
    """Every test that did not run."""
    return [
        f"{outcome}: {name}"
        for result in results
        for name, (outcome, _) in result.tests.items()
        if outcome in ("skipped", "absent")
    ]
