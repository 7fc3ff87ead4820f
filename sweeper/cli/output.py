"""What every verb ends with: an exit code, and with `--json` one JSON object."""

import json
from typing import Any

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


def print_json(verb: str, data: Any) -> None:
    """Print a verb's answer: `{"command": verb, "data": data}`."""
    print(json.dumps({"command": verb, "data": data}, indent=1))
