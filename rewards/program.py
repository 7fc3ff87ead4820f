"""Scores a program by running it against functional tests in the sandbox."""

from rewards.extraction import after_thinking, code_blocks
from rewards.frames import WorkerDied
from rewards.functional_tests import FunctionalTests, parse_ground_truth
from rewards.sandbox import Limits, RunStatus, run_calls, run_tests
from rewards.verdict import Outcome, Verdict, verdict_of

# Synthetic programs compute for microseconds; whatever takes a second of CPU is a loop.
SYNTHETIC_LIMITS = Limits(cpu_s=1, wall_s=6.0, memory_mb=512)
_MAX_CODE = 1 << 16


def score_program(response: str, ground_truth: str, prefix: str, limits: Limits) -> Verdict:
    """Runs the last fenced Python block of `response`.

    Blocks are joined only when the last one does not define the function under test, which an earlier one may.

    Args:
        response: Whole model output; a thinking part is dropped.
        ground_truth: JSON `{"functional": tests}`.
        prefix: Imports and helpers that the data puts before every solution (extra_info.prefix).
        limits: Of the sandbox.

    Raises:
        BadGroundTruth: The tests cannot be read.
        SandboxUnavailable: This machine cannot isolate programs.
    """
    tests = parse_ground_truth(ground_truth)
    code = _solution(code_blocks(after_thinking(response)), tests.entry)
    if code is None or not code.strip():
        return Verdict(outcome=Outcome.NO_ANSWER)
    if len(code) > _MAX_CODE or "\0" in code:
        return Verdict(outcome=Outcome.WRONG, pred=code)
    try:
        return _run(f"{prefix}\n{code}" if prefix else code, code, tests, limits)
    except WorkerDied:
        return Verdict(outcome=Outcome.ERROR, pred=code)


def _solution(blocks: list[str], entry: str | None) -> str | None:
    if not blocks:
        return None
    if entry is None or entry in blocks[-1]:
        return blocks[-1]
    return "\n".join(blocks)


def _run(program: str, shown: str, tests: FunctionalTests, limits: Limits) -> Verdict:
    if not tests.checks:
        status = run_tests(program, tests.source, limits=limits)
        passed = status is RunStatus.DONE
    else:
        calls = [check.call for check in tests.checks]
        results = run_calls(program, calls, setup=tests.setup, limits=limits)
        status = results.status
        passed = status is RunStatus.DONE and all(
            check.holds_for(value) for check, value in zip(tests.checks, results.values, strict=True)
        )
    if status is RunStatus.TIMEOUT:
        return Verdict(outcome=Outcome.TIMEOUT, pred=shown)
    return verdict_of(passed, shown)
