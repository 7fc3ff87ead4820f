"""What every verb ends with: an exit code, and with `--json` one JSON object."""

import json
from typing import Any

from rewards.program import EXIT_FAILED, EXIT_OK, EXIT_USAGE

__all__ = ["EXIT_FAILED", "EXIT_OK", "EXIT_USAGE", "print_json"]


def print_json(verb: str, data: Any) -> None:
    """Print a verb's answer: `{"command": verb, "data": data}`."""
    print(json.dumps({"command": verb, "data": data}, indent=1))
