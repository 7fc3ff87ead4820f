"""Finding the final answer in a response, in time linear in its length."""

import re

_BOX = re.compile(r"\\(?:boxed|fbox)[ \t]*\{")
_BRACE = re.compile(r"\\\\|\\[{}]|[{}]")
_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+-]*)[ \t]*$")
_PYTHON_TAGS = frozenset({"python", "py", "python3"})


def after_thinking(text: str) -> str:
    """The text after the last `</think>`; all of it when there is none."""
    return text.rpartition("</think>")[2]


def last_boxed(text: str) -> str | None:
    r"""Content of the last complete, non-empty `\boxed{...}` or `\fbox{...}`, braces balanced; None if there is none.

    A box that the response ends inside of is not complete, so a truncated answer is no answer. An empty box, as
    in a quoted instruction, is passed over.
    """
    boxes = {match.end() - 1: match.start() for match in _BOX.finditer(text)}
    if not boxes:
        return None
    best: tuple[int, int] | None = None
    open_braces: list[int] = []
    for match in _BRACE.finditer(text, min(boxes)):
        token, where = match.group(), match.start()
        if token == "{":
            open_braces.append(where)
        elif token == "}" and open_braces:
            opened = open_braces.pop()
            is_later = best is None or opened > best[0]
            if opened in boxes and is_later and text[opened + 1 : where].strip():
                best = (opened, where)
    return None if best is None else text[best[0] + 1 : best[1]].strip()


def last_tagged(text: str, tag: str) -> str | None:
    """Content of the last complete `<tag>...</tag>`, over several lines if need be; None if there is none."""
    closing = text.rfind(f"</{tag}>")
    if closing < 0:
        return None
    opening = text.rfind(f"<{tag}>", 0, closing)
    if opening < 0:
        return None
    return text[opening + len(tag) + 2 : closing].strip()


def code_blocks(text: str) -> list[str]:
    """Complete fenced blocks that may be Python, in order: those tagged so if there are any, else the untagged.

    A closing fence glued to the last line of code is accepted; a block without a closing fence is not complete.
    """
    tagged: list[str] = []
    untagged: list[str] = []
    tag: str | None = None
    lines: list[str] = []
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if tag is None:
            if fence:
                tag, lines = fence.group(1).lower(), []
            continue
        closes = (fence is not None and not fence.group(1)) or line.rstrip().endswith("```")
        if not closes:
            lines.append(line)
            continue
        lines.append(line.rstrip().removesuffix("```"))
        target = tagged if tag in _PYTHON_TAGS else untagged if not tag else None
        if target is not None:
            target.append("\n".join(lines).strip("\n"))
        tag = None
    return tagged or untagged
