"""The math-verify process: compares two answers symbolically. Runs only as a helper of `rewards.math.algebra.judge`.

math-verify hands model text to parsers that evaluate, and sympy can hang in C code past any signal; so this runs
locked down (`rewards.sandbox.walls.lockdown`), without limits of its own in time; its owner kills it when it is late.
"""

import contextlib
import logging
import os
from collections.abc import Callable

from rewards.sandbox.frames import send, serve
from rewards.sandbox.walls import lockdown

_MEMORY_BYTES = 4 << 30
_CPU_S = 24 * 3600


def main(control: int) -> None:
    """Loads math-verify, locks this process down, says hello, answers `{"pred" or "response", "gold"}`: `{"equal"}`."""
    try:
        same = _load()
    except ImportError as error:
        send(control, {"error": str(error)})
        return
    # Imports what is imported late, before files and threads are locked away.
    same("\\boxed{\\frac{2}{4}+x}", "\\frac{1}{2}+x")
    os.dup2(1, 2)
    with contextlib.suppress(OSError):
        lockdown.hide_memory()
        lockdown.enter_private_namespaces()
    lockdown.set_limits(cpu_s=_CPU_S, memory_bytes=_MEMORY_BYTES)
    with contextlib.suppress(OSError):
        lockdown.SeccompFilter.for_this_machine().install()
    send(control, {})

    def answer(request: dict[str, str]) -> dict[str, object]:
        try:
            # In a whole response math-verify looks for the answer by itself.
            given = request["response"] if "response" in request else f"\\boxed{{{request['pred']}}}"
            return {"equal": same(given, request["gold"])}
        except Exception as error:  # a parser's failure on model text is an answer
            return {"error": type(error).__name__}

    serve(control, answer)


def _load() -> Callable[[str, str], bool]:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    logging.disable(logging.CRITICAL)
    configs = (LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig())

    def parsed(text: str) -> list[object]:
        # parsing_timeout=None: math-verify's own limits are signal.alarm, which our owner's clock replaces.
        return list(parse(text, configs, parsing_timeout=None))

    def same(response: str, gold: str) -> bool:
        expected, given = parsed(f"\\boxed{{{gold}}}"), parsed(response)
        if not expected or not given:
            return False
        # verify is not symmetric: the gold answer comes first.
        return bool(verify(expected, given, allow_set_relation_comp=True, timeout_seconds=None))

    return same
