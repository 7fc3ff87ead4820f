"""Secrets: read where a job runs, from its environment or a file of its owner's, and written nowhere.

A batch job's environment is kept by SLURM, so nothing that looks like a secret is passed through it: jobs read
`cluster.secrets_file` themselves. What a program prints of its own accord into the log is out of reach.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sweeper.errors import ConfigError

if TYPE_CHECKING:
    from sweeper.spec import Cluster  # `results` imports this module, and starts faster without the spec

_NAME = re.compile(r"(^|_)(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE)
# A literal value; `NAME=$(command)` and `NAME=$OTHER` are worked out on the node.
_ASSIGNED = re.compile(r"""\b(\w+)=["']?[^\s"'$]""")
_SHORTEST = 8  # characters: a shorter value would also be found where it means something else


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value is a secret: WANDB_API_KEY, HF_TOKEN."""
    return _NAME.search(name) is not None


def check(cluster: "Cluster") -> None:
    """Refuse settings through which a secret would be written down.

    Raises:
        ConfigError: a secret's name in `cluster.environment`, its value in `cluster.setup`, a file others may read.
    """
    cure = f"write it as NAME=value into a file of mode 0600 and set cluster.secrets_file (cluster={cluster.name})"
    for name in cluster.environment:
        if is_secret(name):
            raise ConfigError(f"cluster.environment names {name}: SLURM keeps what is passed to a job; {cure}")
        if not name.isidentifier():
            raise ConfigError(f"cluster.environment={name!r}: not a variable's name; values come from the environment")
    for line in cluster.setup:
        for match in _ASSIGNED.finditer(line):
            if is_secret(match.group(1)):
                raise ConfigError(f"cluster.setup gives {match.group(1)} a value, which is in every job's text; {cure}")
    if cluster.secrets_file is not None:
        read(Path(cluster.secrets_file))


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


def hidden(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text with the values of secrets in the environment replaced by their names."""
    for name, value in environment.items():
        if len(value) >= _SHORTEST and is_secret(name):
            text = text.replace(value, f"[{name}]")
    return text
