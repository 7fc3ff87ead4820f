"""Finding the final answer in a response, in time linear in its length."""

import re
from dataclasses import dataclass, field

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BARE_BOX = re.compile(r"\\(?:boxed|fbox) *(-?\d[\d.,]*|[A-Za-z](?![A-Za-z]))")
_NOT_BLANK = re.compile(r"\S")
_TAIL = 1 << 18  # characters at the end in which a final answer is looked for
_MAX_GAP = 10
_MAX_JOIN = 70
_JOIN = re.compile(r"[,;]|\b(?:and|or)\b")
_BRACE = re.compile(r"\\\\|\\[{}]|[{}]")
_TAG = re.compile(r"<(/?)answer>", re.IGNORECASE)
_WHOLE_FENCE = re.compile(r"\A\s*```[\w+-]*[ \t]*\n?(.*?)\n?\s*```\s*\Z", re.DOTALL)
_TAGGED_FENCE = re.compile(r"```[ \t]*([\w+-]*)[ \t]*")
_FENCE = re.compile(r"`{3,}|~{3,}")
_PYTHON_TAG = re.compile(r"(?:i?python|pypy|py)[\d.]*")


def after_thinking(text: str) -> str:
    """The text after the last `</think>`, all of it when there is none; up to a `<think>` that is never closed."""
    return text.rpartition("</think>")[2].partition("<think>")[0]


def last_boxed(text: str) -> str | None:
    r"""Content of the last complete, non-empty `\boxed{...}` or `\fbox{...}`, braces balanced; None if there is none.

    A box that the response ends inside of is not complete, so a truncated answer is no answer. An empty box, as
    in a quoted instruction, is passed over. Without any braced box, `\boxed 5` counts.
    """
    boxes = _complete_boxes(text)
    if boxes:
        _, opened, closed = boxes[-1]
        return text[opened + 1 : closed].strip()
    end = text[-_TAIL:]
    bare = _BARE_BOX.findall(end) if _BOX.search(end) is None else []
    return bare[-1].rstrip(".,") if bare else None


def last_boxes(text: str) -> list[str]:
    """Contents of the last complete box and of those that lead up to it with a few words, "and", or a comma between."""
    boxes = _complete_boxes(text)
    if not boxes:
        return []
    run = [boxes[-1]]
    for box in reversed(boxes[:-1]):
        between = text[box[2] + 1 : run[-1][0]]
        is_joined = len(between) < _MAX_GAP or (len(between) < _MAX_JOIN and _JOIN.search(between) is not None)
        if box[2] >= run[-1][0] or not is_joined:
            break
        run.append(box)
    return [text[opened + 1 : closed].strip() for _, opened, closed in reversed(run)]


def _complete_boxes(text: str) -> list[tuple[int, int, int]]:
    """Start, opening brace and closing brace of every complete, non-empty box, ordered by opening brace."""
    searched_from = max(0, len(text) - _TAIL)
    boxes = {match.end() - 1: match.start() for match in _BOX.finditer(text, searched_from)}
    if not boxes:
        return []
    complete: list[tuple[int, int, int]] = []
    open_braces: list[int] = []
    for match in _BRACE.finditer(text, min(boxes)):
        token, where = match.group(), match.start()
        if token == "{":
            open_braces.append(where)
        elif token == "}" and open_braces:
            opened = open_braces.pop()
            if opened in boxes and _NOT_BLANK.search(text, opened + 1, where):
                complete.append((boxes[opened], opened, where))
    complete.sort(key=lambda box: box[1])
    return complete


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
    fenced = _WHOLE_FENCE.match(best) if best.startswith("```") else None
    return fenced.group(1).strip() if fenced else best


@dataclass(frozen=True, slots=True)
class FencedBlock:
    """What stands between two fences of three backticks, where it starts, and the word behind the first, lower case."""

    start: int
    tag: str
    content: str


def fenced_blocks(text: str) -> list[FencedBlock]:
    """Complete blocks of any kind that are not empty, in order."""
    fences = list(_TAGGED_FENCE.finditer(text))
    pairs = zip(fences[::2], fences[1::2], strict=False)
    blocks = [FencedBlock(a.end(), a.group(1).lower(), text[a.end() : b.start()]) for a, b in pairs]
    return [block for block in blocks if block.content.strip()]


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """The content of one fenced block; `tagged` if the fence says it is Python, `foreign` if it says something else."""

    source: str
    tagged: bool
    foreign: bool = False


def code_blocks(text: str) -> list[CodeBlock]:
    """Complete fenced blocks, in order, whatever word is behind the fence.

    Accepted: both kinds of fence, indented ones, prose before a tagged opening fence, a closing fence glued to the
    last line, and CRLF. A fence inside a triple-quoted string does not close the block. A block without a closing
    fence is not complete: a truncated answer is no answer.
    """
    blocks: list[CodeBlock] = []
    block: _OpenBlock | None = None
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        opened = _opening(line) if "```" in line or "~~~" in line else None
        if block is None:
            if isinstance(opened, CodeBlock):
                blocks.append(opened)
            else:
                block = opened
        elif isinstance(opened, _OpenBlock) and is_python(opened.tag):
            block = opened  # the one before was never closed
        elif block.take(line):
            blocks += block.closed()
            block = None
    if block is not None and block.first_close is not None:
        blocks += block.closed()
    return blocks


def is_python(tag: str) -> bool:
    """Whether the word behind a fence says Python: `python`, `py`, `python3.11`, `pypy3`, `ipython`."""
    return _PYTHON_TAG.fullmatch(tag) is not None


@dataclass(slots=True)
class _OpenBlock:
    fence: str
    tag: str
    indent: int
    lines: list[str] = field(default_factory=list)
    in_string: bool = False
    first_close: int | None = None

    def take(self, line: str) -> bool:
        """Adds a line; whether it closes the block."""
        bare = line.strip()
        closes = bare.startswith(self.fence) and not bare.strip(self.fence[0])
        glued = not closes and self.fence[0] == "`" and bare.endswith("```")
        code = "" if closes else line.rstrip()[:-3] if glued else line
        blank = len(code) - len(code.lstrip())
        self.lines.append(code[min(blank, self.indent) :])
        if (code.count('"""') + code.count("'''")) % 2:
            self.in_string = not self.in_string
        if not (closes or glued):
            return False
        if self.in_string:
            if self.first_close is None:
                self.first_close = len(self.lines)
            self.lines[-1] = line
            return False
        self.first_close = len(self.lines)
        return True

    def closed(self) -> list[CodeBlock]:
        tagged = is_python(self.tag)
        source = "\n".join(self.lines[: self.first_close]).strip("\n")
        return [CodeBlock(source, tagged, foreign=bool(self.tag) and not tagged)]


def _opening(line: str) -> _OpenBlock | CodeBlock | None:
    found = _FENCE.search(line)
    if found is None:
        return None
    before, fence, info = line[: found.start()], found.group(), line[found.end() :].strip()
    word = info.split(maxsplit=1)[0].strip("{.}").lower() if info else ""
    if before.strip() and not is_python(word):
        return None
    if "`" in info:
        # On one line, as in "```python print(1)```"; what else holds backticks is inline code.
        inside = info[:-3].split(maxsplit=1) if info.endswith("```") else []
        return CodeBlock(inside[1], True) if len(inside) == 2 and is_python(word) else None
    return _OpenBlock(fence, word, len(before) if not before.strip() else 0)
