"""Scores CRUXEval: what a function returns (o), or for which arguments it returns something (i).

The response is read as literals, never run. Only the problem's own function runs, in the sandbox, on arguments written
anew from the values that were read.
"""

import re
from dataclasses import dataclass

from rewards.answers.crux_answer import Claim, answer_text, read_arguments, read_claim, read_value
from rewards.answers.literal import Arguments, BadLiteral, parse_literal
from rewards.problem.bad_ground_truth import BadGroundTruth
from rewards.problem.extraction import after_thinking
from rewards.problem.verdict import Outcome, Verdict, verdict_of
from rewards.sandbox.frames import WorkerDied
from rewards.sandbox.inside.agreement import EXACT, values_agree
from rewards.sandbox.runs import Limits, RunStatus, run_calls

LIMITS = Limits(cpu_s=2, wall_s=6.0, memory_mb=512)
_MAX_ARGUMENTS = 1 << 14
_DEFINED = re.compile(r"^(?:async\s+)?def\s+(\w+)\s*\(", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A function, and what the problem gives of `name(input_text) == expected_text`; None for what it asks for."""

    code: str
    name: str
    input_text: str | None
    expected_text: str | None


def parse_execution(ground_truth: str, reference: str = "", prompt: str = "", given_input: str = "") -> Execution:
    """Reads the gold function and, from the rest of the row, its arguments and value.

    Args:
        ground_truth: JSON `{"functional": code}`, perhaps with `input` and `output`.
        reference: extra_info.reference: the value that the function returns.
        prompt: extra_info.original_prompt, which ends with the assertion to be completed.
        given_input: extra_info.input.

    Raises:
        BadGroundTruth: No function in it.
    """
    try:
        gold = parse_literal(ground_truth, 1 << 20)
    except BadLiteral as error:
        raise BadGroundTruth(f"ground_truth is no JSON: {error}") from error
    if not isinstance(gold, dict):
        raise BadGroundTruth("ground_truth is no JSON object")
    code = gold.get("functional") or gold.get("code")
    names = _DEFINED.findall(code) if isinstance(code, str) else []
    if not isinstance(code, str) or not names:
        raise BadGroundTruth('ground_truth has no "functional" code that defines a function')
    name = "f" if "f" in names else names[-1]
    asked_input, asked_value = _asked(prompt, name)
    return Execution(
        code=code,
        name=name,
        input_text=_text(gold.get("input")) or given_input or asked_input,
        expected_text=_text(gold.get("output")) or reference or asked_value,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _asked(prompt: str, name: str) -> tuple[str | None, str | None]:
    """The given side of the last `assert f(...) == ...` in a prompt; `??` stands for what is asked."""
    start = prompt.rfind(f"assert {name}(")
    if start < 0:
        return None, None
    line = prompt[start + len(f"assert {name}(") :].partition("\n```")[0].strip()
    if line.endswith(") == ??"):
        return line.removesuffix(") == ??"), None
    return (None, line.removeprefix("??) == ")) if line.startswith("??) == ") else (None, None)


def score_output(response: str, gold: Execution) -> Verdict:
    """CRUXEval-o: the value must be what the function returns for the problem's own arguments.

    A row that gives neither arguments nor value can only be held against the answer's own arguments.

    Raises:
        SandboxUnavailable: The function has to be run and cannot be isolated here.
    """
    claim, answer = _claim(response, gold)
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    if claim is None or not claim.has_value:
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    if claim.arguments is not None and gold.input_text is not None and not _same_call(claim.arguments, gold):
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    expected = read_value(gold.expected_text) if gold.expected_text else None
    if expected is not None and not values_agree(claim.value, expected[0], EXACT):
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    if expected is not None and (claim.arguments is None or gold.input_text is not None):
        return Verdict(outcome=Outcome.CORRECT, pred=answer)
    call = gold.input_text or (claim.arguments.source() if claim.arguments is not None else None)
    return _held_against(gold, call, claim.value, answer)


def score_input(response: str, gold: Execution) -> Verdict:
    """CRUXEval-i: any literal arguments for which the problem's function returns the given value.

    Raises:
        SandboxUnavailable: The function cannot be isolated here.
    """
    claim, answer = _claim(response, gold)
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    arguments = _proposed(claim, answer)
    expected = read_value(gold.expected_text) if gold.expected_text else None
    if arguments is None:
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    if claim is not None and claim.arguments is not None and claim.has_value:
        if expected is not None and not values_agree(claim.value, expected[0], EXACT):
            return Verdict(outcome=Outcome.WRONG, pred=answer)
        expected = expected or (claim.value,)
    if expected is None:
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    return _held_against(gold, arguments.source(), expected[0], answer)


def _claim(response: str, gold: Execution) -> tuple[Claim | None, str | None]:
    answer = answer_text(after_thinking(response))
    if answer is None:
        return None, None
    try:
        return read_claim(answer, gold.code, gold.name), answer
    except BadLiteral:
        return None, answer


def _proposed(claim: Claim | None, answer: str) -> Arguments | None:
    """The arguments of the call, or the whole answer as bare arguments."""
    if claim is not None and claim.arguments is not None:
        return claim.arguments
    return read_arguments(answer) if len(answer) <= _MAX_ARGUMENTS else None


def _same_call(arguments: Arguments, gold: Execution) -> bool:
    given = read_arguments(gold.input_text or "")
    if given is not None:
        return values_agree([arguments.positional, arguments.named], [given.positional, given.named], EXACT)
    return "".join(arguments.source().split()) == "".join((gold.input_text or "").split())


def _held_against(gold: Execution, call: str | None, value: object, answer: str) -> Verdict:
    if call is None or len(call) > _MAX_ARGUMENTS:
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    status, returned = _returned(gold.code, f"{gold.name}({call})")
    if status is RunStatus.TIMEOUT:
        return Verdict(outcome=Outcome.TIMEOUT, pred=answer)
    if status is None:
        return Verdict(outcome=Outcome.ERROR, pred=answer)
    return verdict_of(status is RunStatus.DONE and values_agree(value, returned, EXACT), answer)


def _returned(code: str, call: str) -> tuple[RunStatus | None, object]:
    try:
        results = run_calls(code, [call], limits=LIMITS)
    except WorkerDied:
        return None, None
    return results.status, results.values[0] if results.values else None
