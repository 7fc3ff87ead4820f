"""The token that a run's Ray asks of everybody who speaks to it: one per run, in the environment of its processes only.

Without one Ray makes a token itself, the same for all of a user's runs for ever, in a file below the home folder that
others can often read (`~/.ray/auth_token`, mode 0644); before Ray 2.59 it asked for none unless told to.
"""

import importlib.metadata
import secrets

from sweeper.host.errors import RunFailedError

_FIRST = (2, 52)  # of Ray, that can ask for a token


def new() -> dict[str, str]:
    """The variables of one run.

    Raises:
        RunFailedError: the installed Ray would ignore them, and let in whoever comes.
    """
    installed = importlib.metadata.version("ray")
    if tuple(int(part) for part in installed.split(".")[:2]) < _FIRST:
        raise RunFailedError(
            f"ray {installed} is installed, which asks nobody for a token: others who reach this machine could run "
            f"code as you; install ray>={_FIRST[0]}.{_FIRST[1]}"
        )
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
