"""Cells that a spreadsheet shows and does not compute."""

from typing import Any

_COMPUTED = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # OWASP, "CSV Injection": also full-width


def shown(value: Any) -> Any:
    """A cell's value: a text that a spreadsheet would take for a formula gets a `'` before it; -1.5 stays a number."""
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n").replace("\r", "\n")  # Python's writer quotes a line feed alone
    if not value.startswith(_COMPUTED):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
