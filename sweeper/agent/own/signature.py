"""A typed function as a schema that a model is shown: from its signature and docstring."""

import inspect
import re
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, Union

# Parameters that are no arguments of the model's: a dictionary that lasts as long as the trajectory, and the problem.
GIVEN = ("state", "row")
_KINDS: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}
_KNOWN = "str, int, float, bool, list, list[...], dict, Literal[...], or one of these | None"


def schema_of(function: Callable[..., Any]) -> dict[str, Any]:
    """OpenAI's form of a function.

    The description is the docstring up to its first empty line; those of arguments are the lines of its `Args:`.

    Raises:
        TypeError: No docstring, an argument without a type, or with one that JSON has no form for.
    """
    words = inspect.getdoc(function) or ""
    if not words.strip():
        raise TypeError(f"{function.__name__} has no docstring: a model knows a tool by what that says")
    properties, required = {}, []
    hints, told = typing.get_type_hints(function), _told_of(words)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in GIVEN:
            continue
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"argument {parameter} cannot be given by name: spell every argument out")
        if parameter.name not in hints:
            raise TypeError(f"argument {parameter.name} has no type: give it one of {_KNOWN}")
        schema = _schema(parameter.name, hints[parameter.name])
        if parameter.name in told:
            schema["description"] = told[parameter.name]
        properties[parameter.name] = schema
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    parameters = {"type": "object", "properties": properties, "required": required}
    described = " ".join(words.split("\n\n")[0].split())
    return {
        "type": "function",
        "function": {"name": function.__name__, "description": described, "parameters": parameters},
    }


def _schema(name: str, hint: Any) -> dict[str, Any]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        kinds = [one for one in inner if one is not type(None)]
        if len(kinds) == 1:
            return _schema(name, kinds[0]) | ({"nullable": True} if len(kinds) < len(inner) else {})
    elif origin is Literal and len({type(one) for one in inner}) == 1 and type(inner[0]) in _KINDS:
        return {"type": _KINDS[type(inner[0])], "enum": list(inner)}
    elif origin is list and inner:
        return {"type": "array", "items": _schema(name, inner[0])}
    elif (origin or hint) in _KINDS:
        return {"type": _KINDS[origin or hint]}
    raise TypeError(f"argument {name} is of type {inspect.formatannotation(hint)}, which is none of {_KNOWN}")


def _told_of(words: str) -> dict[str, str]:
    """What Google's form of a docstring says of each argument."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", words, re.MULTILINE)
    if section is None:
        return {}
    found = re.findall(r"^[ \t]+(\w+)(?: \([^)]*\))?:[ \t]*(.+(?:\n[ \t]{6,}.+)*)", section[1], re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}
