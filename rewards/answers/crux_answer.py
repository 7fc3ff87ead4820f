"""Reads what a response to a CRUXEval problem claims: one assertion about f, or a bare literal, never running it."""

import re
from dataclasses import dataclass

from rewards.answers.literal import MAX_LITERAL, Arguments, BadLiteral, LiteralScanner
from rewards.problem.extraction import fenced_blocks, last_boxed

_ANSWER_MARKS = re.compile(r"\[/?(?:ANSWER|PYTHON)\]|</?answer>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claim:
    """`f(arguments) == value`; either part may be missing. The value is in a tuple, to tell None from nothing."""

    arguments: Arguments | None
    value: tuple[object] | None


def answer_text(text: str) -> str | None:
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


def read_claim(answer: str, code: str, name: str) -> Claim:
    """The one claim that `answer` makes.

    The function itself may be repeated as it was given; any other statement makes the answer unreadable.

    Args:
        answer: From `answer_text`.
        code: The function as given.
        name: Its name.

    Raises:
        BadLiteral: Not one assertion of equality between a call with literal arguments and a literal.
    """
    if len(answer) > MAX_LITERAL:
        raise BadLiteral("too long")
    text = _ANSWER_MARKS.sub("", answer.replace("\r\n", "\n")).replace(code.strip(), "\n", 1).strip().rstrip(";")
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


def _equation(scanner: LiteralScanner, name: str, text: str) -> Claim:
    if _calls(text, scanner, name):
        arguments = _call(scanner, name)
        if scanner.take("=="):
            return Claim(arguments, (scanner.value(),))
        if scanner.take("is"):
            return Claim(arguments, (_singleton(scanner),))
        return Claim(arguments, None)
    value = scanner.value()
    if scanner.take("=="):
        return Claim(_call(scanner, name), (value,))
    return Claim(None, (value,))


def _call(scanner: LiteralScanner, name: str) -> Arguments:
    if not (scanner.take(name) and scanner.take("(")):
        raise BadLiteral(f"no call of {name}")
    return scanner.arguments()


def _singleton(scanner: LiteralScanner) -> object:
    value = scanner.value()
    if value is not None and not isinstance(value, bool):
        raise BadLiteral("'is' with something else than None, True or False")
    return value


def read_arguments(text: str) -> Arguments | None:
    """Arguments as written between the brackets of a call, or None if they are not all literals."""
    scanner = LiteralScanner(f"{text})")
    try:
        arguments = scanner.arguments()
        scanner.end()
    except BadLiteral:
        return None
    return arguments
