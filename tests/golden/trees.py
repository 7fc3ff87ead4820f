"""JSON trees kept as golden files: written compactly, compared value by value."""

import json
import math
from collections.abc import Iterator
from typing import Any

LONG = 60  # characters of a text that gets a line of its own
EACH = "each"  # the key under which a list of like objects is kept, an array a field
DIGITS = 10  # significant digits of a float that is kept
# The last digits depend on the machine's BLAS; the seeds of the bootstrap are fixed. No more than that differed with
# OPENBLAS_CORETYPE set to Nehalem, Sandybridge, Haswell, Zen and SkylakeX.
RELATIVE, ABSOLUTE = 1e-6, 1e-9


def parse(text: str) -> Any:
    """What a command printed as a tree to keep; NaN and infinities by their names, so that they equal themselves."""
    return columnar(json.loads(text, parse_constant=str))


def columnar(tree: Any) -> Any:
    """The tree with lists of objects that have the same keys as one object of arrays, under the key `EACH`."""
    if isinstance(tree, dict):
        return {key: columnar(value) for key, value in tree.items()}
    if not isinstance(tree, list):
        return tree
    if len(tree) > 1 and all(isinstance(item, dict) and list(item) == list(tree[0]) for item in tree):
        return {EACH: {key: columnar([item[key] for item in tree]) for key in tree[0]}}
    return [columnar(item) for item in tree]


def text_of(tree: Any) -> str:
    """The tree as JSON, a line for each value, long text or array of plain values, floats rounded to `DIGITS`."""
    return "\n".join(_lines(tree, "")) + "\n"


def differences(kept: Any, found: Any, path: str = "") -> Iterator[str]:
    """What differs, each by its path; the order of keys counts, as it is that of columns."""
    if isinstance(kept, dict) and isinstance(found, dict):
        if list(kept) != list(found):
            yield f"{path or 'whole'}: keys {_short(list(kept))} are now {_short(list(found))}"
        for key in (key for key in kept if key in found):
            yield from differences(kept[key], found[key], f"{path}.{key}" if path else key)
    elif isinstance(kept, list) and isinstance(found, list):
        if len(kept) != len(found):
            yield f"{path}: {len(kept)} items are now {len(found)}"
        for number, (one, other) in enumerate(zip(kept, found, strict=False)):
            yield from differences(one, other, f"{path}[{number}]")
    elif not _same(kept, found):
        yield f"{path}: {_short(kept)} is now {_short(found)}"


def _same(kept: Any, found: Any) -> bool:
    if isinstance(kept, float) and isinstance(found, float):
        return math.isclose(kept, found, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(kept) is type(found) and bool(kept == found)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _lines(tree: Any, indent: str) -> Iterator[str]:
    inner = indent + " "
    if isinstance(tree, dict) and tree:
        yield "{"
        for number, (key, value) in enumerate(tree.items(), 1):
            yield from _placed(f"{inner}{_dumped(key)}: ", value, inner, "," if number < len(tree) else "")
        yield f"{indent}}}"
    elif isinstance(tree, list) and any(_wide(item) for item in tree):
        yield "["
        for number, item in enumerate(tree, 1):
            yield from _placed(inner, item, inner, "," if number < len(tree) else "")
        yield f"{indent}]"
    else:
        yield _dumped(tree)


def _wide(item: Any) -> bool:
    return isinstance(item, dict | list) or (isinstance(item, str) and len(item) > LONG)


def _placed(head: str, value: Any, indent: str, tail: str) -> Iterator[str]:
    first, *rest = _lines(value, indent)
    *between, last = [head + first, *rest]
    yield from (*between, last + tail)


def _dumped(value: Any) -> str:
    return json.dumps(_rounded(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
