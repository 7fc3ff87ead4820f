"""Scores CRUXEval: what a function returns (o), or for which arguments it returns something (i).

The response is read as literals, never run. Only the problem's own function runs, in the sandbox, on arguments written
anew from the values that were read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rewards.answers.literal import MAX_LITERAL, Arguments, BadLiteral, LiteralScanner, gold_literal, parse_literal
from rewards.problem.extraction import after_thinking, fenced_blocks, last_boxed
from rewards.problem.question import BadGroundTruth
from rewards.problem.verdict import Outcome, Verdict, verdict_of
from rewards.sandbox.frames import WorkerDied
from rewards.sandbox.inside.agreement import EXACT, values_agree
from rewards.sandbox.runs import Limits, RunStatus, run_calls

LIMITS = Limits(cpu_s=2, wall_s=6.0, memory_mb=512)
_MAX_ARGUMENTS = 1 << 14
_DEFINED = re.compile(r"^(?:async\s+)?def\s+(\w+)\s*\(", re.MULTILINE)
_ANSWER_MARKS = re.compile(r"\[/?(?:ANSWER|PYTHON)\]|</?answer>", re.IGNORECASE)


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
    gold = gold_literal(ground_truth, "JSON")
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
    return _scored(response, gold, _output)


def score_input(response: str, gold: Execution) -> Verdict:
    """CRUXEval-i: any literal arguments for which the problem's function returns the given value.

    Raises:
        SandboxUnavailable: The function cannot be isolated here.
    """
    return _scored(response, gold, _input)


def _scored(response: str, gold: Execution, read: Callable[[str, Execution], tuple[str | None, object]]) -> Verdict:
    """Holds what `read` makes of the answer, a call's arguments and its value, against the function.

    It raises BadLiteral where the answer is wrong as it stands; arguments of None say that it is right so.
    """
    answer = _answer_text(after_thinking(response))
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    try:
        arguments, value = read(answer, gold)
    except BadLiteral:
        return verdict_of(False, answer)
    if arguments is None or len(arguments) > _MAX_ARGUMENTS:
        return verdict_of(arguments is None, answer)
    try:
        returned = run_calls(gold.code, [f"{gold.name}({arguments})"], limits=LIMITS)
    except WorkerDied:
        return Verdict(outcome=Outcome.ERROR, pred=answer)
    if returned.status is RunStatus.TIMEOUT:
        return Verdict(outcome=Outcome.TIMEOUT, pred=answer)
    return verdict_of(bool(returned.values) and values_agree(value, returned.values[0], EXACT), answer)


def _output(answer: str, gold: Execution) -> tuple[str | None, object]:
    claim = _read_claim(answer, gold)
    if claim.value is None:
        raise BadLiteral("no value")
    if claim.arguments is not None and gold.input_text is not None and not _same_call(claim.arguments, gold.input_text):
        raise BadLiteral("another call")
    expected = _expected(gold)
    if expected is not None and not values_agree(claim.value, expected, EXACT):
        raise BadLiteral("another value")
    if expected is not None and (claim.arguments is None or gold.input_text is not None):
        return None, claim.value
    call = gold.input_text or (claim.arguments.source() if claim.arguments else None)
    if call is None:
        raise BadLiteral("no call")
    return call, claim.value[0]


def _input(answer: str, gold: Execution) -> tuple[str | None, object]:
    try:
        claim = _read_claim(answer, gold)
    except BadLiteral:
        claim = _Claim(None, None)
    arguments, claimed = claim.arguments, claim.value
    if arguments is None:  # the whole answer may be bare arguments
        arguments, claimed = _read_arguments(answer) if len(answer) <= _MAX_ARGUMENTS else None, None
    expected = _expected(gold)
    if claimed is not None and expected is not None and not values_agree(claimed, expected, EXACT):
        raise BadLiteral("another value")
    expected = expected or claimed
    if arguments is None or expected is None:
        raise BadLiteral("no arguments, or no value that they should give")
    return arguments.source(), expected[0]


def _expected(gold: Execution) -> tuple[object] | None:
    """The value that the problem gives, in a tuple to tell None from nothing."""
    try:
        return (parse_literal(gold.expected_text),) if gold.expected_text else None
    except BadLiteral:
        return None


def _same_call(arguments: Arguments, input_text: str) -> bool:
    given = _read_arguments(input_text)
    if given is not None:
        return values_agree([arguments.positional, arguments.named], [given.positional, given.named], EXACT)
    return "".join(arguments.source().split()) == "".join(input_text.split())


@dataclass(frozen=True, slots=True)
class _Claim:
    """`f(arguments) == value`; either part may be missing. The value is in a tuple, to tell None from nothing."""

    arguments: Arguments | None
    value: tuple[object] | None


def _answer_text(text: str) -> str | None:
    """The last complete fenced block, else the last box, else the last line that asserts, else the whole text."""
    blocks = fenced_blocks(text)
    if blocks:
        return blocks[-1].content.strip()
    if "```" in text:
        return None  # the only block was never closed, or is empty
    box = last_boxed(text)
    if box is not None:
        return box
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("assert ")]
    return lines[-1] if lines else text.strip() or None


def _read_claim(answer: str, gold: Execution) -> _Claim:
    """The one claim that `answer` makes; the function may be repeated as it was given, but no other statement made.

    Raises:
        BadLiteral: Not one assertion of equality between a call with literal arguments and a literal.
    """
    name = gold.name
    if len(answer) > MAX_LITERAL:
        raise BadLiteral("too long")
    text = _ANSWER_MARKS.sub("", answer.replace("\r\n", "\n")).replace(gold.code.strip(), "\n", 1).strip().rstrip(";")
    scanner = LiteralScanner(text)
    asserted = scanner.take("assert")
    bracketed = asserted and scanner.take("(")
    if bracketed and not _calls(text, scanner, name):
        scanner, bracketed = LiteralScanner(text), False
        scanner.take("assert")
    claim = _equation(scanner, name, text)
    if bracketed and not scanner.take(")"):
        raise BadLiteral("an open bracket")
    if asserted and scanner.take(","):
        scanner.value()
    scanner.end()
    if asserted and None in (claim.arguments, claim.value):
        raise BadLiteral("an assertion of something else than equality")
    return claim


def _calls(text: str, scanner: LiteralScanner, name: str) -> bool:
    return re.compile(rf"\s*{re.escape(name)}\s*\(").match(text, scanner.position) is not None


def _equation(scanner: LiteralScanner, name: str, text: str) -> _Claim:
    if _calls(text, scanner, name):
        arguments = _call(scanner, name)
        if scanner.take("=="):
            return _Claim(arguments, (scanner.value(),))
        if scanner.take("is"):
            return _Claim(arguments, (_singleton(scanner),))
        return _Claim(arguments, None)
    value = scanner.value()
    if scanner.take("=="):
        return _Claim(_call(scanner, name), (value,))
    return _Claim(None, (value,))


def _call(scanner: LiteralScanner, name: str) -> Arguments:
    if not (scanner.take(name) and scanner.take("(")):
        raise BadLiteral(f"no call of {name}")
    return scanner.arguments()


def _singleton(scanner: LiteralScanner) -> object:
    value = scanner.value()
    if value is not None and not isinstance(value, bool):
        raise BadLiteral("'is' with something else than None, True or False")
    return value


def _read_arguments(text: str) -> Arguments | None:
    """Arguments as written between the brackets of a call, or None if they are not all literals."""
    scanner = LiteralScanner(f"{text})")
    try:
        arguments = scanner.arguments()
        scanner.end()
    except BadLiteral:
        return None
    return arguments
