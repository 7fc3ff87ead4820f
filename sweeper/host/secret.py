"""Secrets: read where a job runs, from its environment or a file of its owner's, and written nowhere.

A batch job's environment is kept by SLURM, so nothing that looks like a secret is passed through it: jobs read
`cluster.secrets_file` themselves. What a program prints of its own accord into the log is out of reach.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from sweeper.host.errors import ConfigError

_NAME = re.compile(r"(^|_)(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE)
_SHORTEST = 8  # characters: a shorter value would also be found where it means something else


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value is a secret: WANDB_API_KEY, HF_TOKEN."""
    return _NAME.search(name) is not None


def read(path: Path) -> dict[str, str]:
    """The variables of a secrets file: NAME=value lines; empty lines and those that begin with # are passed over.

    Raises:
        ConfigError: absent, not ours, readable by others, or a line that is none of these. No value is told.
    """
    path = path.expanduser()
    try:
        about = path.stat()
        text = path.read_text()
    except OSError as error:
        raise ConfigError(f"cluster.secrets_file={path} cannot be read: {error.strerror}; create it, or null") from None
    if about.st_uid != os.getuid() or stat.S_IMODE(about.st_mode) & 0o077:
        mode = f"mode {stat.S_IMODE(about.st_mode):04o} of user {about.st_uid}"
        raise ConfigError(f"cluster.secrets_file={path} has {mode}; make it yours alone: chmod 600 {path}")
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, is_pair, value = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not is_pair or not name.isidentifier():
            raise ConfigError(f"cluster.secrets_file={path}, line {number}: not NAME=value")
        found[name] = value.strip().strip("\"'")
    return found


def take(path: str | None) -> None:
    """Put the variables of `cluster.secrets_file` into this process's environment; None: there is none.

    Raises:
        ConfigError: as `read`.
    """
    if path is not None:
        os.environ |= read(Path(path))


def hidden(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text with the values of secrets in the environment replaced by their names."""
    for name, value in environment.items():
        if len(value) >= _SHORTEST and is_secret(name):
            text = text.replace(value, f"[{name}]")
    return text
