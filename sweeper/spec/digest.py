"""The hash by which specs, models and measurements are known."""

import hashlib
import json
from typing import Any


def digest_of(value: Any) -> str:
    """The first 12 hex digits of the SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
