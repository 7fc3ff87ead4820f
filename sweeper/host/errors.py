"""Every error this package raises on purpose; `SweeperError` is the root.

A message says what happened with the value, which config key, and what to do. No custom `__init__`:
errors cross process boundaries by pickle.
"""

from rewards.program import UserError


class SweeperError(UserError):
    """Root of the errors a user can act on; the command line prints it without a traceback."""


class ConfigError(SweeperError, ValueError):
    """The configuration cannot be run as asked; raised before anything is queued."""


class VerlMissingError(ConfigError):
    """verl, or something that it needs, is not installed here; what the message says is what is missing."""


class RunFailedError(SweeperError, RuntimeError):
    """A phase of a run ended with an error; the run's row carries the class and the reason."""


class StalledError(RunFailedError):
    """A run made no progress for far longer than it should take."""


class OtherWeightsError(RunFailedError):
    """A run's rollout engine samples from other weights than those that are trained."""


class ResultsError(SweeperError, RuntimeError):
    """A result file cannot be read or would be overwritten by other content."""


class DamagedError(ResultsError):
    """A file of ours does not hold what was written into it: it is empty, cut, or another program's."""
