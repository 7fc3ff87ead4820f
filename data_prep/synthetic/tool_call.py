"""A tool call as a tiny model writes it: hermes' frame around JSON, of which each half is one token."""

from typing import NamedTuple


class _Frame(NamedTuple):
    """What is before and after a call's one argument."""

    opening: str
    closing: str


_END = '"}}\n</tool_call>'
_FRAMES = {
    "calculator": _Frame('<tool_call>\n{"name": "calculator", "arguments": {"expression": "', _END),
    "python": _Frame('<tool_call>\n{"name": "python", "arguments": {"code": "print(', f"){_END}"),
    "search": _Frame('<tool_call>\n{"name": "search", "arguments": {"query": "', _END),
}
# The longest first, as they are looked for; the names are in the prompt of a model that has these tools.
TOOL_STRINGS = (*dict.fromkeys(half for frame in _FRAMES.values() for half in frame), *_FRAMES)


def tool_call(tool: str, argument: str) -> str:
    """The call of a tool: of `calculator` an expression, of `python` what is printed, of `search` a query.

    `argument` is without quotes, backslashes and control characters, which JSON would write in another way.
    """
    opening, closing = _FRAMES[tool]
    return f"{opening}{argument}{closing}"
