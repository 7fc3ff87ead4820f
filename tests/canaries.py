"""Secrets that nothing may write down: eight names and forms, and where they were found all the same."""

import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

# Names that no program in use here acts on; values of which no script in a page has a piece (0123456789abcdef).
CANARIES = {
    "CANARY_API_KEY": "5f3c91e7a2d84b6c0e19f7a35b2d8c46e1f09a7b",
    "CANARY_PAT": "ghp_c4n4ryC4N4RYc4n4ryC4N4RYc4n4ryC4N4RY",
    "CANARY_APIKEY": "sk-proj-c4n4ryC4N4RYc4n4ryC4N4RY",
    "CANARY_PGPASSWORD": 'c4n4ry "quoted"\\ pässword',
    "CANARY_AUTH": "hf_c4n4ryC4N4RYc4n4ryC4N4RYc4n4ry",
    "CANARY_DATABASE_URL": "postgres://c4n4ry:c4n4ry-pass-word@host/base",
    "CANARY_WEBHOOK_URL": "https://hooks.slack.com/services/T0C4N4RY/B0C4N4RY/c4n4ryC4N4RY",
    "CANARY_SECRET1": "c4n4ry-0123456789-C4N4RY",
}
_PIECE = 12  # characters of a secret that are one


def told(name: str, text: str) -> bool:
    """Whether a text holds a canary, or a piece of it, as it is or as JSON or an address writes it."""
    value = CANARIES[name].removeprefix("postgres://").removeprefix("https://hooks.slack.com/services/")
    forms = {value, json.dumps(value)[1:-1], quote(value, safe="")}
    return any(form[at : at + _PIECE] in text for form in forms for at in range(0, len(form) - _PIECE + 1, 4))


def tell(texts: Iterable[str]) -> list[str]:
    """The canaries that are in one of the texts."""
    known = list(texts)
    return [name for name in CANARIES if any(told(name, text) for text in known)]


def holding(folder: Path) -> list[str]:
    """The files below a folder that hold a canary or have one in their name, each with its name."""
    found = []
    for path in sorted(folder.rglob("*")):
        text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
        found += [f"{path.relative_to(folder)}: {name}" for name in tell([path.name, text])]
    return found
