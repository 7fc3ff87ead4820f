"""The content of the `<answer>` tag that logic puzzles ask for."""

import re

_TAG = re.compile(r"<(/?)answer>", re.IGNORECASE)
_FENCED = re.compile(r"\A\s*```[\w+-]*[ \t]*\n?(.*?)\n?\s*```\s*\Z", re.DOTALL)


def last_answer(text: str) -> str | None:
    """Content of the last complete, non-empty `<answer>...</answer>`; None if there is none.

    An empty tag, as in a quoted instruction, is passed over. A fence around the whole content is taken off.
    """
    best: str | None = None
    opened: int | None = None
    for tag in _TAG.finditer(text):
        if not tag.group(1):
            opened = tag.end()
        elif opened is not None:
            content = text[opened : tag.start()].strip()
            best = content or best
            opened = None
    if best is None:
        return None
    fenced = _FENCED.match(best) if best.startswith("```") else None
    return fenced.group(1).strip() if fenced else best
