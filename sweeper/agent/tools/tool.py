"""What a tool is to the loop that calls it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sweeper.spec.agent import ToolLimits

# Of a row, what tools may see: none of it is the gold, nor a hidden test, nor a solution. `prefix` are the imports that
# the data puts before a program; `tool_data` is for tools of the user's own.
_PUBLIC = ("data_source", "prompt", "problem_id", "prefix", "public_tests", "tool_data")


@dataclass(frozen=True, slots=True)
class Observation:
    """What a call gave.

    Attributes:
        text: What the model is shown; the loop cuts it at `agent.observation_chars`.
        ok: Whether the call did what it was asked; false counts as an error.
        cpu_s: CPU seconds that the call took, in whatever process.
    """

    text: str
    ok: bool
    cpu_s: float = 0.0


class Tool(Protocol):
    """A tool, one object for all trajectories of a process.

    Attributes:
        name: That the model calls it by.
        version: Of its behaviour; another version is another run.
        schema: OpenAI's form of a function: `{"type": "function", "function": {name, description, parameters}}`.
    """

    name: str
    version: str
    schema: dict[str, Any]

    def run(
        self, arguments: Mapping[str, Any], state: dict[str, Any], row: Mapping[str, Any], limits: ToolLimits
    ) -> Observation:
        """Does one call, in the calling thread, which it blocks; any number of threads may call at once.

        It never raises for what the model wrote, and it ends by itself: within `limits` from when it begins to work.
        What it waits for before that (a core, one of the few sandbox processes) is bounded by the calls under way, not
        by `limits`; a caller's own limit of time must leave room for that.

        Args:
            arguments: As the model wrote them: any names, any JSON values.
            state: The trajectory's, empty at its first call; the tool keeps in it what it likes, under its own name.
            row: The problem's, as the data has it. A tool looks at `public(row)` alone.
            limits: `agent.limits`.

        Raises:
            UserError: the tool itself cannot work here (no isolation, a corpus that has changed, an own function that
                fails for most calls): the run is to end.
        """
        ...

    def close(self, state: dict[str, Any]) -> None:
        """Ends what a trajectory still holds; called once at its end, however it ended."""
        ...


def failed(why: str, *, feedback: bool, cpu_s: float = 0.0) -> Observation:
    """A call that failed, in the words that the model is shown: why, if `agent.feedback`, else only that it did."""
    return Observation(text=f"error: {why}" if feedback else "error", ok=False, cpu_s=cpu_s)


def function_schema(
    name: str, description: str, properties: Mapping[str, Any], required: Sequence[str] | None = None
) -> dict[str, Any]:
    """OpenAI's form of a function; `properties` are JSON schemas by argument, all required unless said otherwise."""
    needed = list(properties if required is None else required)
    parameters = {"type": "object", "properties": dict(properties), "required": needed}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def public(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row, what a tool may see: `data_source`, `prompt`, `problem_id`, `prefix`, `public_tests`, `tool_data`.

    All but the first two are looked for in `extra_info` and in its `rest`, where data_prep keeps what it does not use.
    Whatever else a row has (ground truth, hidden tests, solutions, columns yet unknown) is left out.
    """
    extra = row.get("extra_info")
    extra = extra if isinstance(extra, Mapping) else {}
    found = {**_rest(extra.get("rest")), **{name: value for name, value in extra.items() if value is not None}}
    given = {"data_source": row.get("data_source"), "prompt": row.get("raw_prompt", row.get("prompt"))}
    own = {name: found.get(name) for name in _PUBLIC if name not in given}
    return {name: value for name, value in (given | own).items() if value is not None}


def _rest(text: object) -> Mapping[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
