"""What every verb ends with: an exit code, and with `--json` one JSON object."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from rewards.program import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from sweeper.host.errors import DamagedError

__all__ = ["EXIT_FAILED", "EXIT_OK", "EXIT_USAGE", "print_json", "say_damaged"]
_SAID = 3  # damaged files that are named


def say_damaged(damaged: Sequence[DamagedError], *, what: str) -> None:
    """Tell on stderr which files cannot be read; `what` is what is done without them."""
    for error in damaged[:_SAID]:
        print(error, file=sys.stderr)
    if damaged:
        more = f", {len(damaged) - _SAID} more than are named" if len(damaged) > _SAID else ""
        print(f"{len(damaged)} damaged file{'s' if len(damaged) > 1 else ''}{more}: {what}", file=sys.stderr)


def print_json(verb: str, data: Any) -> None:
    """Print a verb's answer: `{"command": verb, "data": data}`."""
    print(json.dumps({"command": verb, "data": data}, indent=1))
