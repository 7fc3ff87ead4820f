"""Samples and comparisons as text that fits a terminal."""

import os
import sys
import textwrap
from collections.abc import Sequence

from rewards.terminal import own, visible
from sweeper.host.amounts import number_of
from sweeper.host.printed_table import screen_width
from sweeper.rows.asked import cut
from sweeper.rows.sample import Sample, Turn, halves
from sweeper.runs.gained_lost import Changed, Comparison

_NARROW, _WIDE = 40, 120  # columns that text is wrapped to at least and at most
_PIPE = 100  # columns where there is no terminal
_LABEL = 10  # columns of a field's name
_SHOWN = 2_000  # characters of a field
_GREEN, _RED, _BOLD, _DIM, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"
_OBSERVED = "> "  # before what the model observed, where nothing can be dimmed


def show(text: str) -> None:
    """Print text that this module made: of its fields nothing is obeyed, so its own colours may pass."""
    stream = own(sys.stdout)
    stream.write(f"{text}\n")
    stream.flush()


def wrapped(text: str) -> str:
    """A paragraph in lines that fit."""
    return textwrap.fill(visible(text), _columns())


def of_sample(sample: Sample) -> str:
    """One sample: its problem, and a line or more for each field that is known."""
    return "\n".join([*_title(sample), *_fields(sample)])


def of_comparison(comparison: Comparison) -> str:
    """How many problems were gained, lost and neither, and by which definition."""
    n = comparison.kinds()
    told = (
        f"{comparison.after} against {comparison.before}: {number_of(len(comparison.problems), 'problem')} in common; "
        f"{n['gained']} gained, {n['lost']} lost, {n['both']} solved by both, {n['neither']} by neither (solved: at "
        f"least one sample is correct). Clearly up: {n['clearly_up']}, clearly down: {n['clearly_down']} (share of "
        "correct samples, 95% level over all problems: two-proportion z, Holm)."
    )
    apart = comparison.only_before + comparison.only_after
    return wrapped(f"{told} {apart} problems are of one side only." if apart else told)


def of_change(changed: Changed, sides: tuple[str, str] = ("before", "after")) -> str:
    """One problem: counts of both sides, and a sample of each below the name of its side."""
    before, after = changed.samples
    asked = after or before
    clearly = {1: ", clearly up", -1: ", clearly down", 0: ""}[changed.clear]
    colour = _GREEN if changed.after.c * changed.before.n > changed.before.c * changed.after.n else _RED
    rates = f"{changed.before.c}/{changed.before.n} -> {changed.after.c}/{changed.after.n}"
    kind = changed.kind if changed.kind in ("gained", "lost") else f"solved by {changed.kind}"
    lines = _head(changed.problem_id, f"{rates}  {kind}{clearly}", colour)
    if asked is not None:
        lines += [*_field("prompt", asked.prompt), *_field("gold", asked.gold)]
    for side, sample, is_damaged in zip(sides, changed.samples, changed.unread, strict=True):
        if sample is None:
            lines += _field(side, "(its file is damaged)" if is_damaged else "(no sample was kept)")
        else:
            lines += [*_response(side, sample), *_verdict(sample)]
    return "\n".join(lines)


def _head(name: str, about: str, colour: str = "") -> list[str]:
    """A problem's name and what there is to say of it, on a line of its own where one would be too long."""
    name, lines = visible(name), textwrap.wrap(visible(about), _columns() - 2)
    if len(lines) == 1 and len(name) + 2 + len(lines[0]) <= _columns():
        return [f"{_bold(name)}  {_coloured(lines[0], colour)}"]
    return [*map(_bold, textwrap.wrap(name, _columns())), *(f"  {_coloured(line, colour)}" for line in lines)]


def _title(sample: Sample) -> list[str]:
    about = [sample.data_source or sample.domain]
    if sample.n is not None:
        about.append(f"{sample.c} of {sample.n} correct")
    if sample.place is not None:
        about.append(f"sample {sample.place + 1}")
    name = sample.problem_id or "(a problem that is not in the run's data)"
    return _head(name, ", ".join(item for item in about if item))


def _fields(sample: Sample) -> list[str]:
    lines = [*_field("prompt", sample.prompt), *_response("response", sample)]
    return [*lines, *_field("gold", sample.gold), *_field("parsed", sample.parsed), *_verdict(sample)]


def _response(name: str, sample: Sample) -> list[str]:
    """What the model wrote below a name; of an agent its turns, with what it observed between them."""
    if not sample.turns:
        lines = _field(name, sample.response)
        if sample.left_out:
            lines += _field("", f"({sample.left_out:,} characters of its middle were not kept)")
        return lines
    generated, observed = (sum(turn.tokens for turn in sample.turns if turn.trained is side) for side in (True, False))
    marked = "dim" if _has_colours() else f'"{_OBSERVED.strip()}"'
    lines = _field(
        name,
        f"{number_of(generated, 'token')} generated, which training learns, and {number_of(observed, 'token')} "
        f"observed ({marked}), which it does not",
    )
    first, last = halves(sample.turns, sample.turns_left_out)
    lines += _turns(first)
    if sample.turns_left_out:
        lines += _field("", f"({number_of(sample.turns_left_out, 'part')} of its middle were not kept)")
    return [*lines, *_turns(last)]


def _turns(turns: Sequence[Turn]) -> list[str]:
    """Each below its role, indented; what was observed is dimmed, or marked."""
    lines = []
    for turn in turns:
        told = _field(
            f"  {turn.role}"[: _LABEL - 1], turn.text, mark="" if turn.trained or _has_colours() else _OBSERVED
        )
        if turn.left_out:
            told += _field("", f"({turn.left_out:,} characters of its middle were not kept)")
        lines += told if turn.trained else [_coloured(line, _DIM) for line in told]
    return lines


def _verdict(sample: Sample) -> list[str]:
    told = "not kept (by an earlier version)" if sample.verdict is None else sample.verdict.replace("_", " ")
    why = f": {sample.why}" if sample.why else ""
    tokens = "" if sample.tokens is None else f" ({number_of(sample.tokens, 'token')})"
    lines = _field("verdict", f"{told}{why}{tokens}")
    colour = _GREEN if sample.verdict == "correct" else _RED
    return [_coloured(line, colour) if sample.verdict is not None else line for line in lines]


def _field(name: str, value: str | None, *, mark: str = "") -> list[str]:
    """Its lines, the name before the first, a mark before each; none where the value is not known."""
    if value is None:
        return []
    name, width = visible(name), max(_columns() - _LABEL - 2 - len(mark), 20)
    lines = [
        part
        for line in visible(cut(value, _SHOWN)).expandtabs(4).split("\n")
        for part in textwrap.wrap(line, width, replace_whitespace=False, drop_whitespace=False) or [""]
    ]
    if not any(lines):
        lines = ["(empty)"]
    return [f"  {name if not number else '':<{_LABEL}}{mark}{line}".rstrip() for number, line in enumerate(lines)]


def _columns() -> int:
    return min(_WIDE, max(_NARROW, screen_width(otherwise=_PIPE) or _PIPE))


def _coloured(text: str, colour: str) -> str:
    return f"{colour}{text}{_PLAIN}" if colour and _has_colours() else text


def _has_colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _bold(text: str) -> str:
    return _coloured(text, _BOLD)
