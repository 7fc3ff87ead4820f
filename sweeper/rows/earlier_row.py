"""What a row of an earlier version lacks and can be told from the rest of it."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_json, shallow
from sweeper.rows.problems_seen import seen_of
from sweeper.spec.identity import settings


def completed(values: dict[str, Any], path: Path) -> dict[str, Any]:
    """A row of an earlier version with what can be told from the rest of it, and from the run's specification."""
    if "problems_seen" not in values:
        n, reuse = values.get("n_unique"), values.get("reuse")
        samples, responses = values.get("train_samples"), values.get("rollout_n")
        drawn = n * reuse if n and reuse else samples / responses if samples and responses else None
        values["problems_seen"], values["reuse"] = seen_of(n, drawn) if n and drawn else (None, reuse)
    if "settings" not in values:
        values["settings"] = frozen_settings(path.parent.parent / "runs" / path.stem / "spec.json")
    return values


def frozen_settings(spec: Path) -> dict[str, Any] | None:
    """`RunSpec.settings` of a frozen specification of any version; None where there is none, or it is damaged."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # a damaged spec is for `status` to tell
        return settings(shallow(read_json(spec)))
    return None
