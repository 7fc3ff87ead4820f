"""`sweeper --version`."""

import importlib.metadata

from sweeper.host.machine import git_state

DISTRIBUTION = "rl-scaling-sweeper"


def version_text() -> str:
    """The installed version, and the commit of the code that runs, where it is known."""
    try:
        version = importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        version = "(not installed)"
    commit, dirty = git_state()
    if commit is None:
        return f"sweeper {version}"
    return f"sweeper {version}, commit {commit[:12]}{' with uncommitted changes' if dirty else ''}"
