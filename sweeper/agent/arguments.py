"""What is wrong with the arguments of a tool call, by the tool's own schema: for the loop and for every tool."""

from collections.abc import Mapping, Sequence
from typing import Any

# Python's types of what JSON has. A type that is not here is not checked.
_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def fault_of(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    """What is wrong with a model's arguments; None: nothing.

    Args:
        arguments: By name, as JSON has them.
        schema: The tool's (`Tool.schema`). A property that is `nullable` takes null; one that may be left out does not
            for that reason alone.
    """
    parameters = schema["function"]["parameters"]
    known, needed = parameters["properties"], parameters.get("required", ())
    missing = next((name for name in needed if name not in arguments), None)
    if missing is not None:
        return f"argument {missing} is missing"
    for name, value in arguments.items():
        if name not in known:
            return f"there is no argument {str(name)[:40]!r}; there is {', '.join(known) or 'none'}"
        fault = _fault(value, known[name])
        if fault is not None:
            return f"argument {name} {fault}"
    return None


def _fault(value: Any, schema: Mapping[str, Any]) -> str | None:
    if value is None and schema.get("nullable"):
        return None
    kind = schema["type"]
    kinds = [kind] if isinstance(kind, str) else list(kind)
    if not any(_is(value, one) for one in kinds):
        return f"must be of type {' or '.join(kinds)}"
    allowed: Sequence[Any] | None = schema.get("enum")
    if allowed is not None and value not in allowed:
        return f"must be one of {', '.join(map(str, allowed))}"
    if isinstance(value, list) and "items" in schema:
        return next(filter(None, (_fault(item, schema["items"]) for item in value)), None)
    return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):  # Python's are integers
        return kind == "boolean"
    return kind not in _KINDS or isinstance(value, _KINDS[kind])
