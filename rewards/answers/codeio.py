"""Scores CodeIO: the predicted output, or the predicted input, as JSON in the last block, box or object."""

import re
from dataclasses import dataclass

from rewards.answers.literal import MAX_LITERAL, BadLiteral, LiteralScanner, gold_literal, parse_literal
from rewards.problem.extraction import after_thinking, fenced_blocks, last_boxed
from rewards.problem.question import BadGroundTruth
from rewards.problem.verdict import Verdict, judged
from rewards.sandbox.inside.agreement import WRITTEN, values_agree

_KEYED = re.compile(r"""\A\s*["']?(output|input)["']?\s*:""")
_KEY = re.compile(r"""["'](output|input)["']\s*:""")
_DATA_TAGS = frozenset({"", "json", "json5", "jsonc", "python", "py", "text", "txt", "plaintext"})
_TEX_ESCAPE = re.compile(r"\\([{}_$%&#])")
_TEX_WRAPPER = re.compile(r"\A\s*\\(?:text|texttt|mathtt|mathrm)\s*\{(.*)\}\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Prediction:
    """The gold value and under which key it is asked for."""

    key: str
    value: object
    length: int


def parse_prediction(ground_truth: str) -> Prediction:
    """Guru's gold, a JSON object's only member with or without its braces.

    Raises:
        BadGroundTruth: It is neither an output nor an input.
    """
    text = ground_truth.strip()
    value = gold_literal(text if text.startswith("{") else f"{{{text}}}", "JSON")
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in ("output", "input"):
        raise BadGroundTruth(f'ground_truth is not one "output" or "input": {text[:80]!r}')
    key, wanted = next(iter(value.items()))
    return Prediction(str(key), wanted, len(text))


def score_codeio(response: str, gold: Prediction) -> Verdict:
    """Compares by value (`rewards.sandbox.inside.agreement`); no answer is not null."""
    most = max(MAX_LITERAL, 4 * gold.length)

    def agrees(answer: str) -> bool:
        try:
            return values_agree(_value(answer, gold.key, most), gold.value, WRITTEN)
        except BadLiteral:
            return False

    return judged(_last_candidate(after_thinking(response)), agrees, most)


def _last_candidate(text: str) -> str | None:
    """The last of: a complete fenced block of data, a complete box, an object that has one of the keys."""
    found: list[tuple[int, str]] = []
    block = _last_block(text)
    if block is not None:
        found.append(block)
    box = last_boxed(text)
    if box is not None:
        found.append((text.rfind(box), box))
    outside = text if block is None else text[block[0] + len(block[1]) :]
    bare = _last_object(outside)
    if bare is not None and box is None:
        found.append((len(text), bare))
    return max(found)[1] if found else None


def _last_block(text: str) -> tuple[int, str] | None:
    """The last block that is tagged as JSON or has one of the keys; if there is none, the last that may be data."""
    blocks = [block for block in fenced_blocks(text) if block.tag in _DATA_TAGS]
    sure = [b for b in blocks if b.tag.startswith("json") or _KEY.search(b.content) or _KEYED.match(b.content)]
    last = (sure or blocks)[-1:]
    return (last[0].start, last[0].content) if last else None


def _last_object(text: str) -> str | None:
    """The last `{...}` with one of the keys, by a scan that knows strings; or the last bare `"output": ...` line."""
    keys = list(_KEY.finditer(text))
    if not keys:
        return None
    start = text.rfind("{", 0, keys[-1].start())
    if start < 0 or text[start + 1 : keys[-1].start()].strip():
        return text[keys[-1].start() :].strip()
    scanner = LiteralScanner(text, start)
    try:
        scanner.value()
    except BadLiteral:
        return text[start:]
    return text[start : scanner.position]


def _value(answer: str, key: str, max_characters: int) -> object:
    """The value under `key`, or of the whole answer when it has no such key.

    Raises:
        BadLiteral: Nothing of the kind.
    """
    text = answer
    box = last_boxed(text) if "boxed" in text or "fbox" in text else None
    text = box if box is not None else text
    wrapped = _TEX_WRAPPER.match(text)
    text = (wrapped.group(1) if wrapped else text).strip().strip("$").strip()
    try:
        return _read(text, key, max_characters)
    except BadLiteral:
        if not _TEX_ESCAPE.search(text):
            raise
    return _read(_TEX_ESCAPE.sub(r"\1", text), key, max_characters)


def _read(text: str, key: str, max_characters: int) -> object:
    if _KEYED.match(text):
        text = f"{{{text.rstrip().rstrip(',')}}}" if not text.lstrip().startswith("{") else text
        text = re.sub(r"\A\{\s*(output|input)\s*:", r'{"\1":', text)
    try:
        value = parse_literal(text, max_characters)
    except BadLiteral:
        inner = _last_object(text)
        if inner is None or inner == text:
            raise
        value = parse_literal(inner if inner.startswith("{") else f"{{{inner}}}", max_characters)
    if isinstance(value, dict) and key in value:
        return value[key]
    return value
