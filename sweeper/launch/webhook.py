"""Tells an address of your own that a run has failed, the first of a launch, and that a sweep has ended.

The address holds a token mostly, so a setting names the variable that has it (`logging.webhook_env`), and no file, row
or line of a log does. Told is a JSON object with a `text`, as Slack and its like take it. Whatever the address does,
the sweep goes on: it has ten seconds, is followed nowhere else, and what fails is a line on stderr.
"""

import json
import os
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sweeper.host import secret
from sweeper.host.errors import ConfigError, DamagedError
from sweeper.rows.row import Failure
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec

SECONDS = 10.0
_REASON = 300  # characters of a failure


def fault(name: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Why nobody can be told at the address that a variable of the environment holds; None: it holds one."""
    given = os.environ if environment is None else environment
    if given.get(name, "").startswith(("https://", "http://")):
        return None
    return f"logging.webhook_env={name}: that variable is not set here, or holds no http address"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What was meant for one address goes to no other."""

    def redirect_request(self, *_: Any) -> None:
        """Do not follow; the answer is an error then."""


@dataclass(slots=True, kw_only=True)
class Webhook:
    """Who is told of one launch.

    Attributes:
        address: Where to post; None: nowhere.
        what: The grid's name, or what stands for it.
        say: Gets a line of what failed.
        told_failure: Whether a failure was told.
    """

    address: str | None
    what: str
    say: Callable[[str], None] = field(default=lambda line: print(line, file=sys.stderr, flush=True))
    told_failure: bool = False

    @classmethod
    def of(cls, specs: Sequence[RunSpec], what: str, environment: Mapping[str, str] | None = None) -> "Webhook":
        """The one that runs name.

        Raises:
            ConfigError: the variable is not set or holds no address, or runs name several.
        """
        names = {spec.logging.webhook_env for spec in specs} - {None}
        if len(names) > 1:
            raise ConfigError(f"logging.webhook_env is {' and '.join(sorted(map(str, names)))}: name one for all runs")
        if not names:
            return cls(address=None, what=what)
        name = str(names.pop())
        given = os.environ if environment is None else environment
        if why := fault(name, given):
            raise ConfigError(why)
        return cls(address=given[name], what=what)

    def run_ended(self, run_dir: RunDir) -> None:
        """Tell of a run that has ended, if it has failed and is the first."""
        if self.address is None or self.told_failure:
            return
        with suppress(DamagedError, OSError):  # a run whose row cannot be read is no news of ours
            if (failure := run_dir.failure()) is None:
                return
            self.told_failure = True
            self._post_failure(run_dir, failure)

    def _post_failure(self, run_dir: RunDir, failure: Failure) -> None:
        text = f"{self.what}: {run_dir.run_id} failed in {failure.phase}: {failure.reason[:_REASON]}"
        self._post({"event": "first failure", "run": run_dir.run_id, "text": text})

    def ended(self, states: Sequence[str], verdict: Sequence[str]) -> None:
        """Tell that a sweep has ended: how many runs are in which state, and what came out."""
        counts = Counter(map(str, states))
        told = ", ".join(f"{n} {state}" for state, n in counts.items())
        text = "\n".join([f"{self.what}: ended with {told}", *verdict])
        self._post({"event": "end", "counts": dict(counts), "verdict": list(verdict), "text": text})

    def _post(self, event: dict[str, Any]) -> None:
        if self.address is None:
            return
        body = json.dumps(secret.hidden_in({"grid": self.what, **event})).encode()
        outcome = [f"no answer in {SECONDS:.0f} s"]
        # A thread, since a server that drips a byte at a time would hold any time limit of a socket's.
        thread = threading.Thread(target=_posted, args=(self.address, body, outcome), daemon=True)
        thread.start()
        thread.join(SECONDS)
        if outcome[-1]:
            self.say(f"the webhook was not told ({event['event']}): {outcome[-1]}; the sweep goes on")


def _posted(address: str, body: bytes, outcome: list[str]) -> None:
    """Post; `outcome` gets why it failed, or an empty text. No word of it has the address."""
    headers = {"Content-Type": "application/json", "User-Agent": "rl-scaling-sweeper"}
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(urllib.request.Request(address, body, headers), timeout=SECONDS):
            outcome.append("")
    except urllib.error.HTTPError as error:
        outcome.append(f"status {error.code}")
    except TimeoutError:
        return
    except Exception as error:  # a sweep never fails for it
        outcome.append(type(error).__name__)
