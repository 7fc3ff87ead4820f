"""Reads the ground truth of every code source.

Encodings, as met in Guru, its evaluation sets and the data they come from: a script of assertions (`functional`,
`test` with `entry_point`, `test_list`, a bare list or text of assertions, `pytest`); inputs and outputs of a program
or, with `fn_name`, of a function; a list of single tests that say their type; any of them as text in JSON in JSON.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from rewards.code.assertions import AssertionTests
from rewards.code.functional_tests import CallTests, ScriptTests, parse_script
from rewards.code.stdin_tests import StdinTests
from rewards.problem.python_tree import python_literal
from rewards.problem.question import BadGroundTruth

CodeTests = AssertionTests | ScriptTests | CallTests | StdinTests

_INPUT_KEYS = ("inputs", "input", "stdin")
_OUTPUT_KEYS = ("outputs", "output", "stdout", "expected_output")
_NAME_KEYS = ("fn_name", "function_name", "func_name", "entry_point")
_WRAPPERS = (
    "stdio",
    "tests",
    "test_cases",
    "input_output",
    "ground_truth",
    "public_tests",
    "private_tests",
    "generated_tests",
    "public_test_cases",
    "private_test_cases",
)
_REMEMBERED = 512
_REMEMBERED_CHARACTERS = 64 << 20

_remembered: OrderedDict[str, CodeTests] = OrderedDict()
_lock = threading.Lock()


def parse_ground_truth(ground_truth: str) -> CodeTests:
    """The tests that a code source's ground truth stands for; recent ones are remembered.

    Raises:
        BadGroundTruth: It cannot be read, or it tests nothing (zero tests are a data error, not a pass).
    """
    with _lock:
        known = _remembered.get(ground_truth)
        if known is not None:
            _remembered.move_to_end(ground_truth)
            return known
    tests = _of(_decoded(ground_truth), None)
    with _lock:
        _remembered[ground_truth] = tests
        while len(_remembered) > _REMEMBERED or (
            len(_remembered) > 1 and sum(map(len, _remembered)) > _REMEMBERED_CHARACTERS
        ):
            _remembered.popitem(last=False)
    return tests


def _decoded(text: str) -> object:
    if not text.strip():
        raise BadGroundTruth("ground_truth is empty")
    value: object = text
    for _ in range(4):
        if not isinstance(value, str):
            break
        found = _json_value(value)
        if found == value:
            if "assert" in value:
                break
            raise BadGroundTruth(f"ground_truth is neither JSON nor assertions: {value[:80]!r}")
        value = found
    return value


def _of(value: object, name: str | None) -> CodeTests:
    if isinstance(value, str):
        return parse_script(value, name)
    if isinstance(value, Mapping):
        return _of_mapping(value, name)
    if isinstance(value, Sequence):
        return _of_list(value, name)
    raise BadGroundTruth(f"ground_truth is a {type(value).__name__}, not tests")


def _of_mapping(value: Mapping[object, object], name: str | None) -> CodeTests:
    metadata = value.get("metadata")
    if isinstance(metadata, str) and metadata.strip():
        metadata = _decoded(metadata)
    for source in (metadata, value):
        given = _first(source, _NAME_KEYS) if isinstance(source, Mapping) else None
        name = given if isinstance(given, str) and given else name
    for key in ("functional", "test", "pytest"):
        if isinstance(value.get(key), str) and str(value[key]).strip():
            return parse_script(str(value[key]), name)
    for key in ("functional", "test_list", "asserts", "assert_case"):
        listed = value.get(key)
        if isinstance(listed, Sequence) and not isinstance(listed, str):
            imports = value.get("test_imports")
            setup = [str(value.get("test_setup_code") or "")]
            setup += map(str, imports) if isinstance(imports, list | tuple) else []
            return parse_script("\n".join([*setup, *_texts(listed)]), name)
    inputs, outputs = _first(value, _INPUT_KEYS), _first(value, _OUTPUT_KEYS)
    if inputs is not None and outputs is not None:
        return _of_pairs(inputs, outputs, name)
    inner = [_of(_decoded(v) if isinstance(v, str) else v, name) for v in map(value.get, _WRAPPERS) if v]
    if len(inner) > 1 and all(isinstance(tests, StdinTests) for tests in inner):
        return StdinTests(
            inputs=tuple(text for tests in inner if isinstance(tests, StdinTests) for text in tests.inputs),
            outputs=tuple(text for tests in inner if isinstance(tests, StdinTests) for text in tests.outputs),
        )
    if inner:
        return inner[0]
    raise BadGroundTruth(f"ground_truth has none of the known kinds of tests, only the keys {sorted(map(str, value))}")


def _first(value: Mapping[object, object], keys: Sequence[str]) -> object:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _texts(items: Sequence[object]) -> list[str]:
    if not items or not all(isinstance(item, str) for item in items):
        raise BadGroundTruth("a list of tests is empty or not a list of texts")
    return [str(item) for item in items]


def _of_list(items: Sequence[object], name: str | None) -> CodeTests:
    if not items:
        raise BadGroundTruth("ground_truth holds no test")
    if all(isinstance(item, str) for item in items):
        return parse_script("\n".join(map(str, items)), name)
    inputs: list[object] = []
    outputs: list[object] = []
    is_call = False
    for item in items:
        if not isinstance(item, Mapping):
            raise BadGroundTruth(f"a test is a {type(item).__name__}, not an object")
        kind = str(item.get("type") or item.get("testtype") or "")
        is_call = is_call or kind in ("function_call", "functional")
        given = _first(item, _NAME_KEYS)
        name = given if isinstance(given, str) and given else name
        if _first(item, _OUTPUT_KEYS) is None and "output" not in item:
            raise BadGroundTruth(f"a test has no output, only the keys {sorted(map(str, item))}")
        given_input = _first(item, _INPUT_KEYS)
        inputs.append("" if given_input is None else given_input)
        outputs.append(_first(item, _OUTPUT_KEYS))
    if is_call and name is None:
        raise BadGroundTruth("the tests call a function but do not name it (fn_name)")
    return _of_pairs(inputs, outputs, name if is_call else None)


def _of_pairs(inputs: object, outputs: object, name: str | None) -> CodeTests:
    if isinstance(inputs, str) and isinstance(outputs, str):
        both = _listed(inputs), _listed(outputs)
        inputs, outputs = ([inputs], [outputs]) if None in both or len(both[0] or ()) != len(both[1] or ()) else both
    if not isinstance(inputs, list | tuple) or not isinstance(outputs, list | tuple):
        raise BadGroundTruth("inputs and outputs are not two lists")
    if len(inputs) != len(outputs):
        raise BadGroundTruth(f"{len(inputs)} inputs but {len(outputs)} outputs")
    if not inputs:
        raise BadGroundTruth("ground_truth holds no test")
    if name is None:
        if not any(_stdin_text(output).strip() for output in outputs):
            raise BadGroundTruth("every expected output is empty, so a program that does nothing would pass")
        return StdinTests(inputs=tuple(map(_stdin_text, inputs)), outputs=tuple(map(_stdin_text, outputs)))
    name = name.removeprefix("Solution().")
    if not name.isidentifier():
        raise BadGroundTruth(f"fn_name {name[:60]!r} is not the name of a function")
    return CallTests(
        name=name,
        arguments=tuple(map(_arguments, inputs)),
        # Where the arguments are text, so is the expected value; else both are values already, a text included.
        expected=tuple(
            _json_value(o) if isinstance(i, str) and isinstance(o, str) else o
            for i, o in zip(inputs, outputs, strict=True)
        ),
    )


def _listed(text: str) -> list[object] | None:
    """The list of texts that `text` is JSON for, as of inputs that were turned into text as a whole."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) and value and all(isinstance(i, str | list) for i in value) else None


def _stdin_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return "\n".join(map(_stdin_text, value))
    if isinstance(value, bool | int | float):
        return str(value)
    raise BadGroundTruth(f"an input or output is a {type(value).__name__}, not text")


def _arguments(value: object) -> tuple[object, ...]:
    """One call's arguments: a list of them, or text with one JSON value per line."""
    if isinstance(value, str):
        value = [_json_value(line) for line in value.split("\n") if line.strip()]
    if not isinstance(value, list | tuple):
        value = [value]
    return tuple(_with_integer_keys(item) for item in value)


def _json_value(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return python_literal(text.strip())
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return text


def _with_integer_keys(value: object) -> object:
    """JSON has text keys only: where all of an argument's are integers, so were the original's."""
    if isinstance(value, dict) and value and all(isinstance(k, str) and k.lstrip("-").isdigit() for k in value):
        return {int(k): item for k, item in value.items()}
    return value
