"""Where a row of a test was measured."""

from dataclasses import replace
from typing import Any

from sweeper.rows.row import Provenance

_NOWHERE = Provenance(
    git_commit=None,
    git_dirty=None,
    host="here",
    device="cpu",
    device_name="a CPU",
    n_devices=1,
    versions={},
    data_digest=None,
    model_digest=None,
)


def measured_on(**known: Any) -> Provenance:
    """One CPU of a machine without a checkout, but for what is known."""
    return replace(_NOWHERE, **known)
