"""Settings through which a secret would be written down: a help, not a guarantee (docs/security.md)."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sweeper.grid.assembly import Plain
from sweeper.host import secret
from sweeper.host.environment import is_schedulers
from sweeper.host.errors import ConfigError
from sweeper.host.secret_shape import is_secret
from sweeper.plan.secret_lines import given_in
from sweeper.spec.cluster import Cluster, Executor

_SHELL = ("setup", "sbatch", "container", "python")  # of `cluster`: lines of scripts, or of commands in them
# Keys whose text is a secret whatever it is; others of such names are a column or a model's token.
_NAMED = re.compile(
    r"(^|[._-])(\w*pass(word|wd|phrase|code)|(client_?)?secret|authorization|credential|webhook(_?url)?"
    r"|(api|access|private|secret|wandb|openai)[_-]?key|(access|auth|api|hf|wandb|github|gitlab|bot)[_-]?token)s?(\.|$)",
    re.IGNORECASE,
)
_NO_SECRET = ("", "null", "none", "empty", "dummy")  # a server of one's own is asked with such a key
_CURE = "write it as NAME=value into a file of mode 0600 and set cluster.secrets_file"


class SecretSearch:
    """Searches composed configurations; a part that many points share is searched once."""

    def __init__(self) -> None:
        self._clean: dict[int | str, Any] = {}  # texts, and parts by their id; kept, so that no other object gets it

    def refuse(self, config: Plain) -> None:
        """Refuse a configuration that holds a secret, before anything of it is written or printed.

        Searched are all texts of it for the values of secrets in the environment and in `cluster.secrets_file`, and for
        values that have a secret's form.

        Raises:
            ConfigError: it holds one; the key is named, the value is not.
        """
        cluster = config.get("cluster")
        if isinstance(cluster, Mapping) and id(cluster) not in self._clean:
            with suppress(ConfigError):  # a file that cannot be read is refused with the cluster
                if isinstance(file := cluster.get("secrets_file"), str):
                    secret.read(Path(file))
            self._clean.clear()  # for a file may have told more
        for name, part in config.items():
            known = part if isinstance(part, str) else id(part)
            if known in self._clean:
                continue
            secret.refuse(part, name)
            for key in _named(part, name):
                raise ConfigError(f"{key} is a secret by its name, and would be in every file of a run; {_CURE}")
            self._clean[known] = part


def _named(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for part, item in value.items():
            yield from _named(item, f"{key}.{part}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _named(item, key)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and _NAMED.search(key):
        text = str(value)
        if text.lower() not in _NO_SECRET and not text.startswith("$"):
            yield key


def refuse_secrets(cluster: Cluster) -> None:
    """Refuse settings of a cluster through which a secret would be written down.

    Raises:
        ConfigError: a secret's name in `cluster.environment`, its value in a line of a script, a file others may read.
    """
    if cluster.secrets_file is not None:
        secret.read(Path(cluster.secrets_file))
    if cluster.executor is not Executor.slurm:
        return  # nobody keeps the environment of a job here
    cure = f"{_CURE} (cluster={cluster.name})"
    for name in cluster.environment:
        if name.upper() in ("ALL", "NIL", "NONE"):
            raise ConfigError(
                f"cluster.environment names {name}, which is not a variable but a word of sbatch: with it jobs get "
                "every variable of the shell, or none; name those that they need"
            )
        if is_secret(name, os.environ.get(name, "")):
            raise ConfigError(f"cluster.environment names {name}: SLURM keeps what is passed to a job; {cure}")
        if not name.isidentifier():
            raise ConfigError(f"cluster.environment={name!r}: not a variable's name; values come from the environment")
        if is_schedulers(name):
            raise ConfigError(f"cluster.environment names {name}: SLURM sets that for each job; leave it out")
    for setting in _SHELL:
        for line in _texts(getattr(cluster, setting)):
            what = given_in(line)
            if what is not None:
                raise ConfigError(f"cluster.{setting} gives {what} a value, which is in every job's text; {cure}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield f"--{name}={item}"
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None:  # a container
        yield from (value.image, *value.mounts)
