"""Settings through which a secret would be written down."""

import re
from pathlib import Path

from sweeper.host.environment import is_schedulers
from sweeper.host.errors import ConfigError
from sweeper.host.secret import is_secret, read
from sweeper.spec.cluster import Cluster, Executor

# A literal value; `NAME=$(command)` and `NAME=$OTHER` are worked out on the node.
_ASSIGNED = re.compile(r"""\b(\w+)=["']?[^\s"'$]""")


def refuse_secrets(cluster: Cluster) -> None:
    """Refuse settings through which a secret would be written down.

    Raises:
        ConfigError: a secret's name in `cluster.environment`, its value in `cluster.setup`, a file others may read.
    """
    if cluster.secrets_file is not None:
        read(Path(cluster.secrets_file))
    if cluster.executor is not Executor.slurm:
        return  # nobody keeps the environment of a job here
    cure = f"write it as NAME=value into a file of mode 0600 and set cluster.secrets_file (cluster={cluster.name})"
    for name in cluster.environment:
        if is_secret(name):
            raise ConfigError(f"cluster.environment names {name}: SLURM keeps what is passed to a job; {cure}")
        if not name.isidentifier():
            raise ConfigError(f"cluster.environment={name!r}: not a variable's name; values come from the environment")
        if is_schedulers(name):
            raise ConfigError(f"cluster.environment names {name}: SLURM sets that for each job; leave it out")
    for line in cluster.setup:
        for match in _ASSIGNED.finditer(line):
            if is_secret(match.group(1)):
                raise ConfigError(f"cluster.setup gives {match.group(1)} a value, which is in every job's text; {cure}")
